"""Bring one item of a source to pixels, and cut its object out: by its mask, by its box, or by what the photo shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.given_masks import GivenMask, load_given_mask, mask_of_alpha
from pipeline.domain.photo_decoding import DecodedPhoto, load_photo
from pipeline.domain.placement import Box, object_box
from pipeline.errors import UnreadableImage
from pipeline.segmentation import USABLE_SCORE, CutoutOrigin, CutoutResult, cut_out, grabcut_box
from pipeline.sources import SourceItem

_DOUBTED_SCORE = 0.4  # of a mask that a person should check
_NO_CUTOUT = "the object could not be cut out; draw its mask"
_FROM_BOX = "the outline was guessed from a box"
PART_MARGIN = (
    0.25  # of the larger side of a box: what stays round the object where a photo is a part of an image
)
LEAST_SIDE_PX = 32
_SAME_BOX = 0.7  # intersection over union of the box of what was found with the annotated box


def photo_of_item(item: SourceItem) -> tuple[DecodedPhoto, Box | None]:
    """Decode a photo; of an image with several objects, the part round the item's own.

    Returns:
        The photo, and the annotated box of its object in its pixels, where the item has one.

    Raises:
        UnreadableImage: see `load_photo`; or the part is smaller than 32 px.
    """
    photo = load_photo(item.data, item.name)
    if item.box is None:
        return photo, None
    height, width = photo.rgb.shape[:2]
    x0, y0, x1, y1 = (
        round(share * side) for share, side in zip(item.box.corners, (width, height) * 2, strict=True)
    )
    if item.box.alone:
        return photo, (x0, y0, x1, y1)
    rows, columns = part_window(item.box.corners, (height, width))
    rgb = np.ascontiguousarray(photo.rgb[rows, columns])
    if min(rgb.shape[:2]) < LEAST_SIDE_PX:
        height, width = rgb.shape[:2]
        raise UnreadableImage(
            item.name, f"its object is {width}x{height} px; at least {LEAST_SIDE_PX} are needed"
        )
    part = DecodedPhoto(rgb, None if photo.alpha is None else photo.alpha[rows, columns], item.name)
    left, top = columns.start, rows.start
    return part, (x0 - left, y0 - top, x1 - left, y1 - top)


def cutout_of_item(
    item: SourceItem, photo: DecodedPhoto, box: Box | None, network: Path | None = None
) -> CutoutResult:
    """Cut the object out of an item's photo. Where that fails, the photo comes in with a mask to be drawn.

    Args:
        photo, box: see `photo_of_item`.
        network: see `cut_out`.

    Raises:
        UnreadableImage: the item's mask cannot be read, or has another size than the photo.
        InvalidRequest: the network cannot be used.
    """
    given = mask_of_alpha(photo.alpha) if item.mask is None else _given_mask(item, photo)
    try:
        if given is None and box is not None:
            return _cut_out_in_box(photo, box, network)
        cutout = cut_out(photo.rgb, alpha=given.alpha if given else None, network=network)
    except (
        ArithmeticError,
        ValueError,
        cv2.error,
        np.linalg.LinAlgError,
    ):  # of the solvers, on degenerate pixels
        nothing = np.zeros(photo.rgb.shape[:2], np.uint8)
        return CutoutResult(photo.rgb, nothing, 0.0, (_NO_CUTOUT,), CutoutOrigin.BACKGROUND)
    return _doubted(cutout, given.doubt) if given and given.doubt else cutout


def _given_mask(item: SourceItem, photo: DecodedPhoto) -> GivenMask:
    assert item.mask is not None
    given = load_given_mask(item.mask, f"mask of {item.name}")
    if item.box is not None and not item.box.alone:
        rows, columns = part_window(item.box.corners, given.alpha.shape)
        given = replace(given, alpha=np.ascontiguousarray(given.alpha[rows, columns]))
    if given.alpha.shape != photo.rgb.shape[:2]:
        (mask_h, mask_w), (h, w) = given.alpha.shape, photo.rgb.shape[:2]
        raise UnreadableImage(
            item.name, f"its mask is {mask_w}x{mask_h} px, the photo {w}x{h}; make them the same size"
        )
    return given


def _cut_out_in_box(photo: DecodedPhoto, box: Box, network: Path | None) -> CutoutResult:
    """Take what the photo shows by itself if it fills the annotated box, else what GrabCut finds in the box."""
    cutout = cut_out(photo.rgb, network=network)
    found = object_box(cutout.alpha)
    if cutout.score >= USABLE_SCORE and found is not None and _overlap(found, box) >= _SAME_BOX:
        return cutout
    guessed = cut_out(photo.rgb, alpha=grabcut_box(photo.rgb, box))
    return _doubted(replace(guessed, origin=CutoutOrigin.BACKGROUND), _FROM_BOX)


def _doubted(cutout: CutoutResult, doubt: str) -> CutoutResult:
    doubts = tuple(dict.fromkeys((doubt, *cutout.doubts)))
    return replace(cutout, score=min(cutout.score, _DOUBTED_SCORE), doubts=doubts)


def part_window(
    corners: tuple[float, float, float, float], size: tuple[int, ...], *, margin_share: float = PART_MARGIN
) -> tuple[slice, slice]:
    """Return the rows and columns of the part of an image round an object.

    Args:
        corners: x0, y0, x1, y1 of the object as shares of the image's width and height.
        size: height and width of the image in pixels.
        margin_share: what stays round the object, as a share of the larger side of its box.
    """
    height, width = size[:2]
    x0, y0, x1, y1 = corners
    margin = margin_share * max((x1 - x0) * width, (y1 - y0) * height)
    left, right = max(0, round(x0 * width - margin)), min(width, round(x1 * width + margin))
    top, bottom = max(0, round(y0 * height - margin)), min(height, round(y1 * height + margin))
    return slice(top, bottom), slice(left, right)


def _overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    areas = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (one, other))
    return shared / max(areas - shared, 1)
