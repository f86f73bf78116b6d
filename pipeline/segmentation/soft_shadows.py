"""The soft shadow beside an object on any ground: darker than the ground round it, of the same colour."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.segmentation.background import Field, logarithm, polynomial_terms, robust_fit
from pipeline.segmentation.regions import opened

_REACH_SHARE = 0.22  # of the longest side: how far beside an object a shadow is looked for
_CALM_SHARE = 0.012  # of the longest side: standard deviation of the blur that takes texture away
_FIT_PX = 96  # longest side at which the light of the ground is fitted
_ORDER = 2
_LEAST_DARKNESS = 0.10  # logarithm; less is not seen
_NOISES = 2.5  # deviations of the ground's own light that a shadow is darker, at least
_DEEPEST = -1.6  # logarithm; what is darker is a thing of its own
_TINT, _TINT_OF_SHADOW = (
    0.035,
    0.10,
)  # departure in colour that the ground has, and a shadow besides by its darkness
_LARGEST = 1.5  # times the object: a larger dark part is ground, too
_LEAST_GROUND = 0.1  # share of the photo that must be neither object nor beside it
_OPENING_PX = 2


def soft_shadow(rgb: np.ndarray, mask: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Find the shadows that touch objects.

    The light of the ground is a smooth surface, fitted to what lies away from the objects; a shadow lies below it by
    more than the ground's own unrest, in the ground's colour, and reaches an object.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) bool, the objects.
        around: (H, W) bool, the objects with a margin that is no ground in any case.

    Returns:
        (H, W) bool, outside `mask`; empty where the ground cannot be told, or where more than a shadow would be dark.
    """
    reach = _disc(_REACH_SHARE * max(mask.shape))
    ground = cv2.dilate(around.astype(np.uint8), reach) == 0
    if not mask.any() or ground.mean() < _LEAST_GROUND:
        return np.zeros_like(mask)
    calm = _calm(rgb, mask)
    departure = calm - _ground_light(calm, ground)
    light = departure.mean(-1)
    tint = np.linalg.norm(departure - light[..., None], axis=-1)
    unrest = 1.48 * float(np.median(np.abs(light[ground])))
    tint_unrest = float(np.median(tint[ground]))
    dark = (light < -max(_LEAST_DARKNESS, _NOISES * unrest)) & (light > _DEEPEST)
    of_ground = tint < 2 * tint_unrest + _TINT + _TINT_OF_SHADOW * np.clip(-light, 0, 1)
    beside = cv2.dilate(mask.astype(np.uint8), reach) > 0
    shadow = _touching(opened(dark & of_ground & beside & ~mask, _OPENING_PX), around)
    return shadow if shadow.sum() <= _LARGEST * mask.sum() else np.zeros_like(mask)


def _calm(rgb: np.ndarray, mask: np.ndarray) -> Field:
    """Return the logarithm of brightness without texture, (H, W, 3); nothing of the objects is mixed in."""
    sigma = max(_CALM_SHARE * max(mask.shape), 0.8)
    free = (~mask).astype(np.float32)
    total = cv2.GaussianBlur(logarithm(rgb) * free[..., None], (0, 0), sigma)
    share = cv2.GaussianBlur(free, (0, 0), sigma)
    return np.asarray(total / np.maximum(share, 1e-3)[..., None], np.float32)


def _ground_light(calm: Field, ground: np.ndarray) -> Field:
    height, width = ground.shape
    scale = min(_FIT_PX / max(height, width), 1.0)
    size = max(round(width * scale), 8), max(round(height * scale), 8)
    small = cv2.resize(calm, size, interpolation=cv2.INTER_AREA)
    known = cv2.resize(ground.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    coefficients = robust_fit(polynomial_terms(small.shape[:2], _ORDER)[known], small[known])
    return (polynomial_terms((height, width), _ORDER) @ coefficients).astype(np.float32)


def _touching(candidates: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Return the pieces that reach the margin of an object."""
    _, labels = cv2.connectedComponents(candidates.astype(np.uint8), connectivity=8)
    near = np.unique(labels[candidates & around])
    return candidates & np.isin(labels, near[near > 0])


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(round(radius), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
