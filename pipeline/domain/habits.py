"""How fast a reviewer decides, and whether their acceptance rate drifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from pipeline.domain.acceptance import Tally

PAUSE_S = 300.0  # a longer gap between two decisions is a break, not thinking


@dataclass(frozen=True, slots=True)
class Habit:
    """A summary of one reviewer's decisions over time."""

    reviewer: str
    decided: int
    accepted: Tally
    early: Tally  # the first half of the decisions
    late: Tally  # the second half
    seconds: float | None  # median between two decisions, breaks left out; None for fewer than two decisions

    @property
    def drifts(self) -> bool:
        """Whether the 95 % intervals of the two halves do not overlap."""
        (low, high), (low2, high2) = self.early.interval, self.late.interval
        return high < low2 or high2 < low


def habit(reviewer: str, decisions: Sequence[tuple[str, bool]]) -> Habit:
    """Summarise the pace and the drift of a reviewer.

    Args:
        decisions: (time as ISO, accepted) of their accepts and rejects, oldest first.
    """
    half = len(decisions) // 2
    times = [datetime.fromisoformat(at) for at, _ in decisions]
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    working = [gap for gap in gaps if 0 <= gap <= PAUSE_S]
    return Habit(
        reviewer=reviewer,
        decided=len(decisions),
        accepted=_tally(decisions),
        early=_tally(decisions[:half]),
        late=_tally(decisions[half:]),
        seconds=median(working) if working else None,
    )


def _tally(decisions: Sequence[tuple[str, bool]]) -> Tally:
    return Tally(sum(good for _, good in decisions), len(decisions))
