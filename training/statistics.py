"""The statistics behind the verdict: exact tests over paired seeds. Pure numpy; rates are 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

ALPHA = 0.05  # a claim needs p below this
SEEDS_FOR_A_CLAIM = 6  # 2 / 2**5 = 0.0625: with five pairs no outcome is significant
MOST_SEEDS = 16  # 2**16 sign patterns are counted one by one; beyond that the table grows without use
_TOLERANCE = 1e-9  # sums of the same numbers in another order count as equal


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval; `low` and `high` are None where one value gives no spread."""

    mean: float
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean with Student's t interval (n - 1 degrees of freedom).

    Args:
        values: (n,) one value a seed, n >= 1.

    Source: "Student" (W. S. Gosset), The Probable Error of a Mean, Biometrika 6, 1908.
    """
    x = np.asarray(values, dtype=float)
    mean = float(x.mean())
    if x.size < 2:
        return Interval(mean, None, None)
    from scipy.stats import t  # 0.3 s to import, and only needed here

    half = float(t.ppf(0.975, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size))
    return Interval(mean, mean - half, mean + half)


def smallest_p(pairs: int) -> float:
    """The smallest two-sided p that an exact sign-flip test over this many pairs can reach: 2 / 2**pairs."""
    return min(1.0, 2.0 / 2**pairs)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Exact two-sided p of a paired sign-flip (Fisher-Pitman) test that the mean difference is zero.

    Every one of the 2**n sign patterns is counted; p is the share whose |sum| is at least the observed one.

    Args:
        differences: (n,) paired differences, 1 <= n <= 16.

    Source: R. A. Fisher, The Design of Experiments, 1935, section 21; E. J. G. Pitman, Significance Tests
    Which May be Applied to Samples from Any Populations, J. R. Statist. Soc. Suppl. 4, 1937.
    """
    return float(sign_flip_adjusted(np.asarray(differences, dtype=float)[:, None])[0])


def sign_flip_adjusted(differences: ArrayLike) -> NDArray[np.float64]:
    """Exact sign-flip p of several comparisons over the same pairs, corrected for their number (max-T).

    One sign a pair is flipped in all comparisons at once, and each comparison is held against the largest
    statistic of those not yet decided. So the family-wise error is controlled under any dependence, and the
    smallest p within reach stays 2 / 2**n however many comparisons there are, where Holm's correction would
    need eight seeds for five comparisons.
    The statistic is |sum d| / sqrt(sum d²), which orders the sign patterns of one comparison as |t| does.

    Args:
        differences: (n pairs, k comparisons), 1 <= n <= 16.

    Returns:
        (k,) p values, each at least its uncorrected one.

    Source: P. H. Westfall and S. S. Young, Resampling-Based Multiple Testing, 1993, algorithm 2.8; joint sign
    flips: A. M. Winkler et al., Permutation inference for the general linear model, NeuroImage 92, 2014.
    """
    d = np.asarray(differences, dtype=float)
    pairs, comparisons = d.shape
    assert 1 <= pairs <= MOST_SEEDS, f"{pairs} pairs; 1 to {MOST_SEEDS} can be counted exactly"
    norm = np.sqrt((d**2).sum(axis=0))
    scaled = np.divide(d, norm, out=np.zeros_like(d), where=norm > 0)  # (n, k)
    statistics = np.abs(_sign_patterns(pairs) @ scaled)  # (2**n, k); the first row is what was observed
    order = np.argsort(-statistics[0], kind="stable")
    p = np.ones(comparisons)
    reached = 0.0
    for place, comparison in enumerate(order):
        largest = statistics[:, order[place:]].max(axis=1)
        reached = max(reached, float(np.mean(largest >= statistics[0, comparison] - _TOLERANCE)))
        p[comparison] = reached
    return p


def sign_flip_interval(differences: Sequence[float]) -> Interval:
    """Mean of paired differences with the 95 % interval that inverts `sign_flip_p`.

    It holds the values that the exact test does not refuse, so that it leaves out 0 just where p < 0.05: no bell
    curve is assumed. Its ends are order statistics of the means of all subsets of the differences.

    Args:
        differences: (n,) paired differences, 1 <= n <= 16.

    Returns:
        Without ends where fewer than six pairs let the test refuse nothing.

    Source: D. Tritchler, On Inverting Permutation Tests, J. Amer. Statist. Assoc. 79, 1984.
    """
    d = np.asarray(differences, dtype=float)
    least = int(
        np.ceil(ALPHA / 2 * 2**d.size - 1 - _TOLERANCE)
    )  # so many subsets must lie below a value that is kept
    if least < 1:
        return Interval(float(d.mean()), None, None)
    chosen = _sign_patterns(d.size)[1:] < 0  # (2**n - 1, n) every subset but the empty one
    means = np.sort(chosen @ d / chosen.sum(axis=1))
    return Interval(float(d.mean()), float(means[least - 1]), float(means[-least]))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction for several tests, for p values that come from different pairs.

    Source: S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scand. J. Statist. 6, 1979.
    """
    count = len(p_values)
    adjusted = [0.0] * count
    reached = 0.0
    for place, index in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        reached = max(reached, min(1.0, (count - place) * p_values[index]))
        adjusted[index] = reached
    return adjusted


def _sign_patterns(pairs: int) -> NDArray[np.float64]:
    """(2**pairs, pairs) of +1 and -1; the first row is all +1."""
    bits = (np.arange(2**pairs)[:, None] >> np.arange(pairs)[None, :]) & 1
    return 1.0 - 2.0 * bits.astype(np.float64)
