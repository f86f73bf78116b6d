"""Warp an image by a homography.

Coordinates are pixels with centres at whole numbers, as `cv2.warpPerspective` takes them.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]  # (x0, y0, x1, y1) in pixels, x1 and y1 exclusive
Homography = NDArray[np.float64]  # (3, 3), photo pixels → canvas pixels

SHRINKS = 0.8  # below this scale an area filter comes before the warp
_TILE_PX = 128  # a canvas is warped tile by tile


def warp(
    pixels: np.ndarray,
    matrix: Homography,
    size: tuple[int, int],
    *,
    at: tuple[float, float] | None = None,
    within: Box | None = None,
) -> np.ndarray:
    """Warp an image by a homography onto a canvas of `size` (height, width), which is 0 outside it.

    Where the image shrinks, an area filter comes first; then bilinear interpolation. The identity on the same size
    returns equal pixels. uint8 in gives uint8 out (rounded), float32 gives float32.

    Args:
        at: the point (x, y) of the image whose scale the filter is made for, as the scale of a tilted plane varies: the
            centre of the object. None = the centre of the image.
        within: the box of the canvas that is needed; elsewhere the result may be 0. The canvas is warped in fixed
            tiles, so that a part equals the whole bit for bit.
    """
    if pixels.shape[:2] == size and np.allclose(matrix, np.eye(3), rtol=0, atol=1e-9):
        return pixels.copy()
    work, matrix = _prefiltered(pixels.astype(np.float32), matrix, size, at)
    whole = pixels.dtype == np.uint8
    canvas = np.zeros((*size, *pixels.shape[2:]), np.uint8 if whole else np.float32)
    x0, y0, x1, y1 = within or (0, 0, size[1], size[0])
    for top in range(y0 - y0 % _TILE_PX, y1, _TILE_PX):
        for left in range(x0 - x0 % _TILE_PX, x1, _TILE_PX):
            tile = canvas[top : top + _TILE_PX, left : left + _TILE_PX]
            part = cv2.warpPerspective(
                work,
                shift(-left, -top) @ matrix,
                (tile.shape[1], tile.shape[0]),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=0,
            )
            tile[...] = np.clip(np.rint(part), 0, 255) if whole else part
    return canvas


def _prefiltered(
    pixels: np.ndarray, matrix: Homography, size: tuple[int, int], at: tuple[float, float] | None
) -> tuple[np.ndarray, Homography]:
    """The image area-filtered to about the scale at a point of it, and the matrix for the filtered image."""
    height, width = pixels.shape[:2]
    share = scale_at(matrix, at or ((width - 1) / 2, (height - 1) / 2), size)
    if share >= SHRINKS:
        return pixels, matrix
    small = (max(1, round(width * share)), max(1, round(height * share)))
    across, down = small[0] / width, small[1] / height
    back = np.array([[1 / across, 0, 0.5 / across - 0.5], [0, 1 / down, 0.5 / down - 0.5], [0, 0, 1]])
    return cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), matrix @ back


def scale_at(matrix: Homography, point: tuple[float, float], size: tuple[int, int]) -> float:
    """Return the canvas pixels per photo pixel at a point: the square root of the Jacobian's determinant."""
    depth = float(matrix[2] @ (*point, 1.0))
    return math.sqrt(abs(float(np.linalg.det(matrix))) / max(abs(depth) ** 3, 1e-9)) if depth else max(size)


def shift(x: float, y: float) -> Homography:
    """Return the matrix that moves by x to the right and y down, in pixels."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
