"""The statistics behind the verdict: exact tests over paired seeds. Rates are 0 to 1.

SciPy has the sign-flip test of one comparison (`permutation_test`, against which the tests hold `sign_flip_p`), but
neither the max-T correction over joint sign flips nor the interval that inverts the test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau, sem, t

from pipeline.domain.studies import MAX_SEEDS

ALPHA = 0.05  # a claim needs p below this
_TOLERANCE = 1e-9  # sums of the same numbers in another order count as equal


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval; `low` and `high` are None where the values give none."""

    mean: float
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float]) -> Interval:
    """Compute the mean with Student's t interval (n - 1 degrees of freedom).

    Args:
        values: (n,) one value per seed, n >= 1.
    """
    x = np.asarray(values, dtype=float)
    mean = float(x.mean())
    if x.size < 2:
        return Interval(mean, None, None)
    half_width = float(t.ppf(1 - ALPHA / 2, x.size - 1) * sem(x))
    return Interval(mean, mean - half_width, mean + half_width)


def smallest_p(pairs: int) -> float:
    """Compute the smallest two-sided p that an exact sign-flip test over n pairs can reach: 2 / 2**n."""
    return min(1.0, 2.0 / float(2**pairs))


def sign_flip_p(differences: Sequence[float]) -> float:
    """Compute the exact two-sided p of a paired sign-flip (Fisher-Pitman) test that the mean difference is zero.

    All 2**n sign patterns are counted; p is the share whose |sum| is at least the observed one.

    Args:
        differences: (n,) paired differences, 1 <= n <= 16.

    Source: R. A. Fisher, The Design of Experiments, 1935, section 21; E. J. G. Pitman, Significance Tests
    Which May be Applied to Samples from Any Populations, J. R. Statist. Soc. Suppl. 4, 1937.
    """
    return float(sign_flip_adjusted(np.array(differences, dtype=float)[:, None])[0])


def sign_flip_adjusted(differences: ArrayLike) -> NDArray[np.float64]:
    """Compute exact sign-flip p values of several comparisons over the same pairs, corrected for their number (max-T).

    The sign of a pair is flipped in all comparisons at once, and each comparison is tested against the largest
    statistic of those that are not yet decided (step-down). So the family-wise error is controlled under any
    dependence, and the smallest possible p stays 2 / 2**n however many comparisons there are. The statistic is
    |sum d| / sqrt(sum d²), which orders the sign patterns of one comparison as |t| does.

    Args:
        differences: (n pairs, k comparisons), 1 <= n <= 16.

    Returns:
        (k,) p values, each at least its uncorrected one.

    Source: P. H. Westfall and S. S. Young, Resampling-Based Multiple Testing, 1993, algorithm 2.8; joint sign
    flips: A. M. Winkler et al., Permutation inference for the general linear model, NeuroImage 92, 2014.
    """
    d = np.asarray(differences, dtype=float)
    pairs, comparisons = d.shape
    assert 1 <= pairs <= MAX_SEEDS, f"{pairs} pairs; 1 to {MAX_SEEDS} can be counted exactly"
    norm = np.sqrt((d**2).sum(axis=0))
    scaled = np.divide(d, norm, out=np.zeros_like(d), where=norm > 0)  # (n, k)
    statistics = np.abs(_sign_patterns(pairs) @ scaled)  # (2**n, k); the first row is what was observed
    order = np.argsort(-statistics[0], kind="stable")
    p = np.ones(comparisons)
    largest_p = 0.0
    for position, comparison in enumerate(order):
        largest = statistics[:, order[position:]].max(axis=1)
        largest_p = max(largest_p, float(np.mean(largest >= statistics[0, comparison] - _TOLERANCE)))
        p[comparison] = largest_p
    return p


def sign_flip_interval(differences: Sequence[float]) -> Interval:
    """Compute the mean of paired differences with the 95 % interval that inverts `sign_flip_p`.

    The interval holds the values that the exact test does not reject, so it leaves out 0 exactly where p < 0.05; no
    normal distribution is assumed. Its ends are order statistics of the means of all subsets of the differences.

    Args:
        differences: (n,) paired differences, 1 <= n <= 16.

    Returns:
        Without ends where fewer than six pairs let the test reject nothing.

    Source: D. Tritchler, On Inverting Permutation Tests, J. Amer. Statist. Assoc. 79, 1984.
    """
    d = np.asarray(differences, dtype=float)
    rank = int(
        np.ceil(ALPHA / 2 * 2**d.size - 1 - _TOLERANCE)
    )  # so many subset means lie outside on each side
    if rank < 1:
        return Interval(float(d.mean()), None, None)
    subsets = _sign_patterns(d.size)[1:] < 0  # (2**n - 1, n) every subset but the empty one
    means = np.sort(subsets @ d / subsets.sum(axis=1))
    return Interval(float(d.mean()), float(means[rank - 1]), float(means[-rank]))


def order_agreement(means: Sequence[float], others: Sequence[float]) -> float | None:
    """Compute how far two lists of means put the same arms in one order: Kendall's tau-b, -1 to 1, 3 decimals.

    Args:
        means: (n,) of the arms.
        others: (n,) of the same arms, in the same place.

    Returns:
        None where there is no order: fewer than two arms, or all means of one list equal.
    """
    tau = float(kendalltau(means, others).statistic) if len(means) > 1 else float("nan")
    return None if np.isnan(tau) else round(tau, 3)


def _sign_patterns(pairs: int) -> NDArray[np.float64]:
    """List all (2**pairs, pairs) patterns of +1 and -1; the first row is all +1."""
    bits = (np.arange(2**pairs)[:, None] >> np.arange(pairs)[None, :]) & 1
    return 1.0 - 2.0 * bits.astype(np.float64)
