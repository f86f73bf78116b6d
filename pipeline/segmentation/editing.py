"""Mask edits by a person: a brushed mask, GrabCut inside a box, a region added or removed by a click."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.errors import InvalidRequest
from pipeline.segmentation.cutout import CutoutOrigin, CutoutResult, checked_mask, enlarged
from pipeline.segmentation.matting import foreground_colours, soft_alpha
from pipeline.segmentation.outline import grabcut

Box = tuple[int, int, int, int]

_WORK_PX = 512
_LEAST_BOX_PX = 4
_BOX_ROUNDS = 5
_CLICK_TOLERANCE = 14  # of CIE L*, a*, b* (8-bit) against the clicked neighbourhood


def edited(rgb: RGB, mask: Mask) -> CutoutResult:
    """Cut the object out with a mask that a person drew: it is trusted, and gets a soft edge and clean colours.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) uint8; above 127 = object.

    Raises:
        SizeMismatch: mask and photo differ in size.
        InvalidRequest: the mask is empty.
    """
    inside = checked_mask(rgb, mask) > 127
    if not inside.any():
        raise InvalidRequest("the mask is empty; paint the object, or exclude the photo")
    alpha = soft_alpha(rgb, inside)
    return CutoutResult(foreground_colours(rgb, alpha), alpha, 1.0, (), CutoutOrigin.PERSON)


def grabcut_box(rgb: RGB, box: Box) -> Mask:
    """Find the object inside a box with GrabCut (Rother, Kolmogorov & Blake 2004).

    Args:
        rgb: (H, W, 3) uint8.
        box: (x0, y0, x1, y1) in pixels, x1 and y1 exclusive; it is clipped to the photo.

    Returns:
        (H, W) uint8: 255 = object, 0 = background.

    Raises:
        InvalidRequest: the box lies outside the photo, is smaller than 4 px, or leaves no background outside it.
    """
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    if x1 - x0 < _LEAST_BOX_PX or y1 - y0 < _LEAST_BOX_PX:
        raise InvalidRequest(
            f"the box {box} covers less than {_LEAST_BOX_PX} px of the {width}x{height} photo; "
            "draw it around the object"
        )
    if (x1 - x0) * (y1 - y0) >= 0.98 * width * height:
        raise InvalidRequest("the box covers the whole photo; leave some background outside it")
    scale = min(1.0, _WORK_PX / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[y0:y1, x0:x1] = cv2.GC_PR_FGD
    small = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    inside = grabcut(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), small, _BOX_ROUNDS)
    return np.where(enlarged(inside, (height, width)), 255, 0).astype(np.uint8)


def flood_click(rgb: RGB, mask: Mask, point: tuple[int, int], add: bool) -> Mask:
    """Add the connected region of similar colour around a point to a mask, or remove it.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) uint8; stays as it is outside the region.
        point: (x, y) in pixels.
        add: whether the region becomes object; otherwise it becomes background.

    Returns:
        (H, W) uint8.

    Raises:
        SizeMismatch: mask and photo differ in size.
        InvalidRequest: the point lies outside the photo.
    """
    checked_mask(rgb, mask)
    height, width = rgb.shape[:2]
    x, y = point
    if not (0 <= x < width and 0 <= y < height):
        raise InvalidRequest(f"the point ({x}, {y}) lies outside the {width}x{height} photo")
    lab = cv2.cvtColor(cv2.bilateralFilter(rgb, 5, 30, 3), cv2.COLOR_RGB2LAB)
    region = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (255 << 8)
    tolerance = (_CLICK_TOLERANCE,) * 3
    cv2.floodFill(lab, region, (x, y), (0, 0, 0), tolerance, tolerance, flags)
    changed = mask.copy()
    changed[region[1:-1, 1:-1] > 0] = 255 if add else 0
    return changed
