"""How alike the images of one set are, and how that grows. Features are rows of length 1: dot products are cosines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS = 1024  # images compared with all others at once
_SMALLEST_EIGENVALUE = 1e-12  # smaller ones are rounding errors of 0
FEWEST = 8  # images of which a curve says anything
MOST_COMPARED = 512  # images of a curve: beyond them one more point takes seconds
MORE = 100  # images that the stop rule asks about
LEAST_GAIN = 0.01  # of the score by so many images; below it another image is not worth its time


@dataclass(frozen=True, slots=True)
class VarietyPoint:
    """How alike the first images of a set are."""

    count: int  # images
    vendi: float  # effectively different ones among them, 1 to `count`
    mean_cosine: float  # mean similarity of all pairs, -1 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VarietyCurve:
    """How the variety of a set grows with its images."""

    total: int  # images of the set; the curve is of the first `MOST_COMPARED`
    points: tuple[VarietyPoint, ...]  # the number of images grows
    exponent: (
        float  # of the growth where the curve ends: the score grows as the number of images to this power
    )

    @property
    def gain(self) -> float:
        """By which share `MORE` further images would raise the score, 0.01 = 1 %.

        The power law through the score of all images and the mean of its halves. Growth slows down, so that this is
        rather too much than too little.
        """
        return float((1 + MORE / self.total) ** self.exponent - 1)

    @property
    def is_full(self) -> bool:
        """Whether further images from the same recipe add next to nothing."""
        return self.gain < LEAST_GAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVariety:
    """How varied the images of one recipe and method are; each class is measured for itself."""

    recipe: str
    method: str
    images: int  # of all classes, without the rejected ones
    compared: int  # of those that the curves would be drawn of, how many have an embedding
    wanted: int  # those that the curves would be drawn of
    curves: Mapping[str, VarietyCurve]  # class → its curve, of the classes with enough images

    @property
    def points(self) -> tuple[VarietyPoint, ...]:
        """The means over all measured classes, at the numbers of images that all of them have."""
        curves = list(self.curves.values())
        if not curves:
            return ()
        by_count = [{point.count: point for point in curve.points} for curve in curves]
        shared = sorted(set.intersection(*(set(points) for points in by_count)))
        return tuple(
            VarietyPoint(
                count,
                float(np.mean([points[count].vendi for points in by_count])),
                float(np.mean([points[count].mean_cosine for points in by_count])),
            )
            for count in shared
        )

    @property
    def sentence(self) -> str:
        """Say how varied the images are, and whether more of them are worth their time."""
        name = f"{self.recipe}, {self.method}"
        if not self.points:
            return f"{name}: too few compared images of a class to say how varied they are"
        last = self.points[-1]
        return (
            f"{name}: {last.count} images of a class count as {last.vendi:.1f} different ones, mean similarity "
            f"{last.mean_cosine:.2f}; {_outlook(self.curves)}"
        )


def _outlook(curves: Mapping[str, VarietyCurve]) -> str:
    """Say what further images of each class add."""
    full = [label for label in sorted(curves) if curves[label].is_full]
    open_gains = [curve.gain for curve in curves.values() if not curve.is_full]
    parts = []
    if full:
        parts.append(
            f"another {MORE} images of {_listed(full)} add less than {LEAST_GAIN:.0%}: stop, or widen the recipe"
        )
    if open_gains:
        of = "the other classes" if full else "a class"
        low, high = f"{min(open_gains):.0%}", f"{max(open_gains):.0%}"
        parts.append(f"another {MORE} of {of} add {low if low == high else f'{low} to {high}'}")
    return "; ".join(parts)


def _listed(labels: Sequence[str]) -> str:
    named = [f"'{label}'" for label in labels]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


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


def variety_curve(units: NDArray[np.float32], total: int | None = None) -> VarietyCurve | None:
    """Measure the first images of a set, at numbers that double; None where there are fewer than `FEWEST`.

    Args:
        units: (N, D), in the order in which they were planned; those after the first `MOST_COMPARED` do not count.
        total: images of the whole set, where `units` holds only the first.
    """
    rows = units[:MOST_COMPARED]
    if len(rows) < FEWEST:
        return None
    points = tuple(
        VarietyPoint(count, cosine_vendi(rows[:count]), mean_cosine(rows[:count]))
        for count in _counts(len(rows))
    )
    half = len(rows) // 2
    of_halves = (cosine_vendi(rows[:half]) + cosine_vendi(rows[half : 2 * half])) / 2
    growth = math.log(points[-1].vendi / of_halves) / math.log(len(rows) / half)
    return VarietyCurve(
        total=len(units) if total is None else total, points=points, exponent=max(0.0, growth)
    )


def _counts(most: int) -> list[int]:
    """Return `FEWEST`, twice and four times as many and so on, and the most."""
    counts = [FEWEST]
    while 2 * counts[-1] < most:
        counts.append(2 * counts[-1])
    return [*counts, most] if most > counts[-1] else counts
