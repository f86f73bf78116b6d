"""Rates from a confusion matrix. Pure numpy; rates are 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def accuracy(confusion: ArrayLike) -> float:
    """Compute the share of images classified correctly. `confusion` is (C, C) counts, rows true, columns predicted."""
    counts = np.asarray(confusion, dtype=float)
    return float(np.trace(counts) / counts.sum())


def recall_per_class(confusion: ArrayLike, classes: Sequence[str]) -> dict[str, float]:
    """Compute the recall of each class; classes without test images are left out."""
    counts = np.asarray(confusion, dtype=float)
    totals = counts.sum(axis=1)
    return {name: float(counts[i, i] / totals[i]) for i, name in enumerate(classes) if totals[i]}


def balanced_accuracy(confusion: ArrayLike) -> float:
    """Compute the mean recall of the tested classes: each weighs the same, however many images it has."""
    counts = np.asarray(confusion, dtype=float)
    totals = counts.sum(axis=1)
    tested = totals > 0
    return float((np.diag(counts)[tested] / totals[tested]).mean())
