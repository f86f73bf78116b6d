"""From a first division to an exact outline: GrabCut in a narrow band, and a second method to compare it with."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.segmentation.background import Field
from pipeline.segmentation.regions import Evidence, without_islands

_REACH_OUT_PX, _REACH_IN_PX = 2.5, 3.5  # how far the outline may move from the first division
_ROUNDS = 2
_CONTENT_SHARE = 0.003  # smaller islands of the object are dust


def traced(rgb: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Trace the exact outline with GrabCut, which may move that of `first` by a few pixels.

    Args:
        rgb: (H, W, 3) uint8.
        first: (H, W) bool.

    Returns:
        (H, W) bool.
    """
    labels = np.where(first, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[depth(~first) > _REACH_OUT_PX] = cv2.GC_BGD
    labels[depth(first) > _REACH_IN_PX] = cv2.GC_FGD
    return without_islands(grabcut(rgb, labels, _ROUNDS), _CONTENT_SHARE * float(first.sum()))


def grabcut(rgb: np.ndarray, labels: np.ndarray, rounds: int) -> np.ndarray:
    """Run GrabCut from labels (H, W) of cv2.GC_*; (H, W) bool, the same on every run.

    Labels without any object, or without any background, come back as they are.
    """
    inside = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if not inside.any() or inside.all():
        return inside
    cv2.setRNGSeed(0)
    drawn, unused_box = labels.copy(), (0, 0, 0, 0)
    background_model, object_model = np.zeros((1, 65)), np.zeros((1, 65))
    pixels = np.ascontiguousarray(rgb)
    cv2.grabCut(pixels, drawn, unused_box, background_model, object_model, rounds, cv2.GC_INIT_WITH_MASK)
    return (drawn & 1) > 0


def watershed_outline(evidence: Evidence, first: np.ndarray) -> np.ndarray:
    """Find the object (H, W) bool by a watershed over edges, from certain background and from the object's spine."""
    from skimage.segmentation import watershed

    inward = depth(first)
    spine = (inward >= cv2.dilate(inward, np.ones((5, 5), np.uint8))) & (inward > 1.5)
    markers = np.zeros(first.shape, np.int32)
    markers[depth(~first) > _REACH_OUT_PX] = 1
    markers[spine | (inward > _REACH_IN_PX)] = 2
    return watershed(evidence.edge, markers) == 2


def depth(mask: np.ndarray) -> Field:
    """Measure the distance in pixels from every pixel of a mask to the nearest one outside it; (H, W), 0 outside."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Return the intersection over union of two masks (H, W) bool; 1 when both are empty."""
    union = float((first | second).sum())
    return float((first & second).sum()) / union if union else 1.0
