"""Which images of a set add least to it. Features are rows of length 1: dot products are cosines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.variety import nearest_other

_SMALLEST_EIGENVALUE = 1e-12  # smaller ones are rounding errors of 0
_STEPS = 8  # in which images are left out; each is judged by those that are still there
_ROWS = 1024  # images compared with all others at once


def surprise(units: NDArray[np.float32], moment: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Tell how unlike the others of a set each image is.

    -xᵀ log(ρ) x with ρ = Σ x xᵀ / N. Its mean is the logarithm of the cosine-Vendi score. Where one of many images is
    left out, that logarithm changes by (log score - surprise of the image) / (N - 1), to first order: it rises for
    images of less surprise than the mean, and most for the one of the least.

    Args:
        units: (N, D) with N of at least 1.
        moment: Σ x xᵀ, (D, D), where it is known.

    Returns:
        (N,) float64, at least 0 up to rounding.
    """
    count, size = units.shape
    if count <= size:
        rows = units.astype(np.float64)
        values, vectors = np.linalg.eigh(rows @ rows.T / count)
        weights = count * vectors**2 * np.maximum(values, 0.0)  # (N, N): (x · v)², v an eigenvector of ρ
    else:
        values, vectors = np.linalg.eigh((_moment(units) if moment is None else moment) / count)
        weights = np.square(units @ vectors.astype(np.float32))  # (N, D)
    logs = np.log(np.maximum(values, _SMALLEST_EIGENVALUE))
    logs[values <= _SMALLEST_EIGENVALUE] = 0.0
    return np.asarray(-weights @ logs)


def _moment(units: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return Σ x xᵀ, (D, D)."""
    rows = units.astype(np.float64)
    return rows.T @ rows


def least_novel(
    units: NDArray[np.float32], count: int, *, free: NDArray[np.bool_], first: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Choose images to leave out, so that the cosine-Vendi score of the others is large.

    In a few steps the images of least `surprise` among those still there are left out, those that go first before all
    others: a greedy choice, not the best.

    Args:
        units: (N, D).
        count: how many.
        free: (N,) bool; whether an image may be left out.
        first: (N,) bool; those that go before all others, where they are free.

    Returns:
        At most (count,) positions.
    """
    left_out = np.zeros(0, np.int64)
    kept = np.arange(len(units))
    moment = _moment(units) if len(units) > units.shape[1] else None  # of those that are still there
    for step in range(_STEPS):
        number = count * (step + 1) // _STEPS - count * step // _STEPS
        candidates = np.flatnonzero(free[kept])
        if number and len(candidates):
            novelty = surprise(units[kept], moment)[candidates]
            chosen = candidates[np.lexsort((novelty, ~first[kept[candidates]]))[:number]]
            if moment is not None:
                moment -= _moment(units[kept[chosen]])
            left_out = np.concatenate([left_out, kept[chosen]])
            kept = np.delete(kept, chosen)
    return left_out


def repeats(
    units: NDArray[np.float32], labels: NDArray[np.int64], limits: NDArray[np.float32], across: float
) -> NDArray[np.bool_]:
    """Tell which images of a set are too near to one before them that is not too near itself.

    Args:
        units: (N, D), in order.
        labels: (N,) class of each.
        limits: for each class, the cosine similarity from which two of its images are too near.
        across: the same for images of different classes.

    Returns:
        (N,) bool.
    """
    too_near = np.zeros(len(units), np.bool_)
    for start in range(0, len(units), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(units)))
        for column in range(0, start + 1, _ROWS):
            earlier = np.arange(column, min(column + _ROWS, start))
            earlier = earlier[~too_near[earlier]]
            too_near[rows] |= _near(units, labels, limits, across, rows, earlier).any(axis=1)
        near = _near(units, labels, limits, across, rows, rows)
        for place, row in enumerate(rows):
            if not too_near[row]:
                too_near[row + 1 : rows[-1] + 1] |= near[place, place + 1 :]
    return too_near


def _near(
    units: NDArray[np.float32],
    labels: NDArray[np.int64],
    limits: NDArray[np.float32],
    across: float,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Compare some images with others; (rows, columns) bool."""
    same = labels[rows][:, None] == labels[columns]
    least = np.where(same, limits[labels[rows]][:, None], np.float32(across))
    return np.asarray(units[rows] @ units[columns].T >= least)


def nearness_limit(photos: NDArray[np.float32], most: float) -> float:
    """Return the cosine similarity from which two images of a class are nearer than its photos usually are.

    The median, over the photos, of the similarity to the most similar other photo, at most `most`.

    Args:
        photos: (N, D) units, N of at least 2.
        most: similarity of near-duplicates, which are too near in any case.
    """
    return min(most, float(np.median(nearest_other(photos))))
