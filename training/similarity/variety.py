"""How alike the images of one set are. Features are rows of length 1, so that a dot product is a cosine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROWS = 1024  # images compared with all others at once
_SMALLEST_EIGENVALUE = 1e-12  # smaller ones are rounding errors of 0


def mean_cosine(units: NDArray[np.float32]) -> float:
    """Return the mean cosine similarity of all pairs of different images, -1 to 1.

    Computed from the sum of the rows, in O(N D): |Σ x|² = Σ |x|² + the sum over all ordered pairs. Its expectation
    over random subsets does not depend on their size.

    Args:
        units: (N, D) with N of at least 2.
    """
    rows = units.astype(np.float64)
    total = rows.sum(axis=0)
    count = len(rows)
    return float((total @ total - (rows**2).sum()) / (count * (count - 1)))


def cosine_vendi(features: NDArray[np.float32]) -> float:
    """Count the effectively different images, 1 to N: the exponential of the entropy of their cosine kernel.

    The eigenvalues are those of K / N with K = X Xᵀ, or of Xᵀ X / N where that matrix is smaller: the others are 0.
    Compare sets of equal N only: the score grows with N, the more slowly the more alike the images are.

    Args:
        features: (N, D), of any length: the kernel compares their angles.

    Source: D. Friedman and A. B. Dieng, The Vendi Score: A Diversity Evaluation Metric for Machine Learning, TMLR 2023,
    definition 3.1.
    """
    rows = features.astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    count, size = rows.shape
    kernel = rows @ rows.T if count <= size else rows.T @ rows
    eigenvalues = np.linalg.eigvalsh(kernel / count)
    eigenvalues = eigenvalues[eigenvalues > _SMALLEST_EIGENVALUE]
    return float(np.exp(-(eigenvalues * np.log(eigenvalues)).sum()))


def nearest_other(units: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine similarity of each image to the most similar other image of the set.

    Args:
        units: (N, D) with N of at least 2.

    Returns:
        (N,) float32, -1 to 1.
    """
    nearest = np.empty(len(units), np.float32)
    for start in range(0, len(units), _ROWS):
        cosines = units[start : start + _ROWS] @ units.T  # (R, N)
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -np.inf
        nearest[start : start + _ROWS] = cosines.max(axis=1)
    return nearest
