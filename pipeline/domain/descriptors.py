"""A descriptor of an image without a network, by which near-duplicates are found."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB

_SIDE_PX = 64  # images are compared at this size
_COLOUR_BINS = 4  # per channel
_CELLS = 2  # per side, for gradients
_DIRECTIONS = 8


def descriptor(rgb: RGB) -> NDArray[np.float32]:
    """Describe an image by its colours (4 x 4 x 4 histogram) and edge directions (8 in each of 2 x 2 cells).

    The values are square roots of shares, so the dot product of two descriptors is a Bhattacharyya coefficient
    (Bhattacharyya 1943). Colours and edges have equal weight; an image without edges is described by colours alone.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        (96,) float32 of length 1.
    """
    small = cv2.resize(np.ascontiguousarray(rgb), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    parts = [_colours(np.asarray(small, np.uint8)), _edges(np.asarray(small, np.uint8))]
    roots = np.sqrt(np.concatenate([part / max(float(part.sum()), 1e-9) for part in parts]))
    return (roots / np.linalg.norm(roots)).astype(np.float32)


def _colours(small: RGB) -> NDArray[np.float64]:
    level = small.astype(np.int64) * _COLOUR_BINS // 256
    index = (level[..., 0] * _COLOUR_BINS + level[..., 1]) * _COLOUR_BINS + level[..., 2]
    return np.bincount(index.ravel(), minlength=_COLOUR_BINS**3).astype(np.float64)


def _edges(small: RGB) -> NDArray[np.float64]:
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    angle = np.mod(np.arctan2(down, across), np.pi)  # an edge and its opposite are alike
    direction = np.minimum((angle / np.pi * _DIRECTIONS).astype(np.int64), _DIRECTIONS - 1)
    cell = np.arange(_SIDE_PX) * _CELLS // _SIDE_PX
    index = (cell[:, None] * _CELLS + cell) * _DIRECTIONS + direction
    strength = np.hypot(across, down).ravel()
    shares = np.bincount(index.ravel(), weights=strength, minlength=_CELLS**2 * _DIRECTIONS)
    return shares.astype(np.float64)
