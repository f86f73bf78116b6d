"""The agreement of reviewers, from their standing votes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import krippendorff
import numpy as np

Votes = Mapping[str, Mapping[str, str]]  # sample → reviewer → verdict


@dataclass(frozen=True, slots=True)
class Pair:
    """The agreement of two reviewers on the samples that both voted on."""

    first: str
    second: str
    shared: int
    agreed: int
    kappa: float | None  # Cohen's; None if all verdicts are alike


def by_sample(votes: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """Group rows (sample, reviewer, verdict) as sample → reviewer → verdict."""
    grouped: dict[str, dict[str, str]] = defaultdict(dict)
    for sample_id, reviewer, verdict in votes:
        grouped[sample_id][reviewer] = verdict
    return dict(grouped)


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return the agreement of two raters beyond chance (Cohen 1960); None if there are no pairs or all are alike."""
    if len({verdict for pair in pairs for verdict in pair}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score  # imported here, since it takes a second

    first, second = zip(*pairs, strict=True)
    return float(cohen_kappa_score(first, second))


def krippendorffs_alpha(votes: Votes) -> float | None:
    """Return the agreement of any number of raters with missing votes (Krippendorff 2011, nominal data).

    None if no sample has two votes, or if all votes are alike.
    """
    units = [Counter(ratings.values()) for ratings in votes.values() if len(ratings) > 1]
    values = sorted({value for unit in units for value in unit})
    if len(values) < 2:
        return None
    counts = np.array([[unit[value] for value in values] for unit in units])
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def pairs_of(votes: Votes) -> list[Pair]:
    """Return all pairs of reviewers who share samples, most shared first."""
    shared: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for ratings in votes.values():
        for first, second in combinations(sorted(ratings), 2):
            shared[first, second].append((ratings[first], ratings[second]))
    pairs = [
        Pair(
            first,
            second,
            len(rows),
            sum(verdict == other_verdict for verdict, other_verdict in rows),
            cohens_kappa(rows),
        )
        for (first, second), rows in shared.items()
    ]
    return sorted(pairs, key=lambda pair: (-pair.shared, pair.first, pair.second))
