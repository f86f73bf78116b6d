"""Charts as HTML and SVG in the page's own colours; no plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from pipeline.domain.slots import SLOT

if TYPE_CHECKING:
    from pipeline.domain.acceptance import Tally

Curve = Sequence[tuple[int, float]]
_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 6, 14, 34
_COLOURS = 8  # classes of colour in the stylesheet


def bar_chart_html(counts: Mapping[str, int], *, title: str) -> str:
    """Return counts as horizontal bars with their numbers; the longest has the full width."""
    if not counts:
        return ""
    most = max(max(counts.values()), 1)
    rows = "".join(
        f"<dt>{escape(str(name))}</dt>"
        f'<dd><i style="width:{100 * count / most:.1f}%"></i><span>{count}</span></dd>'
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
) -> str:
    """Draw shares (0 to 1) over steps, one line per name, and a legend with the last shares; "" without points.

    Args:
        curves: name → points (step, share).
        title: caption of the figure.
        unit: of the horizontal axis.
        colours: name → CSS colour; other names take the colours of the page in turn.
    """
    drawn = {name: points for name, points in curves.items() if points}
    if not drawn:
        return ""
    last_step = max(max(step for step, _ in points) for points in drawn.values()) or 1
    paints = {name: _paint(index, (colours or {}).get(name)) for index, name in enumerate(drawn)}
    lines = "".join(_line(points, last_step, paints[name]) for name, points in drawn.items())
    return (
        f'<figure class="curves"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{_grid(last_step, unit)}{lines}</svg>{_legend(drawn, paints)}</figure>"
    )


def _paint(index: int, colour: str | None) -> tuple[str, str]:
    """Choose the class and the style of a line and its entry of the legend."""
    style = f' style="--curve: {escape(colour, quote=True)}"' if colour else ""
    return ("arm" if colour else f"arm-{index % _COLOURS}"), style


def _x(step: float, last_step: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / last_step


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _grid(last_step: int, unit: str) -> str:
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(share):.1f}" y2="{_y(share):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    ends = "".join(
        f'<text x="{_x(step, last_step):.1f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">{label}</text>'
        for step, label, anchor in ((0, "0", "middle"), (last_step, f"{last_step} {unit}", "end"))
    )
    return rows + ends


def _line(points: Curve, last_step: int, paint: tuple[str, str]) -> str:
    path = " ".join(f"{_x(step, last_step):.1f},{_y(share):.1f}" for step, share in points)
    (step, share), (css_class, style) = points[-1], paint
    return (
        f'<polyline class="{css_class}"{style} points="{path}"/>'
        f'<circle class="{css_class}"{style} cx="{_x(step, last_step):.1f}" cy="{_y(share):.1f}" r="3.5"/>'
    )


def _legend(curves: Mapping[str, Curve], paints: Mapping[str, tuple[str, str]]) -> str:
    """List the names with the shares that their lines end at, the highest first."""
    by_share = sorted(curves.items(), key=lambda curve: -curve[1][-1][1])
    entries = "".join(
        f'<li class="{paints[name][0]}"{paints[name][1]}>{escape(name)} {points[-1][1]:.0%}</li>'
        for name, points in by_share
    )
    return f'<ul class="legend">{entries}</ul>'
