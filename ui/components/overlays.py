"""Images of masks for people to check: enlarged, dimmed around the object, the outline drawn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.errors import InvalidRequest

Pixels = NDArray[np.uint8]

_VIEW_SIDE_PX = 768
_OUTLINE = (31, 166, 184)  # the accent, brighter
_DIMMED = 0.38
_OPAQUE = 127
_ADDING, _REMOVING = (34, 197, 94), (239, 68, 68)  # brush colours, as BRUSH_COLOURS says
BRUSH_COLOURS: list[str | tuple[str, float]] = ["#22c55e", "#ef4444"]


def view_factor(size: tuple[int, int]) -> int:
    """Return how many pixels of the large view a pixel of a (height, width) photo gets; at least 1."""
    return max(1, _VIEW_SIDE_PX // max(size))


def enlarged(pixels: Pixels) -> Pixels:
    """Return an image `view_factor` times larger in both directions, as the large view shows it."""
    factor = view_factor(pixels.shape[:2])
    if factor == 1:
        return pixels
    large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)


def mask_overlay(rgb: RGB, mask: Mask) -> RGB:
    """Return (H', W', 3): the enlarged photo, dimmed to grey outside the mask, with the outline of the mask."""
    photo, alpha = enlarged(rgb), enlarged(mask)
    weight = (alpha.astype(np.float32) / 255)[..., None]
    grey = photo.mean(axis=2, keepdims=True) * _DIMMED
    mixed = np.ascontiguousarray((photo * weight + grey * (1 - weight)).astype(np.uint8))
    outlines, _ = cv2.findContours((alpha > _OPAQUE).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(mixed, outlines, -1, _OUTLINE, 2, cv2.LINE_AA)
    return mixed


def with_corner(rgb: RGB, point: tuple[int, int]) -> RGB:
    """Return an enlarged image with a cross at (x, y) of the view: the first corner of a box."""
    drawn = np.ascontiguousarray(rgb.copy())
    cv2.drawMarker(drawn, point, (255, 255, 255), cv2.MARKER_CROSS, 40, 5, cv2.LINE_AA)
    cv2.drawMarker(drawn, point, _OUTLINE, cv2.MARKER_CROSS, 36, 2, cv2.LINE_AA)
    return drawn


def painted_mask(layers: list[Pixels], mask: Mask) -> Mask:
    """Return the mask after brush strokes: green adds to it, red removes from it.

    Args:
        layers: (H', W', 4) uint8 layers of the editor, which showed the enlarged photo.
        mask: (H, W) uint8 before the strokes.

    Raises:
        InvalidRequest: nothing was painted, or the editor sent layers of another shape.
    """
    changed, painted = mask.copy(), False
    height, width = mask.shape
    for layer in layers:
        tall, wide = layer.shape[:2]
        if abs(tall * width - wide * height) > max(tall, wide):
            raise InvalidRequest(
                f"the editor sent a {wide}x{tall} layer for a {width}x{height} photo; use click or box"
            )
        strokes = np.asarray(cv2.resize(layer, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
        painted_pixels = strokes[..., 3] > _OPAQUE
        adds = _distance(strokes, _ADDING) < _distance(strokes, _REMOVING)
        changed[painted_pixels & adds], changed[painted_pixels & ~adds] = 255, 0
        painted |= bool(painted_pixels.any())
    if not painted:
        raise InvalidRequest("nothing was painted; green adds to the object, red removes from it")
    return changed


def _distance(rgba: Pixels, colour: tuple[int, int, int]) -> NDArray[np.int16]:
    """Return the distance of each pixel from a colour, as the sum over the channels."""
    distance: NDArray[np.int16] = np.abs(rgba[..., :3].astype(np.int16) - np.array(colour, np.int16)).sum(
        axis=2
    )
    return distance
