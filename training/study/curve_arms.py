"""The arms that a learning curve of real photos adds to a study."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.domain.arms import BASELINE, Arm
from training.data.release import Release

_SHARES = (10, 25, 50, 75)  # percent of the photos of each class, the lowest first
_ADDED = 3  # shares, beside all photos: one more than the curve's fit needs
_FEWEST_OF_A_CLASS = 2


def with_curve_arms(release: Release, arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """Add the real photos and shares of them to the arms of a study, those that leave two photos of each class.

    10, 25 and 50 % where the classes are large enough; else the lowest shares of up to 75 % that they allow, which may
    be fewer than three.
    """
    labels = release.real_train.labels
    if not len(labels):
        return tuple(arms)
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    shares = [share for share in _SHARES if math.ceil(share / 100 * smallest) >= _FEWEST_OF_A_CLASS]
    curve = [BASELINE, *(Arm(f"{BASELINE}%{share}") for share in shares[:_ADDED])]
    return tuple(dict.fromkeys([*arms, *curve]))
