"""What stands out in a finished image besides its object: the object continued in the background, other objects."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.domain.warping import Box
from pipeline.segmentation.network import object_probability

_IN_OBJECT = 127
_SALIENT = 0.5
_SMALLEST = 0.15  # of another object, as a share of the known objects' area
_TOUCHES_PX = 2


@dataclass(frozen=True, slots=True)
class Salience:
    """What a network for salient objects sees beside the known objects of an image."""

    expansion: float  # area that continues the known objects, as a share of theirs
    others: tuple[Box, ...]  # extents of what lies apart from them and is not much smaller


def salience_beside(rgb: RGB, alpha: Mask) -> Salience | None:
    """Look for salient regions beside the known objects of an image.

    The expansion of objects is E = area(out ∪ in) - area(in), divided by area(in) (Eshratifar et al. 2024,
    "Salient Object-Aware Background Generation using Text-Guided Diffusion Models", arXiv 2404.10157),
    for `in` the known objects and `out` what U²-Net-p finds, as far as it touches them.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W); 255 = object.

    Returns:
        None where no object is known, or the network's package is not installed.
    """
    inside = alpha > _IN_OBJECT
    probability = object_probability(rgb) if inside.any() else None
    return None if probability is None else beside(probability > _SALIENT, inside)


def beside(salient: np.ndarray, inside: np.ndarray) -> Salience:
    """Divide what is salient but not known into what continues the known objects and what lies apart.

    Args:
        salient, inside: (H, W) bool.
    """
    area = float(inside.sum())
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _TOUCHES_PX + 1,) * 2)
    touching = cv2.dilate(inside.astype(np.uint8), kernel) > 0
    count, regions, facts, _ = cv2.connectedComponentsWithStats((salient & ~inside).astype(np.uint8))
    grown, others = 0.0, []
    for region in range(1, count):
        left, top, width, height, size = (int(value) for value in facts[region])
        if (touching & (regions == region)).any():
            grown += size
        elif size >= _SMALLEST * area:
            others.append((left, top, left + width, top + height))
    return Salience(expansion=grown / area, others=tuple(others))
