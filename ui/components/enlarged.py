"""Small images enlarged for people to look at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_VIEW_SIDE_PX = 768


def view_factor(size: tuple[int, int]) -> int:
    """Return how many pixels of the large view a pixel of a (height, width) image gets; at least 1."""
    return max(1, _VIEW_SIDE_PX // max(size))


def enlarged(pixels: Pixels) -> Pixels:
    """Return an image `view_factor` times larger in both directions, as the large view shows it."""
    factor = view_factor(pixels.shape[:2])
    if factor == 1:
        return pixels
    large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)
