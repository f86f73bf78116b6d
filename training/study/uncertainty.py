"""How far differences between arms may lie from what other seeds and other test photos would give. Rates are 0 to 1.

The exact sign-flip tests of `statistics` ask whether the seeds agree. They cannot know that another set of test
photos, or
of training photos, would give another difference. So the variance of a difference has two parts that add up (runs and
test photos are crossed: every run is tested on every photo): one estimated from the seeds, one by drawing test photos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multivariate_t, t

from training.study.statistics import ALPHA, Interval

_DRAWS = 2_000  # of test photos
_DRAWS_AT_ONCE = 100
_JOINT_DRAWS = 50_000  # of the largest statistic of several comparisons
_CURVE_DRAWS = 4_000  # of the mean accuracies of all arms
_SEED = 20

Pair = tuple[str, str]  # an arm and the one it is compared with, by the keys of `Uncertainty.of`
Key = TypeVar("Key", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPhotos:
    """The test photos, N of them."""

    __test__ = False  # not a test of pytest

    labels: NDArray[np.int64]  # (N,) class of each
    groups: NDArray[np.int64]  # (N,) photos of one group show one object and are drawn together


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """Covariances of the mean balanced accuracies of K arms."""

    arms: tuple[str, ...]
    from_runs: NDArray[np.float64]  # (K, K) over repetitions of the training
    from_photos: NDArray[np.float64]  # (K, K) over other test photos
    run_freedom: int  # degrees of freedom of `from_runs`
    photo_freedom: int  # of `from_photos`

    @classmethod
    def of(
        cls, correct: Mapping[Key, NDArray[np.bool_]], photos: TestPhotos, *, resampled: bool
    ) -> Uncertainty:
        """Estimate both parts.

        Args:
            correct: arm → (S, N) whether the run of a seed classifies a photo correctly; S at least 2.
            resampled: whether every seed trained on a bootstrap draw of the training images. Then the spread of the
            seeds is
                that of other training sets, which no number of seeds reduces; else it is that of training again, and
                the mean over S seeds has a share 1 / S of it.
        """
        stacked = np.stack([np.asarray(of_arm, float) for of_arm in correct.values()])  # (K, S, N)
        seeds = stacked.shape[1]
        scores = _balanced(stacked, np.ones(len(photos.labels)), photos.labels)  # (K, S)
        from_runs = np.atleast_2d(np.cov(scores)) / (1 if resampled else seeds)
        return cls(
            arms=tuple(correct),
            from_runs=from_runs,
            from_photos=_photo_covariance(stacked.mean(axis=1), photos),
            run_freedom=seeds - 1,
            photo_freedom=max(1, len(np.unique(photos.groups)) - len(np.unique(photos.labels))),
        )

    def interval(self, pair: Pair, mean: float, *, confidence: float = 1 - ALPHA) -> Interval:
        """Return the interval of a difference whose mean over the seeds is `mean`."""
        variance, freedom = self._spread(pair)
        half_width = float(t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance))
        return Interval(mean, mean - half_width, mean + half_width)

    def adjusted_p(self, pairs: Sequence[Pair], means: Sequence[float]) -> NDArray[np.float64]:
        """Compute two-sided p values of differences, corrected for their number (step-down max-T).

        The statistics have a multivariate t distribution with the correlations of the differences, and the smallest
        of their degrees of freedom; its largest values are found by simulation, with a fixed seed.

        Args:
            pairs: k comparisons.
            means: their mean differences.

        Returns:
            (k,) p values, at least 1 / 50,000.

        Source: T. Hothorn, F. Bretz and P. Westfall, Simultaneous inference in general parametric models, 2008,
        section 3.
        """
        contrasts = self._contrasts(pairs)
        covariance = contrasts @ (self.from_runs + self.from_photos) @ contrasts.T
        deviation = np.sqrt(np.diag(covariance))
        observed = np.abs(
            np.divide(
                means, deviation, out=np.where(np.asarray(means) == 0, 0.0, np.inf), where=deviation > 0
            )
        )
        scale = np.where(deviation > 0, deviation, 1.0)
        correlation = covariance / np.outer(scale, scale)
        np.fill_diagonal(correlation, 1.0)
        drawn = np.abs(
            multivariate_t.rvs(
                shape=correlation,
                df=min(self._spread(pair)[1] for pair in pairs),
                size=_JOINT_DRAWS,
                random_state=_SEED,
            )
        ).reshape(_JOINT_DRAWS, len(pairs))
        return _step_down(observed, drawn)

    def drawn_means(self, means: Sequence[float]) -> NDArray[np.float64]:
        """Draw mean balanced accuracies that other seeds and other test photos might give, all arms together.

        They have a multivariate t distribution with both covariances and the smallest degrees of freedom of the arms;
        the seed is fixed.

        Args:
            means: (K,) observed means, 0 to 1, in the order of `arms`.

        Returns:
            (D, K) draws, 0 to 1.
        """
        runs, photos = np.diag(self.from_runs), np.diag(self.from_photos)
        parts = runs**2 / self.run_freedom + photos**2 / self.photo_freedom
        varies = parts > 0
        freedom = ((runs + photos)[varies] ** 2 / parts[varies]).min() if varies.any() else self.run_freedom
        random = np.random.default_rng(_SEED)
        normal = random.multivariate_normal(
            np.zeros(len(means)), self.from_runs + self.from_photos, _CURVE_DRAWS, method="eigh"
        )
        scale = np.sqrt(freedom / random.chisquare(freedom, _CURVE_DRAWS))
        return np.clip(np.asarray(means) + normal * scale[:, None], 0.0, 1.0)

    def _spread(self, pair: Pair) -> tuple[float, float]:
        """Variance of a difference and its degrees of freedom (F. E. Satterthwaite, 1946)."""
        contrast = self._contrasts([pair])[0]
        runs, photos = contrast @ self.from_runs @ contrast, contrast @ self.from_photos @ contrast
        total = float(runs + photos)
        if total <= 0:
            return 0.0, float(self.run_freedom)
        return total, total**2 / float(runs**2 / self.run_freedom + photos**2 / self.photo_freedom)

    def _contrasts(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """(k, K): +1 for the arm, -1 for the other."""
        place = {arm: position for position, arm in enumerate(self.arms)}
        contrasts = np.zeros((len(pairs), len(self.arms)))
        for row, (arm, other) in enumerate(pairs):
            contrasts[row, place[arm]] += 1
            contrasts[row, place[other]] -= 1
        return contrasts


def _photo_covariance(correct: NDArray[np.float64], photos: TestPhotos) -> NDArray[np.float64]:
    """Covariance of the balanced accuracies of arms over draws of test photos, group by group within each class.

    Args:
        correct: (K, N) share of the seeds that classify a photo correctly.
    """
    random = np.random.default_rng(_SEED)
    strata = [np.unique(photos.groups[photos.labels == label]) for label in np.unique(photos.labels)]
    drawn_scores = []
    for _ in range(_DRAWS // _DRAWS_AT_ONCE):
        times = np.zeros((_DRAWS_AT_ONCE, int(photos.groups.max()) + 1))
        for groups in strata:
            drawn = random.integers(0, len(groups), (_DRAWS_AT_ONCE, len(groups)))
            for row, places in enumerate(drawn):
                times[row] += np.bincount(groups[places], minlength=times.shape[1])
        drawn_scores += [
            _balanced(correct, times[row][photos.groups], photos.labels) for row in range(_DRAWS_AT_ONCE)
        ]
    return np.atleast_2d(np.cov(np.array(drawn_scores), rowvar=False))


def _balanced(
    correct: NDArray[np.float64], weights: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean over the classes of the weighted share of correct answers.

    Args:
        correct: (..., N).
        weights: (N,) how often each photo counts.
        labels: (N,).

    Returns:
        (...) rates.
    """
    recalls = [
        correct[..., labels == label] @ weights[labels == label] / max(weights[labels == label].sum(), 1e-12)
        for label in np.unique(labels)
    ]
    return np.asarray(np.mean(recalls, axis=0), float)


def _step_down(observed: NDArray[np.float64], drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare each statistic with the largest of those that are not yet decided; (k,) p values."""
    order = np.argsort(-observed, kind="stable")
    p = np.ones(len(observed))
    largest_p = 0.0
    for position, comparison in enumerate(order):
        exceeded = drawn[:, order[position:]].max(axis=1) >= observed[comparison]
        largest_p = max(largest_p, (1 + float(exceeded.sum())) / (1 + len(drawn)))
        p[comparison] = largest_p
    return p
