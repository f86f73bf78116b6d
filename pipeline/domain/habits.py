"""How fast a reviewer decides, how long reviewing takes, and whether the acceptance rate drifts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import TypeVar

from pipeline.domain.acceptance import Tally

Kind = TypeVar("Kind", bound=Hashable)
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


def review_seconds(events: Iterable[tuple[str, str, Kind]]) -> dict[Kind, float]:
    """Add up how long people took: the time between two events of one person belongs to the later one.

    Breaks are left out, and with them the first event after each, whose time is not known; so is a person's very
    first. Skips and undos take time, too, and decisions on many at once hardly any.

    Args:
        events: (reviewer, time as ISO, kind of what the event is about), those of each person oldest first.

    Returns:
        Kind → seconds; without kinds of which no event is timed.
    """
    seconds: dict[Kind, float] = {}
    last: dict[str, datetime] = {}
    for reviewer, at, kind in events:
        time = datetime.fromisoformat(at)
        gap = (time - last[reviewer]).total_seconds() if reviewer in last else -1.0
        if 0 < gap <= PAUSE_S:
            seconds[kind] = seconds.get(kind, 0.0) + gap
        last[reviewer] = time
    return seconds


def _tally(decisions: Sequence[tuple[str, bool]]) -> Tally:
    return Tally(sum(good for _, good in decisions), len(decisions))
