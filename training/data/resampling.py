"""Draws another training set from the images at hand, as if other photos of the same kind had been taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.release import Origin

_ORIGINS = [str(origin) for origin in Origin]


def bootstrap(labels: NDArray[np.int64], origins: NDArray[np.str_], *, seed: int) -> NDArray[np.int64]:
    """Draw as many images as there are, with replacement, class by class and origin by origin.

    The draw of a group depends on the seed and the size of the group alone: arms that share images, such as real
    photos, draw the same of them, so that the arms of a seed stay paired.

    Args:
        labels: (N,) class of each image.
        origins: (N,) origin of each image.

    Returns:
        (N,) int64 positions of images.

    Source: B. Efron, Bootstrap methods: another look at the jackknife, 1979.
    """
    drawn = np.arange(len(labels))
    for label in np.unique(labels):
        for number, origin in enumerate(_ORIGINS):
            group = np.flatnonzero((labels == label) & (origins == origin))
            random = np.random.default_rng([seed, int(label), number])
            drawn[group] = group[random.integers(0, len(group), len(group))] if len(group) else group
    return drawn
