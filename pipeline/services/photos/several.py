"""Photos that show several objects: keep one of them, or make a photo of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.domain.images import RGB, RGBA, Mask, pixel_hash
from pipeline.domain.photos import Photo
from pipeline.domain.placement import Box, object_box
from pipeline.errors import InvalidRequest
from pipeline.segmentation import USABLE_SCORE, divided_mask
from pipeline.segmentation.matting import foreground_colours
from pipeline.services.photos.objects import LEAST_SIDE_PX, PART_MARGIN, part_window
from pipeline.store import Library, NewPhoto

_ALPHA = 3  # channel of a cut-out
_INSIDE = 127  # mask values above this are object
_MARGINS = (PART_MARGIN, 0.15, 0.08, 0.03, 0.0)  # tried in this order until every part is different
_SEVERAL = 2
_PART = re.compile(r"#\d+$")  # what the name of a part ends with; the name of a file ends with its kind
_OUTLINE_SHARE = 0.0008  # of the longest side: how far a drawn outline may be from the mask's

Outline = tuple[tuple[int, int], ...]  # corners (x, y) of a closed polygon in pixels
Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoObject:
    """One of the objects of a photo."""

    number: int  # from 1, the largest first
    box: Box
    outlines: tuple[Outline, ...]  # of its pieces


def objects_in(library: Library, photo_id: str) -> list[PhotoObject]:
    """Return the objects that stand apart in the mask of a photo, the largest first; empty where it has no mask.

    Raises:
        NotFound: there is no photo with this id.
    """
    photo = library.photos.get(photo_id)
    if photo.cutout_id is None:
        return []
    masks = divided_mask(library.images.read(photo.cutout_id)[..., _ALPHA])
    return [
        PhotoObject(number=number, box=object_box(mask), outlines=_outlines(mask))
        for number, mask in enumerate(masks, start=1)
    ]


def choose_object(library: Library, photo_id: str, number: int) -> Photo:
    """Keep one object of a photo as its mask; a person has seen its outline, so it has no doubts any more.

    Raises:
        NotFound: there is no photo with this id.
        InvalidRequest: the photo has no object of this number.
    """
    photo, masks = _divided(library, photo_id)
    if not 1 <= number <= len(masks):
        raise InvalidRequest(
            f"{photo.name} has no object {number}; choose one of 1 to {len(masks)}, or edit the mask"
        )
    mask = masks[number - 1]
    library.photos.record_cutout(
        photo_id,
        cutout_id=library.images.put(_cutout(library.images.read(photo.image_id), mask)),
        score=max(photo.mask_score, USABLE_SCORE),
        doubts=(),
        origin=photo.mask_origin,
        box=object_box(mask),
    )
    return library.photos.get(photo_id)


def use_all_objects(library: Library, photo_id: str) -> list[Photo]:
    """Make a photo of each object of a photo: the part round it, in the same split; the photo itself is excluded.

    The parts are named `NAME#1`, `NAME#2`, … as those of annotated datasets are. Doing it again adds nothing.

    Raises:
        NotFound: there is no photo with this id.
        InvalidRequest: the photo has fewer than two objects, or one that has no part of the photo to itself.
    """
    photo, masks = _divided(library, photo_id)
    if len(masks) < _SEVERAL:
        raise InvalidRequest(f"{photo.name} shows one object only; confirm its outline, or edit the mask")
    windows = _windows(photo, [object_box(mask) for mask in masks])
    image = library.images.read(photo.image_id)
    ids = []
    for number, (mask, window) in enumerate(zip(masks, windows, strict=True), start=1):
        new = _new_part(library, photo, number, np.ascontiguousarray(image[window]), mask[window])
        library.photos.add(new)
        ids.append(new.id)
    library.photos.set_excluded(photo_id, True)
    return [library.photos.get(part_id) for part_id in ids]


def with_other_parts(library: Library, photo_ids: Sequence[str]) -> list[str]:
    """Return photo ids with those of the other parts of the same pictures, and of the pictures themselves.

    Parts are known by their names: `a.jpg#1` and `a.jpg#2` of one source are parts of `a.jpg`.
    """
    photos = library.photos.list()
    wanted = set(photo_ids)
    divided = {_picture(photo) for photo in photos if _PART.search(photo.name)}
    pictures = {_picture(photo) for photo in photos if photo.id in wanted} & divided
    others = [photo.id for photo in photos if photo.id not in wanted and _picture(photo) in pictures]
    return [*photo_ids, *others]


def _picture(photo: Photo) -> tuple[str, str]:
    return photo.source, _PART.sub("", photo.name)


def _divided(library: Library, photo_id: str) -> tuple[Photo, list[Mask]]:
    photo = library.photos.get(photo_id)
    if photo.cutout_id is None:
        raise InvalidRequest(f"{photo.name} has no outline; draw it, or exclude the photo")
    return photo, divided_mask(library.images.read(photo.cutout_id)[..., _ALPHA])


def _new_part(library: Library, photo: Photo, number: int, image: RGB, mask: Mask) -> NewPhoto:
    height, width = image.shape[:2]
    return NewPhoto(
        id=pixel_hash(image),
        label=photo.label,
        name=f"{photo.name}#{number}",
        source=photo.source,
        split=photo.split,
        image_id=library.images.put(image),
        height=height,
        width=width,
        cutout_id=library.images.put(_cutout(image, mask)),
        mask_score=max(photo.mask_score, USABLE_SCORE),
        mask_origin=photo.mask_origin,
        box=object_box(mask),
    )


def _cutout(image: RGB, mask: Mask) -> RGBA:
    """Cut an object out as `repair` does, which can then restore the file."""
    return np.dstack([foreground_colours(image, mask), mask])


def _windows(photo: Photo, boxes: Sequence[Box]) -> list[Window]:
    """Return the part of a photo round each box, with a smaller margin where two parts would be equal.

    The id of a photo is the hash of its pixels, so two objects may not share a part, nor take the whole photo.
    """
    size = (photo.height, photo.width)
    taken = [(slice(0, photo.height), slice(0, photo.width))]
    for number, box in enumerate(boxes, start=1):
        x0, y0, x1, y1 = box
        corners = (x0 / photo.width, y0 / photo.height, x1 / photo.width, y1 / photo.height)
        windows = (part_window(corners, size, margin_share=margin) for margin in _MARGINS)
        window = next(
            (window for window in windows if window not in taken and _is_large_enough(window)), None
        )
        if window is None:
            raise InvalidRequest(
                f"object {number} of {photo.name} has no part of the photo to itself; "
                "choose one object, or edit the mask"
            )
        taken.append(window)
    return taken[1:]


def _is_large_enough(window: Window) -> bool:
    return all(place.stop - place.start >= LEAST_SIDE_PX for place in window)


def _outlines(mask: Mask) -> tuple[Outline, ...]:
    contours, _ = cv2.findContours(
        (mask > _INSIDE).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    tolerance_px = max(_OUTLINE_SHARE * max(mask.shape), 0.5)
    corners = [cv2.approxPolyDP(contour, tolerance_px, True)[:, 0] for contour in contours]
    return tuple(tuple((int(x), int(y)) for x, y in polygon) for polygon in corners if len(polygon) > 2)
