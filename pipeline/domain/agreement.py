"""How far reviewers agree, how quick they are and whether they drift."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise
from statistics import median

from pipeline.domain.acceptance import Tally

PAUSE_S = 300.0  # a longer gap between two decisions is a break, not thinking
Votes = Mapping[str, Mapping[str, str]]  # sample → reviewer → verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reviewers on the samples that both voted on."""

    first: str
    second: str
    shared: int
    agreed: int
    kappa: float | None  # Cohen's; None where chance alone would agree always


@dataclass(frozen=True, slots=True)
class Habit:
    """One reviewer's decisions over time."""

    reviewer: str
    decided: int
    accepted: Tally
    early: Tally  # the first half of the decisions
    late: Tally  # the second half
    seconds: float | None  # median between two decisions, breaks left out; None below two

    @property
    def drifts(self) -> bool:
        """Whether the 95 % intervals of the two halves lie apart."""
        (low, high), (low2, high2) = self.early.interval, self.late.interval
        return high < low2 or high2 < low


def by_sample(votes: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """(sample, reviewer, verdict) rows as sample → reviewer → verdict."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for sample_id, reviewer, verdict in votes:
        found[sample_id][reviewer] = verdict
    return dict(found)


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Agreement of two raters beyond chance (Cohen 1960): (p_o - p_e) / (1 - p_e); None where p_e is 1."""
    if not pairs:
        return None
    n = len(pairs)
    observed = sum(first == second for first, second in pairs) / n
    left, right = (Counter(one[side] for one in pairs) for side in (0, 1))
    expected = sum(left[value] * right[value] for value in left) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def krippendorffs_alpha(votes: Votes) -> float | None:
    """Agreement of any number of raters with gaps (Krippendorff 2011, nominal data): 1 - D_o / D_e.

    None where no sample has two votes, or where all votes are alike.
    """
    units = [Counter(ratings.values()) for ratings in votes.values() if len(ratings) > 1]
    totals: Counter[str] = Counter()
    for unit in units:
        totals.update(unit)
    n = totals.total()
    if not n:
        return None
    observed = sum(
        (unit.total() ** 2 - sum(count**2 for count in unit.values())) / (unit.total() - 1) for unit in units
    )
    expected = (n**2 - sum(count**2 for count in totals.values())) / (n - 1)
    return None if expected == 0 else 1 - observed / expected


def pairs_of(votes: Votes) -> list[Pair]:
    """All pairs of reviewers who share samples, most shared first."""
    shared: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for ratings in votes.values():
        for first, second in combinations(sorted(ratings), 2):
            shared[first, second].append((ratings[first], ratings[second]))
    found = [
        Pair(first, second, len(rows), sum(one == other for one, other in rows), cohens_kappa(rows))
        for (first, second), rows in shared.items()
    ]
    return sorted(found, key=lambda one: (-one.shared, one.first, one.second))


def habit(reviewer: str, decisions: Sequence[tuple[str, bool]]) -> Habit:
    """Pace and drift of a reviewer.

    Args:
        decisions: (time as ISO, accepted) of their accepts and rejects, oldest first.
    """
    half = len(decisions) // 2
    times = [datetime.fromisoformat(at) for at, _ in decisions]
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    thought = [gap for gap in gaps if 0 <= gap <= PAUSE_S]
    return Habit(
        reviewer=reviewer,
        decided=len(decisions),
        accepted=_tally(decisions),
        early=_tally(decisions[:half]),
        late=_tally(decisions[half:]),
        seconds=median(thought) if thought else None,
    )


def _tally(decisions: Sequence[tuple[str, bool]]) -> Tally:
    return Tally(sum(good for _, good in decisions), len(decisions))
