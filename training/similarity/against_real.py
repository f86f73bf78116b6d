"""How alike a set of images and real photos are. Features are rows of length 1, so that a dot product is a cosine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 5  # k of density and coverage


@dataclass(frozen=True, slots=True)
class Manifold:
    """Photos, each with the ball around it that reaches to its k-th nearest other photo.

    `units` is (M, D); `radii` (M,) are cosine similarities: what is more similar than that lies inside the ball. On
    rows of length 1 the Euclidean distance falls with the cosine, so that the balls are those of the source.
    """

    units: NDArray[np.float32]
    radii: NDArray[np.float32]


def manifold(units: NDArray[np.float32], *, neighbours: int = NEIGHBOURS) -> Manifold:
    """Measure the ball of each photo.

    Args:
        units: (M, D) with M greater than `neighbours`.
    """
    assert len(units) > neighbours
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    return Manifold(units, np.partition(cosines, -neighbours, axis=1)[:, -neighbours])


def density_and_coverage(
    units: NDArray[np.float32], photos: Manifold, *, neighbours: int = NEIGHBOURS
) -> tuple[float, float]:
    """Measure how densely a set lies where the photos lie, and how many of the photos it covers.

    Args:
        units: (N, D).
        photos: with M balls of k = `neighbours`.

    Returns:
        density, at least 0: the number of balls that an image lies in, on average, divided by k. About 1 where the
            set is distributed as the photos are, more where it crowds around few of them.
        coverage, 0 to 1: the share of the balls with at least one image inside. It grows with N.

    Source: M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi and J. Yoo, Reliable Fidelity and Diversity Metrics for Generative
    Models, ICML 2020, equations 3 and 4.
    """
    inside = units @ photos.units.T > photos.radii  # (N, M)
    return float(inside.sum() / (neighbours * len(units))), float(inside.any(axis=0).mean())


def kernel_distance(units: NDArray[np.float32], photos: NDArray[np.float32]) -> float:
    """Estimate the kernel inception distance without bias; about 0, or slightly below, for sets of one distribution.

    The squared maximum mean discrepancy with the kernel (x·y / D + 1)³. Rows are scaled to length √D, the scale that
    the kernel is made for, so that it is (cosine + 1)³.

    Args:
        units: (N, D) with N of at least 2.
        photos: (M, D) with M of at least 2.

    Source: M. Bińkowski, D. J. Sutherland, M. Arbel and A. Gretton, Demystifying MMD GANs, ICLR 2018, section 4;
    A. Gretton et al., A Kernel Two-Sample Test, JMLR 13, 2012, equation 3.
    """
    across = _cubic_kernel(units, photos).mean()
    return float(_mean_of_pairs(units) + _mean_of_pairs(photos) - 2 * across)


def _mean_of_pairs(units: NDArray[np.float32]) -> float:
    """The mean of the kernel over all pairs of different rows."""
    kernel = _cubic_kernel(units, units)
    count = len(units)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))


def _cubic_kernel(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray((first.astype(np.float64) @ second.astype(np.float64).T + 1) ** 3)
