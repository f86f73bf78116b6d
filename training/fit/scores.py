"""Measures of a classifier on test photos, from its confusion matrix or its probabilities. Rates are 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray


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


class Measures(TypedDict):
    """What a study reports beside balanced accuracy."""

    macro_f1: float
    worst_class: float  # recall of the tested class with the lowest
    ece: float  # expected calibration error
    brier: float  # 0 to 2
    nll: float  # nats a photo


def measures(probabilities: NDArray[np.float32], labels: NDArray[np.int64], confusion: ArrayLike) -> Measures:
    """Compute all measures of one run.

    Args:
        probabilities: (N, C).
        labels: (N,) true classes.
        confusion: (C, C) counts, rows true, columns predicted.
    """
    return {
        "macro_f1": macro_f1(confusion),
        "worst_class": _worst_class(confusion),
        "ece": expected_calibration_error(probabilities, labels),
        "brier": brier_score(probabilities, labels),
        "nll": negative_log_likelihood(probabilities, labels),
    }


def macro_f1(confusion: ArrayLike) -> float:
    """Compute the mean over the tested classes of F1 = 2 TP / (2 TP + FP + FN)."""
    counts = np.asarray(confusion, dtype=float)
    both = counts.sum(axis=1) + counts.sum(axis=0)
    tested = counts.sum(axis=1) > 0
    return float((2 * np.diag(counts)[tested] / both[tested]).mean())


def expected_calibration_error(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], *, bins: int = 15
) -> float:
    """Compute the mean gap between confidence and accuracy over equal bins of confidence, weighted by their photos.

    Source: C. Guo et al., On calibration of modern neural networks, 2017, equation 3.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def brier_score(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Compute the mean squared distance of the probabilities from the true class, 0 to 2 (G. W. Brier, 1950)."""
    truth = np.eye(probabilities.shape[1])[labels]
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def negative_log_likelihood(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Compute the mean of -log p(true class), in nats; probabilities count as at least 1e-6."""
    of_truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(of_truth, 1e-6)).mean())


def _worst_class(confusion: ArrayLike) -> float:
    counts = np.asarray(confusion, dtype=float)
    totals = counts.sum(axis=1)
    return float((np.diag(counts)[totals > 0] / totals[totals > 0]).min())
