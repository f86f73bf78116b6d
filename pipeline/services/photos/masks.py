"""Masks under a person's hands: previews and mends."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np

from pipeline.domain.images import RGB, Mask, encode_webp, thumbnail
from pipeline.domain.placement import Box, Layer, object_box
from pipeline.errors import InvalidRequest, SizeMismatch
from pipeline.rendering.composite import composite
from pipeline.segmentation import USABLE_SCORE, flood_click, grabcut_box, mended
from pipeline.services.photos.importing import rgba
from pipeline.services.samples.create import checkerboard
from pipeline.store import Library, Photo

Colour = tuple[int, int, int]
_OPAQUE = 127
_BLOBS = "blobs"  # as the library lays it out
_THUMBNAILS = "thumbnails"


def cutout_preview(library: Library, subject_id: str, ground: Colour | None) -> RGB:
    """(H, W, 3): a subject's cut-out on a plain colour, or on a checkerboard for None."""
    pixels = _cutout_pixels(library, subject_id)
    size = pixels.shape[:2]
    plain = checkerboard(size) if ground is None else np.full((*size, 3), ground, np.uint8)
    return composite(Layer(rgb=pixels[..., :3], alpha=pixels[..., 3]), plain)


def mask_of(library: Library, subject_id: str) -> Mask:
    """(H, W) uint8: the soft mask of a subject's photo."""
    return _cutout_pixels(library, subject_id)[..., 3]


def _cutout_pixels(library: Library, subject_id: str) -> np.ndarray:
    """(H, W, 4) uint8: colours and soft alpha; an import stores them for every photo."""
    cutout_id = library.photos.get(subject_id).cutout_id
    assert cutout_id is not None
    return library.images.read(cutout_id)


def photo_of(library: Library, subject_id: str) -> RGB:
    """(H, W, 3) uint8: the photo of a subject."""
    return library.images.read(library.photos.get(subject_id).photo_id)


def mask_from_box(library: Library, subject_id: str, box: Box) -> Mask:
    """A proposal: what GrabCut finds inside a box."""
    return grabcut_box(photo_of(library, subject_id), box)


def mask_from_click(
    library: Library, subject_id: str, point: tuple[int, int], *, add: bool, mask: Mask | None = None
) -> Mask:
    """A proposal: the mask with the region of like colour round a point (x, y) added or taken away."""
    start = mask_of(library, subject_id) if mask is None else mask
    return flood_click(photo_of(library, subject_id), start, point, add=add)


def save_mask(library: Library, subject_id: str, mask: Mask) -> Photo:
    """Store a person's mask as the subject's cut-out; samples of the old one stay what they are.

    Raises:
        SizeMismatch: the mask has not the photo's size.
        InvalidRequest: the mask is empty.
    """
    photo = photo_of(library, subject_id)
    if mask.shape != photo.shape[:2]:
        raise SizeMismatch(mask=mask.shape, photo=photo.shape[:2])
    if not (mask > _OPAQUE).any():
        raise InvalidRequest("the mask is empty; paint the object, or exclude the photo")
    result = mended(photo, mask)
    library.photos.record_cutout(
        subject_id,
        cutout_id=library.images.put(rgba(result)),
        score=max(result.score, USABLE_SCORE),
        doubts=result.doubts,
        origin=result.origin,
        box=object_box(result.alpha),
    )
    return library.photos.get(subject_id)


def picture_folders(library: Library) -> list[Path]:
    """Where the pictures and their thumbnails lie; made when they are not there."""
    folders = [library.path / _BLOBS, library.path / _THUMBNAILS]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def thumbnail_path(library: Library, blob_id: str) -> Path:
    """The 256-px thumbnail of a picture, in a folder of its own that may be deleted at any time."""
    path = library.path / _THUMBNAILS / blob_id[:2] / f"{blob_id}.webp"
    if not path.is_file():
        pixels = library.images.read(blob_id)
        data = encode_webp(thumbnail(pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        unfinished.write_bytes(data)
        unfinished.rename(path)
    return path
