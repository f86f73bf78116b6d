"""Draws another training set from the images at hand, as if other photos of the same objects had been taken."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def poisson_bootstrap(
    labels: NDArray[np.int64], origins: NDArray[np.str_], sources: NDArray[np.str_], *, seed: int
) -> NDArray[np.int64]:
    """Draw the training images of one seed: each source photo, with all images made from it, none, one or several
    times.

    How often follows from the seed and the name of the source alone, so the arms of a seed stay paired: a synthetic
    image is drawn as often as the photo whose object it shows. A class of which no photo, or no synthetic image, would
    be drawn keeps all of these: an arm that trains on one after the other needs both.

    Args:
        labels: (N,) class of each image.
        origins: (N,) whether it is real or synthetic.
        sources: (N,) the photo whose object each image shows.

    Returns:
        (M,) int64 positions of images, in their order, with repetitions; M varies around N.

    Source: Poisson(1) weights in place of multinomial ones: J. A. Hanley and B. MacGibbon, Creating non-parametric
    bootstrap samples using Poisson frequencies, 2006.
    """
    names, place = np.unique(sources, return_inverse=True)
    times = np.array([_times(name, seed) for name in names.tolist()], np.int64)[place]
    for label in np.unique(labels):
        for origin in np.unique(origins):
            of_class = (labels == label) & (origins == origin)
            if not times[of_class].any():
                times[of_class] = 1
    return np.repeat(np.arange(len(labels)), times)


def _times(source: str, seed: int) -> int:
    """How often a source is drawn by a seed: Poisson distributed with mean 1."""
    digest = hashlib.sha256(f"{seed}:{source}".encode()).digest()
    return int(np.random.default_rng(int.from_bytes(digest[:8], "big")).poisson(1.0))
