"""Plots of a report as inline SVG: no script, no separate file, and colours that follow the page's theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

from pipeline.domain.arms import Arm
from training.study.result import ArmResult

PLOT_WIDTH = 760
NAMES_WIDTH = 190  # px at the left for the names of the arms
_ROW = 40
_LABEL_GAP = 17  # px between the names at the ends of the curves

Item = TypeVar("Item")
Scale = Callable[[float], float]  # value → px


def interval_plot(arms: Sequence[ArmResult], *, chance: float) -> str:
    """Draw one row per arm: every seed as a small dot, the mean as a large one, the 95 % interval as a bar.

    Args:
        arms: as in study.json, rates 0 to 1.
        chance: rate of guessing, marked with a dotted line.
    """
    low, high = _value_range(arms, chance)

    def x(rate: float) -> float:
        return NAMES_WIDTH + (rate - low) / (high - low) * (PLOT_WIDTH - NAMES_WIDTH - 70)

    bottom = _ROW * len(arms) + 10
    parts = [
        vertical_grid(low, high, x, bottom),
        f'<line class="chance" x1="{x(chance):.1f}" x2="{x(chance):.1f}" y1="4" y2="{bottom}"/>',
        f'<text class="tick" x="{x(chance) + 4:.1f}" y="12">chance</text>',
        *(_interval_row(arm, x, y=_ROW * row + _ROW / 2 + 6) for row, arm in enumerate(arms)),
    ]
    return svg(parts, bottom + 30, "Balanced accuracy of every arm with its 95 % interval")


@dataclass(frozen=True, slots=True)
class _CurveFrame:
    """The area of the training curves: steps to the right, rates upwards."""

    steps: int
    low: float
    high: float
    left: float = 48
    right: float = PLOT_WIDTH - 178
    top: float = 12
    bottom: float = 262

    def x(self, step: float) -> float:
        return self.left + step / self.steps * (self.right - self.left)

    def y(self, rate: float) -> float:
        return self.bottom - (rate - self.low) / (self.high - self.low) * (self.bottom - self.top)


def curve_plot(arms: Sequence[ArmResult]) -> str:
    """Draw balanced accuracy on the test photos against the step, mean over seeds, one line per arm."""
    rates = [point["balanced_accuracy"] for arm in arms for point in arm["curve"]]
    steps = max(point["step"] for arm in arms for point in arm["curve"])
    low, high = rounded_range(min(rates), max(rates))
    frame = _CurveFrame(steps, low, high)
    ends = [(arm, frame.y(arm["curve"][-1]["balanced_accuracy"])) for arm in arms]
    parts = [
        _curve_axes(frame),
        *(_curve(arm, frame) for arm in arms),
        *(_curve_name(arm, frame.right + 12, y) for arm, y in spread_labels(ends)),
    ]
    return svg(parts, frame.bottom + 46, "Training curves of every arm")


def _curve_axes(frame: _CurveFrame) -> str:
    rates = "".join(
        f'<line class="grid" x1="{frame.left}" x2="{frame.right:.1f}" y1="{frame.y(tick):.1f}" '
        f'y2="{frame.y(tick):.1f}"/>'
        f'<text class="tick" x="{frame.left - 8}" y="{frame.y(tick) + 4:.1f}" text-anchor="end">'
        f"{100 * tick:.0f} %</text>"
        for tick in rate_ticks(frame.low, frame.high)
    )
    steps = "".join(
        f'<text class="tick" x="{frame.x(step):.1f}" y="{frame.bottom + 20}" text-anchor="middle">{step}</text>'
        for step in (round(share * frame.steps) for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    )
    middle = (frame.left + frame.right) / 2
    title = f'<text class="tick" x="{middle:.1f}" y="{frame.bottom + 38}" text-anchor="middle">step</text>'
    return rates + steps + title


def _curve(arm: ArmResult, frame: _CurveFrame) -> str:
    points = [(frame.x(point["step"]), frame.y(point["balanced_accuracy"])) for point in arm["curve"]]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    end_x, end_y = points[-1]
    return (
        f'<polyline class="curve" points="{path}" stroke="{_colour(arm)}"/>'
        f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3.5" fill="{_colour(arm)}"/>'
    )


def _curve_name(arm: ArmResult, x: float, y: float) -> str:
    return f'<text x="{x:.1f}" y="{y + 4:.1f}" fill="{_colour(arm)}">{escape(arm["title"])}</text>'


def _interval_row(arm: ArmResult, x: Scale, *, y: float) -> str:
    rate, colour = arm["balanced_accuracy"], _colour(arm)
    parts = [f'<text x="{NAMES_WIDTH - 14}" y="{y + 4}" text-anchor="end">{escape(arm["title"])}</text>']
    if rate["low"] is not None and rate["high"] is not None:
        start, end = x(max(0.0, rate["low"])), x(min(1.0, rate["high"]))
        parts.append(
            f'<rect x="{start:.1f}" y="{y - 4}" width="{max(1.0, end - start):.1f}" height="8" rx="4" '
            f'fill="{colour}" opacity="0.35"/>'
        )
    if len(rate["values"]) > 1:
        parts += [
            f'<circle class="seed" cx="{x(value):.1f}" cy="{y + 12}" r="2.2" fill="{colour}"/>'
            for value in rate["values"]
        ]
    parts += [
        f'<circle cx="{x(rate["mean"]):.1f}" cy="{y}" r="6.5" fill="{colour}"/>',
        f'<text class="value" x="{PLOT_WIDTH - 4}" y="{y + 4}" text-anchor="end">{100 * rate["mean"]:.1f} %</text>',
    ]
    return "".join(parts)


def _colour(arm: ArmResult) -> str:
    return Arm(arm["arm"]).facts.colour


def _value_range(arms: Sequence[ArmResult], chance: float) -> tuple[float, float]:
    """Find the range that holds every mean, interval and seed, and the rate of guessing."""
    rates = [chance]
    for arm in arms:
        spread = arm["balanced_accuracy"]
        rates += [spread["mean"], *spread["values"]]
        rates += [end for end in (spread["low"], spread["high"]) if end is not None]
    return rounded_range(min(rates), max(rates))


def rounded_range(low: float, high: float) -> tuple[float, float]:
    """Round outwards to whole tenths within 0..1, at least 0.2 apart."""
    floor, ceiling = max(0.0, int(low * 10) / 10), min(1.0, -int(-high * 10 - 0.999) / 10)
    if ceiling - floor < 0.2:
        ceiling = min(1.0, floor + 0.2)
        floor = max(0.0, ceiling - 0.2)
    return floor, ceiling


def rate_ticks(low: float, high: float) -> list[float]:
    """Return round rates from `low` to `high`, both 0 to 1."""
    step = 0.05 if high - low <= 0.3 else 0.1 if high - low <= 0.7 else 0.2
    count = round((high - low) / step + 1e-6)
    ticks = [low + step * number for number in range(count + 1)]
    return [tick for tick in ticks if tick <= high + 1e-9]


def vertical_grid(low: float, high: float, x: Scale, bottom: float) -> str:
    """Draw vertical lines at round rates from `low` to `high`, with their numbers below `bottom` (px)."""
    return "".join(
        f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="4" y2="{bottom}"/>'
        f'<text class="tick" x="{x(tick):.1f}" y="{bottom + 18}" text-anchor="middle">{100 * tick:.0f} %</text>'
        for tick in rate_ticks(low, high)
    )


def spread_labels(ends: Sequence[tuple[Item, float]]) -> list[tuple[Item, float]]:
    """Move labels down where they would overlap, then all up so that they stay centred.

    Args:
        ends: what a label names, and where it would stand in px; at least one.
    """
    placed: list[tuple[Item, float]] = []
    by_height = sorted(ends, key=lambda end: end[1])
    for item, y in by_height:
        placed.append((item, max(y, placed[-1][1] + _LABEL_GAP) if placed else y))
    drift = sum(y for _item, y in placed) / len(placed) - sum(y for _item, y in by_height) / len(by_height)
    return [(item, y - drift) for item, y in placed]


def svg(parts: Sequence[str], height: float, title: str) -> str:
    """Join the parts of a plot that is `PLOT_WIDTH` wide and `height` high, both in px."""
    return (
        f'<div class="plot"><svg viewBox="0 0 {PLOT_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg></div>"
    )
