"""Rates from a confusion matrix. Pure numpy; rates are 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def accuracy(confusion: ArrayLike) -> float:
    """Share of all pictures answered rightly. `confusion` is (C, C) counts, rows true, columns answered."""
    counts = np.asarray(confusion, dtype=float)
    return float(np.trace(counts) / counts.sum())


def per_class(confusion: ArrayLike, classes: Sequence[str]) -> dict[str, float]:
    """Share of each class answered rightly (its recall); classes without a test picture are left out."""
    counts = np.asarray(confusion, dtype=float)
    totals = counts.sum(axis=1)
    return {name: float(counts[i, i] / totals[i]) for i, name in enumerate(classes) if totals[i]}


def balanced_accuracy(confusion: ArrayLike) -> float:
    """Mean of the classes' recalls: every class weighs the same, however many pictures it has."""
    counts = np.asarray(confusion, dtype=float)
    totals = counts.sum(axis=1)
    seen = totals > 0
    return float((np.diag(counts)[seen] / totals[seen]).mean())
