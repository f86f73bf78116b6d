"""Learning curves as SVG, drawn with the page's own colours; no plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Curve = Sequence[tuple[int, float]]
_W, _H = 720, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 176, 14, 30
_LABEL_GAP = 17


def curves_svg(curves: Mapping[str, Curve], *, title: str, unit: str = "steps") -> str:
    """A share (0 to 1) over steps, one line an arm, its name at its end; "" without points."""
    drawn = {name: points for name, points in curves.items() if points}
    if not drawn:
        return ""
    last_step = max(max(step for step, _ in points) for points in drawn.values()) or 1
    lines = "".join(_line(points, last_step, index) for index, points in enumerate(drawn.values()))
    return (
        f'<figure class="curves"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_W} {_H}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{_grid(last_step, unit)}{lines}{_names(drawn)}</svg></figure>"
    )


def _x(step: float, last_step: int) -> float:
    return _LEFT + (_W - _LEFT - _RIGHT) * step / last_step


def _y(accuracy: float) -> float:
    return _TOP + (_H - _TOP - _BOTTOM) * (1 - accuracy)


def _grid(last_step: int, unit: str) -> str:
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_W - _RIGHT}" y1="{_y(share):.1f}" y2="{_y(share):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    ends = "".join(
        f'<text x="{_x(step, last_step):.1f}" y="{_H - 8}" text-anchor="middle">{said}</text>'
        for step, said in ((0, "0"), (last_step, f"{last_step} {unit}"))
    )
    return rows + ends


def _line(points: Curve, last_step: int, index: int) -> str:
    path = " ".join(f"{_x(step, last_step):.1f},{_y(value):.1f}" for step, value in points)
    step, value = points[-1]
    dot = f'<circle class="arm-{index % 8}" cx="{_x(step, last_step):.1f}" cy="{_y(value):.1f}" r="3.5"/>'
    return f'<polyline class="arm-{index % 8}" points="{path}"/>{dot}'


def _names(curves: Mapping[str, Curve]) -> str:
    wanted = sorted(
        (_y(points[-1][1]), index, name, points[-1][1]) for index, (name, points) in enumerate(curves.items())
    )
    placed, names = -1e9, []
    for y, index, name, value in wanted:
        placed = max(y, placed + _LABEL_GAP)
        names.append(
            f'<text class="name arm-{index % 8}" x="{_W - _RIGHT + 12}" y="{placed + 4:.1f}">'
            f"{escape(name.replace('_', ' '))} {value:.0%}</text>"
        )
    return "".join(names)
