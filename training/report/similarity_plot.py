"""Small multiples of similarity against the number of images, as inline SVG that follows the page's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from training.report.plots import PLOT_WIDTH, svg
from training.similarity.result import Measure, SimilarityGroup

PLOTTED = (Measure.VENDI, Measure.NEAREST_OTHER, Measure.MEAN_COSINE, Measure.COVERAGE)
_PANEL_HEIGHT = 236  # px
_COLUMNS = 2
_AXIS = 46  # px at the left of a panel for the numbers
_TICKS = 4  # about so many on the vertical axis
_OWN_COLOURS = {"real": Arm("real").facts.colour, "ours": Arm("synthetic").facts.colour}


def group_colour(name: str) -> str:
    """Return the colour of a group: the one that its arm or method has in every plot."""
    return _OWN_COLOURS[name] if name in _OWN_COLOURS else Method(name).facts.colour


def similarity_plot(groups: Sequence[SimilarityGroup]) -> str:
    """Draw a panel for each measure: the mean of every group as a line, 95 % of its draws as a band.

    Args:
        groups: as in study.json, each with at least one n.
    """
    measures = [measure for measure in PLOTTED if any(_curve(group, measure) for group in groups)]
    panels = [_panel(groups, measure, place) for place, measure in enumerate(measures)]
    height = _PANEL_HEIGHT * math.ceil(len(measures) / _COLUMNS)
    title = "Similarity of each group of images against their number"
    return svg(panels, height, title)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The area of one panel: the number of images to the right on a logarithmic scale, values upwards."""

    left: float
    right: float
    top: float
    bottom: float
    sizes: Sequence[int]  # growing
    ticks: Sequence[float]  # growing, the first and the last are the ends of the axis

    def x(self, n: int) -> float:
        span = math.log2(self.sizes[-1] / self.sizes[0])
        share = math.log2(n / self.sizes[0]) / span if span else 0.5
        return self.left + 10 + share * (self.right - self.left - 20)

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


def _frame(curves: Sequence[Sequence[_Point]], place: int) -> _Frame:
    width = PLOT_WIDTH / _COLUMNS
    left, top = place % _COLUMNS * width, place // _COLUMNS * _PANEL_HEIGHT
    points = [point for curve in curves for point in curve]
    ends = [point.low for point in points] + [point.high for point in points]
    return _Frame(
        left=left + _AXIS,
        right=left + width - 14,
        top=top + 30,
        bottom=top + _PANEL_HEIGHT - 44,
        sizes=sorted({point.n for point in points}),
        ticks=_round_ticks(min(ends), max(ends)),
    )


@dataclass(frozen=True, slots=True)
class _Point:
    """One measure of a group at one n."""

    n: int
    mean: float
    low: float
    high: float


def _curve(group: SimilarityGroup, measure: Measure) -> list[_Point]:
    return [
        _Point(point["n"], band["mean"], band["low"], band["high"])
        for point in group["points"]
        if (band := point["bands"].get(str(measure))) is not None
    ]


def _panel(groups: Sequence[SimilarityGroup], measure: Measure, place: int) -> str:
    curves = {group["name"]: curve for group in groups if (curve := _curve(group, measure))}
    frame = _frame(list(curves.values()), place)
    name = f'<text x="{frame.left}" y="{frame.top - 14:.0f}">{escape(measure.facts.title)}</text>'
    bands = [_band(curve, frame, group_colour(group)) for group, curve in curves.items()]
    lines = [_line(curve, frame, group_colour(group)) for group, curve in curves.items()]
    return "".join([name, _axes(frame), *bands, *lines])


def _axes(frame: _Frame) -> str:
    decimals = max(0, -math.floor(math.log10(frame.ticks[1] - frame.ticks[0]) + 1e-9))
    values = "".join(
        f'<line class="grid" x1="{frame.left}" x2="{frame.right}" y1="{frame.y(tick):.1f}" '
        f'y2="{frame.y(tick):.1f}"/>'
        f'<text class="tick" x="{frame.left - 8}" y="{frame.y(tick) + 4:.1f}" text-anchor="end">'
        f"{tick:.{decimals}f}</text>"
        for tick in frame.ticks
    )
    sizes = "".join(
        f'<text class="tick" x="{frame.x(n):.1f}" y="{frame.bottom + 18:.0f}" text-anchor="middle">{n}</text>'
        for n in frame.sizes
    )
    middle = (frame.left + frame.right) / 2
    unit = (
        f'<text class="tick" x="{middle:.1f}" y="{frame.bottom + 34:.0f}" text-anchor="middle">images</text>'
    )
    return values + sizes + unit


def _band(curve: Sequence[_Point], frame: _Frame, colour: str) -> str:
    """Draw where 95 % of the draws lie: an area, or a bar at a single n."""
    if len(curve) == 1:
        x, low, high = frame.x(curve[0].n), frame.y(curve[0].low), frame.y(curve[0].high)
        size = f'width="8" height="{low - high:.1f}"'
        return f'<rect x="{x - 4:.1f}" y="{high:.1f}" {size} fill="{colour}" opacity="0.2"/>'
    upper = [f"{frame.x(point.n):.1f},{frame.y(point.high):.1f}" for point in curve]
    lower = [f"{frame.x(point.n):.1f},{frame.y(point.low):.1f}" for point in reversed(curve)]
    return f'<polygon points="{" ".join([*upper, *lower])}" fill="{colour}" opacity="0.2"/>'


def _line(curve: Sequence[_Point], frame: _Frame, colour: str) -> str:
    places = [(frame.x(point.n), frame.y(point.mean)) for point in curve]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    return f'<polyline class="curve" points="{path}" stroke="{colour}"/>{dots}'


def _round_ticks(low: float, high: float) -> list[float]:
    """Return evenly spaced round numbers of which the first and the last enclose a range."""
    least = max((high - low) / _TICKS, 1e-3)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * number for number in range(first, max(last, first + 1) + 1)]
