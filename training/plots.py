"""Plots of a report as inline SVG: no script, no file beside it, and colours that follow the page's theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

# one colour an arm, told apart by people who see colours differently (after Okabe and Ito, 2008)
COLOURS = {
    "real": "#7a7f87",
    "real_augmented": "#56a5d8",
    "synthetic": "#e08a00",
    "mixed": "#0a9a74",
    "sdxl": "#c2699c",
    "paste": "#8d6cc9",
}
_WIDTH = 760
_NAMES = 190  # px at the left for the names of the arms
_ROW = 40


def interval_plot(arms: Sequence[dict[str, Any]], *, chance: float) -> str:
    """One row an arm: every seed as a small dot, the mean as a large one, the 95 % interval as a bar.

    Args:
        arms: as in study.json, rates 0 to 1.
        chance: rate of guessing, marked with a dotted line.
    """
    low, high = _range(arms, chance)

    def x(rate: float) -> float:
        return _NAMES + (rate - low) / (high - low) * (_WIDTH - _NAMES - 70)

    height = _ROW * len(arms) + 40
    parts = [_grid_x(low, high, x, height - 30)]
    parts.append(
        f'<line class="chance" x1="{x(chance):.1f}" x2="{x(chance):.1f}" y1="4" y2="{height - 30}"/>'
    )
    parts.append(f'<text class="tick" x="{x(chance) + 4:.1f}" y="12">chance</text>')
    for place, arm in enumerate(arms):
        parts.append(_interval_row(arm, x, y=_ROW * place + _ROW / 2 + 6))
    return _svg(parts, height, "Balanced accuracy of every arm with its 95 % interval")


def curve_plot(arms: Sequence[dict[str, Any]]) -> str:
    """Balanced accuracy on the test photographs against the step, mean over seeds, one line an arm."""
    steps = max(point["step"] for arm in arms for point in arm["curve"])
    rates = [point["balanced_accuracy"] for arm in arms for point in arm["curve"]]
    low, high = _rounded_range(min(rates), max(rates))
    left, bottom, top = 48, 262, 12

    def x(step: float) -> float:
        return left + step / steps * (_WIDTH - left - 178)

    def y(rate: float) -> float:
        return bottom - (rate - low) / (high - low) * (bottom - top)

    parts = []
    for tick in _ticks(low, high):
        parts.append(
            f'<line class="grid" x1="{left}" x2="{x(steps):.1f}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        )
        parts.append(
            f'<text class="tick" x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{100 * tick:.0f} %</text>'
        )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        shown = round(share * steps)
        parts.append(
            f'<text class="tick" x="{x(shown):.1f}" y="{bottom + 20}" text-anchor="middle">{shown}</text>'
        )
    ends = _spread_labels([(arm, y(arm["curve"][-1]["balanced_accuracy"])) for arm in arms], gap=17)
    for arm, label_y in ends:
        line = " ".join(f"{x(p['step']):.1f},{y(p['balanced_accuracy']):.1f}" for p in arm["curve"])
        colour = COLOURS[arm["arm"]]
        parts.append(f'<polyline class="curve" points="{line}" stroke="{colour}"/>')
        end = y(arm["curve"][-1]["balanced_accuracy"])
        parts.append(f'<circle cx="{x(steps):.1f}" cy="{end:.1f}" r="3.5" fill="{colour}"/>')
        name = escape(arm["title"])
        parts.append(f'<text x="{x(steps) + 12:.1f}" y="{label_y + 4:.1f}" fill="{colour}">{name}</text>')
    middle = (left + x(steps)) / 2
    parts.append(f'<text class="tick" x="{middle:.1f}" y="{bottom + 38}" text-anchor="middle">step</text>')
    return _svg(parts, bottom + 46, "Learning curves of every arm")


def _interval_row(arm: dict[str, Any], x: Any, *, y: float) -> str:
    spread, colour = arm["balanced_accuracy"], COLOURS[arm["arm"]]
    parts = [f'<text x="{_NAMES - 14}" y="{y + 4}" text-anchor="end">{escape(arm["title"])}</text>']
    if spread["low"] is not None:
        start, end = x(max(0.0, spread["low"])), x(min(1.0, spread["high"]))
        parts.append(
            f'<rect x="{start:.1f}" y="{y - 4}" width="{max(1.0, end - start):.1f}" height="8" rx="4" '
            f'fill="{colour}" opacity="0.35"/>'
        )
    if len(spread["values"]) > 1:
        parts += [
            f'<circle class="seed" cx="{x(v):.1f}" cy="{y + 12}" r="2.2" fill="{colour}"/>'
            for v in spread["values"]
        ]
    parts.append(f'<circle cx="{x(spread["mean"]):.1f}" cy="{y}" r="6.5" fill="{colour}"/>')
    parts.append(
        f'<text class="value" x="{_WIDTH - 4}" y="{y + 4}" text-anchor="end">{100 * spread["mean"]:.1f} %</text>'
    )
    return "".join(parts)


def _range(arms: Sequence[dict[str, Any]], chance: float) -> tuple[float, float]:
    spreads = [arm["balanced_accuracy"] for arm in arms]
    lows = [s["mean"] if s["low"] is None else s["low"] for s in spreads] + [
        v for s in spreads for v in s["values"]
    ]
    highs = [s["mean"] if s["high"] is None else s["high"] for s in spreads] + [
        v for s in spreads for v in s["values"]
    ]
    return _rounded_range(min(*lows, chance), max(*highs, chance))


def _rounded_range(low: float, high: float) -> tuple[float, float]:
    """Outwards to whole tenths within 0..1, at least 0.2 wide."""
    floor, ceiling = max(0.0, int(low * 10) / 10), min(1.0, -int(-high * 10 - 0.999) / 10)
    if ceiling - floor < 0.2:
        ceiling = min(1.0, floor + 0.2)
        floor = max(0.0, ceiling - 0.2)
    return floor, ceiling


def _ticks(low: float, high: float) -> list[float]:
    step = 0.05 if high - low <= 0.3 else 0.1 if high - low <= 0.7 else 0.2
    count = round((high - low) / step + 1e-6)
    return [low + step * place for place in range(count + 1) if low + step * place <= high + 1e-9]


def _grid_x(low: float, high: float, x: Any, bottom: float) -> str:
    return "".join(
        f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="4" y2="{bottom}"/>'
        f'<text class="tick" x="{x(tick):.1f}" y="{bottom + 18}" text-anchor="middle">{100 * tick:.0f} %</text>'
        for tick in _ticks(low, high)
    )


def _spread_labels(
    ends: list[tuple[dict[str, Any], float]], *, gap: float
) -> list[tuple[dict[str, Any], float]]:
    """Labels moved down where they would overlap, then all up so that they stay in the middle."""
    placed: list[tuple[dict[str, Any], float]] = []
    wanted = sorted(ends, key=lambda end: end[1])
    for arm, y in wanted:
        placed.append((arm, max(y, placed[-1][1] + gap) if placed else y))
    drift = sum(y for _arm, y in placed) / len(placed) - sum(y for _arm, y in wanted) / len(wanted)
    return [(arm, y - drift) for arm, y in placed]


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
