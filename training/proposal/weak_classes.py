"""Which classes an arm recognises less often than the others, how certain that is, and their share of new images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from training.study.statistics import ALPHA

_LEAST_TRUST = (
    0.5  # in a measured difference: more images of a class that needs none cost time, and no accuracy
)
_Z = float(norm.ppf(1 - ALPHA / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRecall:
    """How often the test photos of a class are recognised. Rates are 0 to 1."""

    name: str
    recall: float  # mean over the seeds
    error: float  # standard error over the training draws or seeds and over other test photos

    @property
    def low(self) -> float:
        """Return the lower end of the 95 % interval."""
        return max(0.0, self.recall - _Z * self.error)

    @property
    def high(self) -> float:
        """Return the upper end of the 95 % interval."""
        return min(1.0, self.recall + _Z * self.error)


def class_recalls(
    of_seeds: Sequence[Mapping[str, float]], test_counts: Mapping[str, int], *, resampled: bool
) -> list[ClassRecall]:
    """Summarise the recall of each class over the seeds, the least recognised class first.

    The variance over the seeds and the binomial one over the test photos (of the rate with two photos more of either
    outcome, Agresti and Coull 1998) add up.

    Args:
        of_seeds: class → recall, of each seed, at least one; classes without test photos are left out.
        test_counts: class → test photos.
        resampled: whether each seed trained on another draw of the training photos; see `Uncertainty.of`.
    """
    recalls = []
    for name in of_seeds[0]:
        values, photos = np.array([of_seed[name] for of_seed in of_seeds]), test_counts[name]
        over_seeds = float(values.var(ddof=1)) if len(values) > 1 else 0.0
        rate = (float(values.mean()) * photos + 2) / (photos + 4)
        variance = (over_seeds if resampled else over_seeds / len(values)) + rate * (1 - rate) / (photos + 4)
        recalls.append(ClassRecall(name=name, recall=float(values.mean()), error=float(np.sqrt(variance))))
    return sorted(recalls, key=lambda of_class: (of_class.recall, of_class.name))


def weak_ones(recalls: Sequence[ClassRecall]) -> list[ClassRecall]:
    """Return the classes whose 95 % interval lies below the mean recall of all classes."""
    mean = float(np.mean([of_class.recall for of_class in recalls]))
    return [of_class for of_class in recalls if of_class.high < mean]


def shares(recalls: Sequence[ClassRecall]) -> dict[str, float]:
    """Return the share of new images of each class: in proportion to its missed photos, drawn towards the mean.

    A difference from the mean counts for half to the whole, the more certain the more (empirical Bayes with the moment
    estimate of the variance between classes, C. N. Morris 1983; bounded below, since few classes estimate it badly).

    Returns:
        Class → share; they add up to 1. All are equal where no photo is missed.
    """
    missed = np.array([1 - of_class.recall for of_class in recalls])
    noise = np.array([of_class.error**2 for of_class in recalls])
    between = max(0.0, float(missed.var(ddof=1)) - float(noise.mean())) if len(missed) > 1 else 0.0
    certain = between / (between + noise) if between else np.zeros(len(missed))
    trust = np.maximum(certain, _LEAST_TRUST)
    drawn = missed.mean() + trust * (missed - missed.mean())
    weights = drawn / drawn.sum() if drawn.sum() > 0 else np.full(len(missed), 1 / len(missed))
    return {of_class.name: float(weight) for of_class, weight in zip(recalls, weights, strict=True)}
