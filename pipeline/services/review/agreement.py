"""How far reviewers agree, from their standing votes."""

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
    """Two reviewers on the samples that both voted on."""

    first: str
    second: str
    shared: int
    agreed: int
    kappa: float | None  # Cohen's; None where chance alone would always agree


def by_sample(votes: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """(sample, reviewer, verdict) rows as sample → reviewer → verdict."""
    grouped: dict[str, dict[str, str]] = defaultdict(dict)
    for sample_id, reviewer, verdict in votes:
        grouped[sample_id][reviewer] = verdict
    return dict(grouped)


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Agreement of two raters beyond chance (Cohen 1960); None without pairs, or where all verdicts are alike."""
    if len({verdict for pair in pairs for verdict in pair}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score  # here: it takes a second to import

    first, second = zip(*pairs, strict=True)
    return float(cohen_kappa_score(first, second))


def krippendorffs_alpha(votes: Votes) -> float | None:
    """Agreement of any number of raters with gaps (Krippendorff 2011, nominal data).

    None where no sample has two votes, or where all votes are alike.
    """
    units = [Counter(ratings.values()) for ratings in votes.values() if len(ratings) > 1]
    values = sorted({value for unit in units for value in unit})
    if len(values) < 2:
        return None
    counts = np.array([[unit[value] for value in values] for unit in units])
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def pairs_of(votes: Votes) -> list[Pair]:
    """All pairs of reviewers who share samples, most shared first."""
    shared: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for ratings in votes.values():
        for first, second in combinations(sorted(ratings), 2):
            shared[first, second].append((ratings[first], ratings[second]))
    pairs = [
        Pair(first, second, len(rows), sum(mine == other for mine, other in rows), cohens_kappa(rows))
        for (first, second), rows in shared.items()
    ]
    return sorted(pairs, key=lambda pair: (-pair.shared, pair.first, pair.second))
