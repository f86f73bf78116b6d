"""The learning curve of real photos with the arms as horizontal lines, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from pipeline.domain.arms import BASELINE, Arm
from training.report.plots import PLOT_WIDTH, rate_ticks, rounded_range, spread_labels, svg
from training.study.result import EquivalentPhotos, RealCurve

_CURVE_STEPS = 40  # straight pieces of which a curve is drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The area of the plot: photos to the right on a logarithmic scale, rates upwards."""

    fewest: float
    most: float
    low: float
    high: float
    left: float = 48
    right: float = PLOT_WIDTH - 178
    top: float = 12
    bottom: float = 262

    def x(self, photos: float) -> float:
        share = math.log(photos / self.fewest) / math.log(self.most / self.fewest)
        return self.left + 10 + share * (self.right - self.left - 20)

    def y(self, rate: float) -> float:
        return self.bottom - (rate - self.low) / (self.high - self.low) * (self.bottom - self.top)


def data_efficiency_plot(curve: RealCurve, arms: Sequence[EquivalentPhotos]) -> str:
    """Draw the curve with its measured points, and each arm at its accuracy.

    The curve is dashed where it is extrapolated. A dot shows where it reaches the accuracy of an arm, a bar the 95 %
    interval of that number of photos.

    Args:
        arms: at least one.
    """
    points = curve["points"]
    intervals = [point["balanced_accuracy"] for point in points]
    rates = [arm["balanced_accuracy"] for arm in arms] + [interval["mean"] for interval in intervals]
    rates += [end for interval in intervals for end in (interval["low"], interval["high"]) if end is not None]
    rates.append(_fitted(curve, curve["most"]))
    low, high = rounded_range(max(0.0, min(rates)), min(1.0, max(rates)))
    frame = _Frame(fewest=points[0]["photos"], most=curve["most"], low=low, high=high)
    colour = BASELINE.facts.colour
    names = [(arm["title"], Arm(arm["arm"]).facts.colour) for arm in arms]
    ends = [(name, frame.y(arm["balanced_accuracy"])) for name, arm in zip(names, arms, strict=True)]
    ends.append(((BASELINE.facts.title, colour), frame.y(_fitted(curve, curve["most"]))))
    parts = [
        _axes(frame, [point["photos"] for point in points]),
        *(_arm(arm, frame) for arm in arms),
        _line(curve, frame, points[0]["photos"], points[-1]["photos"], ""),
        _line(curve, frame, points[-1]["photos"], curve["most"], ' stroke-dasharray="5 4"'),
        *_measured(curve, frame),
        *(
            f'<text x="{frame.right + 12:.1f}" y="{y + 4:.1f}" fill="{fill}">{escape(title)}</text>'
            for (title, fill), y in spread_labels(ends)
        ),
    ]
    return svg(
        parts, frame.bottom + 46, "Balanced accuracy against the number of real photos, with every arm"
    )


def _fitted(curve: RealCurve, photos: float) -> float:
    return curve["plateau"] - curve["scale"] * math.pow(photos, -curve["exponent"])


def _axes(frame: _Frame, measured: Sequence[int]) -> str:
    rates = "".join(
        f'<line class="grid" x1="{frame.left}" x2="{frame.right:.1f}" y1="{frame.y(tick):.1f}" '
        f'y2="{frame.y(tick):.1f}"/>'
        f'<text class="tick" x="{frame.left - 8}" y="{frame.y(tick) + 4:.1f}" text-anchor="end">'
        f"{100 * tick:.0f} %</text>"
        for tick in rate_ticks(frame.low, frame.high)
    )
    numbers = "".join(
        f'<text class="tick" x="{frame.x(photos):.1f}" y="{frame.bottom + 20}" text-anchor="middle">{photos:,.0f}'
        "</text>"
        for photos in (*measured, frame.most)
    )
    middle = (frame.left + frame.right) / 2
    unit = (
        f'<text class="tick" x="{middle:.1f}" y="{frame.bottom + 38}" text-anchor="middle">real photos</text>'
    )
    return rates + numbers + unit


def _line(curve: RealCurve, frame: _Frame, start: float, end: float, style: str) -> str:
    points = " ".join(
        f"{frame.x(photos):.1f},{frame.y(max(frame.low, _fitted(curve, photos))):.1f}"
        for photos in np.geomspace(start, end, _CURVE_STEPS).tolist()
    )
    return f'<polyline class="curve" points="{points}" stroke="{BASELINE.facts.colour}"{style}/>'


def _measured(curve: RealCurve, frame: _Frame) -> list[str]:
    """Draw the measured points, each with the 95 % interval over the seeds."""
    colour, parts = BASELINE.facts.colour, []
    for point in curve["points"]:
        x, rate = frame.x(point["photos"]), point["balanced_accuracy"]
        if rate["low"] is not None and rate["high"] is not None:
            top, bottom = frame.y(min(frame.high, rate["high"])), frame.y(max(frame.low, rate["low"]))
            parts.append(
                f'<rect x="{x - 3:.1f}" y="{top:.1f}" width="6" height="{bottom - top:.1f}" rx="3" '
                f'fill="{colour}" opacity="0.35"/>'
            )
        parts.append(f'<circle cx="{x:.1f}" cy="{frame.y(rate["mean"]):.1f}" r="4.5" fill="{colour}"/>')
    return parts


def _arm(arm: EquivalentPhotos, frame: _Frame) -> str:
    """Draw a line at the accuracy of an arm, the interval on it, and a dot where the curve reaches it."""
    y, colour, worth = frame.y(arm["balanced_accuracy"]), Arm(arm["arm"]).facts.colour, arm["equivalent"]
    parts = [
        f'<line x1="{frame.left}" x2="{frame.right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
        'stroke-width="1.2"/>'
    ]
    if worth["low"] is not None and worth["high"] is not None:
        start, end = frame.x(worth["low"]["photos"]), frame.x(worth["high"]["photos"])
        parts.append(
            f'<rect x="{start:.1f}" y="{y - 4:.1f}" width="{max(1.0, end - start):.1f}" height="8" rx="4" '
            f'fill="{colour}" opacity="0.35"/>'
        )
    if not worth["estimate"]["beyond"]:
        x = frame.x(worth["estimate"]["photos"])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
    return "".join(parts)
