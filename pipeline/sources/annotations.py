"""Objects that annotations mark in images: each becomes a photo, with its polygon as mask or its box as a hint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.images import Mask
from pipeline.domain.photo_formats import photo_formats
from pipeline.sources.item import AnnotatedBox, SourceItem

_OPAQUE = 255
Corners = tuple[float, float, float, float]
Polygon = NDArray[np.float64]  # (N, 2): x and y as shares of the image's width and height


@dataclass(frozen=True, slots=True)
class MarkedObject:
    """One object of an image."""

    label: str
    corners: Corners  # x0, y0, x1, y1 as shares of the image's width and height
    polygons: tuple[Polygon, ...] = ()
    mask: Mask | None = None  # (H, W) uint8 of the whole image


def object_items(
    path: PurePosixPath, data: bytes, objects: Sequence[MarkedObject], split: str | None
) -> list[SourceItem]:
    """Return a photo for each object of an image; those of one image have its hash in common."""
    alone = len(objects) == 1
    image = "" if alone else hashlib.sha256(data).hexdigest()
    return [
        SourceItem(
            marked.label,
            str(path) if alone else f"{path}#{number}",
            data,
            _mask_file(marked, data),
            AnnotatedBox(marked.corners, alone),
            split,
            image,
        )
        for number, marked in enumerate(objects, start=1)
    ]


def bounding(polygons: Sequence[Polygon]) -> Corners:
    """Return the corners of the box round polygons."""
    points = np.clip(np.concatenate(polygons), 0, 1)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _mask_file(marked: MarkedObject, data: bytes) -> bytes | None:
    mask = marked.mask
    if mask is None and marked.polygons:
        mask = _filled(marked.polygons, data)
    if mask is None:
        return None
    _, encoded = cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def _filled(polygons: Sequence[Polygon], data: bytes) -> Mask | None:
    """Return the inside of polygons at the size of an image; None where the image cannot be opened."""
    try:
        with Image.open(BytesIO(data), formats=photo_formats()) as image:
            width, height = image.size
            turned = image.getexif().get(274, 1) >= 5
    except Exception:  # Pillow's readers raise some twenty types; the import names the fault of the photo
        return None
    width, height = (height, width) if turned else (width, height)
    mask = np.zeros((height, width), np.uint8)
    corners = [np.rint(polygon * (width, height)).astype(np.int32) for polygon in polygons]
    cv2.fillPoly(mask, corners, (_OPAQUE,))
    return mask
