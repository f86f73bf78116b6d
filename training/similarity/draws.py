"""Random sets of n images with equally many of every class, and what their values say of the group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.similarity.result import Band

DRAWS = 20
_PERCENTILES = (2.5, 97.5)


def balanced_size(labels: NDArray[np.int64]) -> int:
    """Return how many images the largest set with equally many of every class has."""
    counts = np.unique(labels, return_counts=True)[1]
    return int(counts.min() * len(counts)) if len(counts) else 0


def balanced_draw(labels: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw different images, equally many of every class; what is left over goes to classes chosen at random.

    Args:
        labels: (N,).
        count: at most `balanced_size(labels)`.

    Returns:
        (count,) positions.
    """
    classes = rng.permutation(np.unique(labels))
    share, left_over = divmod(count, len(classes))
    quotas = [share + (place < left_over) for place in range(len(classes))]
    drawn = [
        rng.choice(np.flatnonzero(labels == label), quota, replace=False)
        for label, quota in zip(classes, quotas, strict=True)
    ]
    return np.concatenate(drawn)


def widened(values: NDArray[np.float64], *, overlap: float) -> NDArray[np.float64]:
    """Spread values of sets that share images as far as those of separate sets would spread.

    A mean over n of N images, drawn without replacement, varies by √(1 - n / N) less than one over n new images: the
    finite population correction (W. G. Cochran, Sampling Techniques, 1977, section 2.6), exact for means and
    approximate for the other measures.

    Args:
        values: (draws,).
        overlap: n / N, at least 0 and below 1.
    """
    mean = values.mean()
    return np.asarray(mean + (values - mean) / np.sqrt(1 - overlap))


def band(values: NDArray[np.float64]) -> Band:
    """Return the mean of values, and the range that holds 95 % of them."""
    low, high = np.percentile(values, _PERCENTILES)
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def difference_band(first: NDArray[np.float64], second: NDArray[np.float64]) -> Band:
    """Return the mean of `first` minus `second`, and the range of 95 % of all pairs of their draws.

    Args:
        first, second: (draws,) values of sets that were drawn independently.
    """
    return band((first[:, None] - second[None, :]).ravel())


def bootstrap_band(values: NDArray[np.float64], *, draws: int = 1000) -> Band:
    """Return the mean of values with its 95 % bootstrap interval (percentiles).

    Args:
        values: (N,) independent values, N of at least 1.
    """
    chosen = np.random.default_rng(0).integers(0, len(values), (draws, len(values)))
    drawn = band(values[chosen].mean(axis=1))
    return {"mean": float(values.mean()), "low": drawn["low"], "high": drawn["high"]}
