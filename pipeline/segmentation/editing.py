"""Mask edits by a person: a brushed mask, the object inside a box, the region at a click."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.errors import InvalidRequest
from pipeline.segmentation.cutout import CutoutOrigin, CutoutResult, checked_mask, enlarged, object_mask
from pipeline.segmentation.matting import foreground_colours, soft_alpha
from pipeline.segmentation.network import object_probability
from pipeline.segmentation.outline import grabcut
from pipeline.segmentation.refinement import guided

Box = tuple[int, int, int, int]

_WORK_PX = 512
_LEAST_BOX_PX = 4
_BOX_ROUNDS = 5
_CLICK_TOLERANCE = 14  # of CIE L*, a*, b* (8-bit) against the clicked neighbourhood
_BOX_MARGIN = 0.25  # of a box's longest side, kept around it: background to learn from
_CLICK_WINDOW = 0.5  # of the photo's longest side: what the network sees around a click
_LEAST_WINDOW_PX = 64


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


def object_in_box(rgb: RGB, box: Box, *, network: Path | None = None) -> Mask:
    """Find the object inside a box as in a photo of its own; with GrabCut where that finds none.

    Args:
        rgb: (H, W, 3) uint8.
        box: (x0, y0, x1, y1) in pixels, x1 and y1 exclusive; it is clipped to the photo.
        network: as for `cut_out`.

    Returns:
        (H, W) uint8: 255 = object, 0 = background, and everything outside the box.

    Raises:
        InvalidRequest: the box lies outside the photo or is smaller than 4 px.
    """
    x0, y0, x1, y1 = _clipped(box, rgb)
    margin = round(_BOX_MARGIN * max(x1 - x0, y1 - y0)) + 8
    left, top = max(x0 - margin, 0), max(y0 - margin, 0)
    crop = rgb[top : y1 + margin, left : x1 + margin]
    inside = np.zeros(rgb.shape[:2], bool)
    found = object_mask(crop, network=network)
    inside[y0:y1, x0:x1] = found[y0 - top : y1 - top, x0 - left : x1 - left]
    if not inside.any():
        return grabcut_box(rgb, box)
    return np.where(inside, 255, 0).astype(np.uint8)


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
    x0, y0, x1, y1 = _clipped(box, rgb)
    if (x1 - x0) * (y1 - y0) >= 0.98 * width * height:
        raise InvalidRequest("the box covers the whole photo; leave some background outside it")
    scale = min(1.0, _WORK_PX / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[y0:y1, x0:x1] = cv2.GC_PR_FGD
    small = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    inside = grabcut(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), small, _BOX_ROUNDS)
    return np.where(enlarged(inside, (height, width)), 255, 0).astype(np.uint8)


def region_at(rgb: RGB, point: tuple[int, int], *, add: bool, network: Path | None = None) -> Mask:
    """Find the region that a click means.

    To add, that is the piece of the object that the network sees around the point; where it sees none, and to
    remove, the connected region of similar colour.

    Args:
        rgb: (H, W, 3) uint8.
        point: (x, y) in pixels.
        add: whether the region is to be added to the mask.
        network: as for `cut_out`.

    Returns:
        (H, W) uint8: 255 = region.

    Raises:
        InvalidRequest: the point lies outside the photo.
    """
    height, width = rgb.shape[:2]
    x, y = point
    if not (0 <= x < width and 0 <= y < height):
        raise InvalidRequest(f"the point ({x}, {y}) lies outside the {width}x{height} photo")
    piece = _piece_at(rgb, point, network) if add else None
    return similar_region(rgb, point) if piece is None else piece


def _piece_at(rgb: RGB, point: tuple[int, int], network: Path | None) -> Mask | None:
    """The connected piece of the network's object that holds a point, (H, W) uint8; None when there is none.

    The network looks around the point first, and at the whole photo where the piece goes on outside that window.
    """
    side = max(round(_CLICK_WINDOW * max(rgb.shape[:2])), _LEAST_WINDOW_PX)
    left, top = (max(place - side // 2, 0) for place in point)
    window = (slice(top, top + side), slice(left, left + side))
    close = _piece_in(rgb[window], (point[0] - left, point[1] - top), network)
    if close is None:
        return None
    piece = np.zeros(rgb.shape[:2], np.uint8)
    piece[window] = close
    goes_on = close[[0, -1]].any() or close[:, [0, -1]].any()
    whole = _piece_in(rgb, point, network) if goes_on else None
    return piece if whole is None else whole


def _piece_in(rgb: np.ndarray, point: tuple[int, int], network: Path | None) -> Mask | None:
    """The connected piece of the network's object in a photo that holds a point, (H, W) uint8."""
    probability = object_probability(np.ascontiguousarray(rgb), network)
    if probability is None:
        return None
    inside = (guided(rgb, probability) > 0.5).astype(np.uint8)
    _, pieces = cv2.connectedComponents(inside, connectivity=4)
    number = pieces[point[1], point[0]]
    return np.where(pieces == number, 255, 0).astype(np.uint8) if number else None


def similar_region(rgb: RGB, point: tuple[int, int]) -> Mask:
    """Find the connected region of similar colour around a point of the photo.

    Args:
        rgb: (H, W, 3) uint8.
        point: (x, y) in pixels, inside the photo.

    Returns:
        (H, W) uint8: 255 = region.
    """
    height, width = rgb.shape[:2]
    lab = cv2.cvtColor(cv2.bilateralFilter(rgb, 5, 30, 3), cv2.COLOR_RGB2LAB)
    region = np.zeros((height + 2, width + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (255 << 8)
    tolerance = (_CLICK_TOLERANCE,) * 3
    cv2.floodFill(lab, region, point, (0, 0, 0), tolerance, tolerance, flags)
    return region[1:-1, 1:-1]


def _clipped(box: Box, rgb: RGB) -> Box:
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    if x1 - x0 < _LEAST_BOX_PX or y1 - y0 < _LEAST_BOX_PX:
        raise InvalidRequest(
            f"the box {box} covers less than {_LEAST_BOX_PX} px of the {width}x{height} photo; "
            "draw it around the object"
        )
    return x0, y0, x1, y1
