"""How a factor of the test photos goes with their errors, within classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

PERMUTATIONS = 9999
_TOLERANCE = 1e-9  # sums of the same numbers in another order count as equal

Rows = NDArray[np.float64]  # (N,)


def relative_ranks(values: Rows, labels: NDArray[np.int64]) -> Rows:
    """Rank values within their class, from 0 for the lowest to 1 for the highest; ties share their mean rank.

    Args:
        values: (N,).
        labels: (N,) class of each.

    Returns:
        (N,): (rank - 0.5) / size of the class.
    """
    ranks = np.empty(len(values))
    for members in _classes(labels):
        ranks[members] = (rankdata(values[members]) - 0.5) / len(members)
    return ranks


def rank_correlation(values: Rows, errors: Rows, labels: NDArray[np.int64]) -> float:
    """Return Spearman's rank correlation of values and errors within classes, -1 to 1; 0 where either is constant.

    Ranks are taken within each class and centred there, then pooled: a class whose photos are all hard, and all dark,
    does not count as darkness making photos hard.
    """
    x, y = (_centred(column, labels) for column in (values, errors))
    norm = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / norm if norm > _TOLERANCE else 0.0


def permutation_p(
    values: Rows,
    errors: Rows,
    labels: NDArray[np.int64],
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> float:
    """Return the two-sided p of `rank_correlation` when the errors are permuted within classes.

    Returns:
        (1 + the permutations whose |correlation| is at least the observed one) / (1 + permutations).
    """
    x, y = (_centred(column, labels) for column in (values, errors))
    random = np.random.default_rng(seed)
    sums = np.zeros(permutations)
    for members in _classes(labels):
        shuffled = random.permuted(np.broadcast_to(y[members], (permutations, len(members))), axis=1)
        sums += shuffled @ x[members]
    return float((1 + (np.abs(sums) >= abs(x @ y) - _TOLERANCE).sum()) / (1 + permutations))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number, step by step from the smallest.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6, 1979.
    """
    corrected, largest = [1.0] * len(p_values), 0.0
    for position, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - position) * p_values[place]))
        corrected[place] = largest
    return corrected


def _centred(values: Rows, labels: NDArray[np.int64]) -> Rows:
    """Ranks within classes around 0."""
    return relative_ranks(values, labels) - 0.5


def _classes(labels: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Positions of the members of each class."""
    for label in np.unique(labels):
        yield np.flatnonzero(labels == label)
