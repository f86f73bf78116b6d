"""Charts as HTML and SVG in the page's own colours; no plotting library."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from pipeline.domain.slots import SLOT

if TYPE_CHECKING:
    from pipeline.domain.acceptance import Tally

Curve = Sequence[tuple[int, float]]
_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 6, 14, 34
_COLOURS = 8  # classes of colour in the stylesheet
_STEPS = 4  # of the vertical axis


@dataclass(frozen=True, slots=True)
class Axis:
    """The vertical axis of a chart: from 0 to `top`, its numbers written by `text`."""

    top: float
    text: Callable[[float], str]

    @classmethod
    def up_to(cls, most: float) -> Axis:
        """Return an axis of numbers that holds the largest of them, with whole numbers on its lines."""
        return cls(_STEPS * max(1, math.ceil(most / _STEPS)), lambda number: f"{number:.3g}")


_SHARES = Axis(1.0, lambda share: f"{share:.0%}")


def bar_chart_html(counts: Mapping[str, int], *, title: str) -> str:
    """Return counts as horizontal bars with their numbers; the longest has the full width."""
    if not counts:
        return ""
    most = max(max(counts.values()), 1)
    rows = "".join(
        f"<dt>{escape(str(name))}</dt>"
        f'<dd><i style="width:{100 * count / most:.1f}%"></i><span>{count:,}</span></dd>'
        for name, count in counts.items()
    )
    return f'<section class="counts"><h3>{escape(title)}</h3><dl>{rows}</dl></section>'


def rate_chart_html(tallies: Mapping[str, Tally], *, title: str) -> str:
    """Return rates as bars with a line for the interval, least accepted first."""
    rows = "".join(
        f"<dt>{escape(SLOT.sub('…', name) or 'not set')}</dt><dd>{_rate_bar(tally)}"
        f"<span>{tally.rate:.0%} of {tally.decided}</span></dd>"
        for name, tally in sorted(tallies.items(), key=lambda pair: pair[1].rate)
    )
    return f'<section class="counts rates"><h3>{escape(title)}</h3><dl>{rows}</dl></section>'


def _rate_bar(tally: Tally) -> str:
    low, high = tally.interval
    title = f"95 % interval {low:.0%} to {high:.0%}"
    return (
        f'<b title="{title}"><i style="width:{tally.rate:.1%}"></i>'
        f'<u style="left:{low:.1%};width:{high - low:.1%}"></u></b>'
    )


def curves_svg(
    curves: Mapping[str, Curve],
    *,
    title: str,
    unit: str = "steps",
    colours: Mapping[str, str] | None = None,
    axis: Axis = _SHARES,
) -> str:
    """Draw values over steps, one line per name, and a legend with the last values; "" without points.

    Args:
        curves: name → points (step, value), each value between 0 and the top of the axis.
        title: caption of the figure.
        unit: of the horizontal axis.
        colours: name → CSS colour; other names take the colours of the page in turn.
        axis: shares (0 to 1) unless another is given.
    """
    drawn = {name: points for name, points in curves.items() if points}
    if not drawn:
        return ""
    last_step = max(max(step for step, _ in points) for points in drawn.values()) or 1
    paints = {name: _paint(index, (colours or {}).get(name)) for index, name in enumerate(drawn)}
    lines = "".join(_line(points, last_step, paints[name], axis) for name, points in drawn.items())
    return (
        f'<figure class="curves"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{_grid(last_step, unit, axis)}{lines}</svg>{_legend(drawn, paints, axis)}</figure>"
    )


def _paint(index: int, colour: str | None) -> tuple[str, str]:
    """Choose the class and the style of a line and its entry of the legend."""
    style = f' style="--curve: {escape(colour, quote=True)}"' if colour else ""
    return ("arm" if colour else f"arm-{index % _COLOURS}"), style


def _x(step: float, last_step: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / last_step


def _y(value: float, axis: Axis) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / axis.top)


def _grid(last_step: int, unit: str, axis: Axis) -> str:
    values = [axis.top * step / _STEPS for step in range(_STEPS + 1)]
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{axis.text(value)}</text>'
        for value, y in ((value, _y(value, axis)) for value in values)
    )
    ends = "".join(
        f'<text x="{_x(step, last_step):.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{label}</text>'
        for step, label, anchor in ((0, "0", "middle"), (last_step, f"{last_step} {unit}", "end"))
    )
    return rows + ends


def _line(points: Curve, last_step: int, paint: tuple[str, str], axis: Axis) -> str:
    path = " ".join(f"{_x(step, last_step):.1f},{_y(value, axis):.1f}" for step, value in points)
    (step, value), (css_class, style) = points[-1], paint
    return (
        f'<polyline class="{css_class}"{style} points="{path}"/>'
        f'<circle class="{css_class}"{style} cx="{_x(step, last_step):.1f}" cy="{_y(value, axis):.1f}" r="3.5"/>'
    )


def _legend(curves: Mapping[str, Curve], paints: Mapping[str, tuple[str, str]], axis: Axis) -> str:
    """List the names with the values that their lines end at, the highest first."""
    by_value = sorted(curves.items(), key=lambda curve: -curve[1][-1][1])
    entries = "".join(
        f'<li class="{paints[name][0]}"{paints[name][1]}>{escape(name)} {axis.text(points[-1][1])}</li>'
        for name, points in by_value
    )
    return f'<ul class="legend">{entries}</ul>'
