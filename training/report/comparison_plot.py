"""The arms of two studies as inline SVG: for each arm the rate in A above that in B."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipeline.domain.arms import ARMS, Arm, use_of
from training.report.plots import NAMES_WIDTH, PLOT_WIDTH, Scale, rounded_range, svg, vertical_grid
from training.study.compare import ArmDifference
from training.study.kept_study import KeptArm

_ROW = 52  # px an arm
_UNKNOWN = "#7a7f87"  # of an arm that a later version may have
_RIGHT = 110  # px at the right for the rates


def arm_colour(arm: KeptArm) -> str:
    """Return the colour that an arm has in every plot."""
    return Arm(arm.arm).facts.colour if use_of(arm.arm) in ARMS else _UNKNOWN


def comparison_plot(arms: Sequence[ArmDifference]) -> str:
    """Draw two rows for each arm: the mean as a ring in A and a dot in B, the 95 % interval over seeds as a bar.

    Args:
        arms: at least one.
    """
    rates = [end for arm in arms for side in (arm.a, arm.b) for end in _ends(side)]
    low, high = rounded_range(min(rates), max(rates))

    def x(rate: float) -> float:
        return NAMES_WIDTH + (rate - low) / (high - low) * (PLOT_WIDTH - NAMES_WIDTH - _RIGHT)

    bottom = _ROW * len(arms) + 6
    rows = [_rows(arm, x, top=_ROW * place) for place, arm in enumerate(arms)]
    title = "Balanced accuracy of every arm in A (rings) and in B (dots), with 95 % intervals over seeds"
    return svg([vertical_grid(low, high, x, bottom), *rows], bottom + 30, title)


def _rows(arm: ArmDifference, x: Scale, *, top: float) -> str:
    colour = arm_colour(arm.b)
    name = f'<text x="{NAMES_WIDTH - 14}" y="{top + 32}" text-anchor="end">{escape(arm.b.title)}</text>'
    first = _row(arm.a, "A", x, top + 18, f'fill="var(--paper)" stroke="{colour}" stroke-width="2.2"', colour)
    return name + first + _row(arm.b, "B", x, top + 38, f'fill="{colour}"', colour)


def _row(arm: KeptArm, side: str, x: Scale, y: float, mark: str, colour: str) -> str:
    rate = arm.balanced_accuracy
    start, *_, end = sorted(map(x, _ends(arm)))
    return (
        f'<rect x="{start:.1f}" y="{y - 4}" width="{max(1.0, end - start):.1f}" height="8" rx="4" '
        f'fill="{colour}" opacity="0.35"/>'
        f'<circle cx="{x(rate.mean):.1f}" cy="{y}" r="6" {mark}/>'
        f'<text class="value" x="{PLOT_WIDTH - 4}" y="{y + 4}" text-anchor="end">'
        f"{side} {100 * rate.mean:.1f} %</text>"
    )


def _ends(arm: KeptArm) -> list[float]:
    """The mean, and the ends of its interval where there are some, within 0 to 1."""
    rate = arm.balanced_accuracy
    ends = [rate.mean, *(end for end in (rate.low, rate.high) if end is not None)]
    return [min(1.0, max(0.0, end)) for end in [*ends, rate.mean]]
