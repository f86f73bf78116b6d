"""The test photos as squares that do not depend on the network, with the masks that come with them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.images import Mask
from pipeline.errors import StudioError, UnreadableImage
from training.data.decoding import squared
from training.data.release import Release
from training.data.rows import Row
from training.data.sources import rows_of

SIDE_PX = 256  # of the squares: enough to cut out an object
_WITHOUT_RINGING = Image.Resampling.BILINEAR  # so that a mask is 0 beside its object


@dataclass(frozen=True, slots=True, kw_only=True)
class Squares:
    """The N test photos of a release, in its order.

    `images` is (N, SIDE_PX, SIDE_PX, 3) uint8: the largest centred square of each. `masks` holds (SIDE_PX, SIDE_PX)
    uint8, 255 = object, where the data set has one. `names` are those of the photos.
    """

    images: NDArray[np.uint8]
    masks: tuple[Mask | None, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def read_squares(release: Release) -> Squares:
    """Read the test photos of a release once more, at `SIDE_PX`.

    A photo that cannot be read again is enlarged or shrunk from what the network sees, without a mask.
    """
    names = tuple(release.test.sources.tolist())
    read = _read_again(release, frozenset(names))
    pairs = [
        read.get(name) or (_resized(image), None)
        for name, image in zip(names, release.test.images, strict=True)
    ]
    shape = (0, SIDE_PX, SIDE_PX, 3)
    return Squares(
        images=np.stack([image for image, _ in pairs]) if pairs else np.zeros(shape, np.uint8),
        masks=tuple(mask for _, mask in pairs),
        names=names,
    )


def _read_again(release: Release, names: frozenset[str]) -> dict[str, tuple[NDArray[np.uint8], Mask | None]]:
    """Name → square and mask; empty where the data set is no longer there."""
    source = release.test_source
    if source is None:
        return {}
    read = {}
    try:
        for row in rows_of(source.dataset, "real", source.split).rows:
            if row.name in names and (square := _square(row)) is not None:
                read[row.name] = square
    except StudioError:
        return {}
    return read


def _square(row: Row) -> tuple[NDArray[np.uint8], Mask | None] | None:
    """The square of a row and of its mask; None where it is unreadable."""
    try:
        mask = squared(row.mask, SIDE_PX, resampling=_WITHOUT_RINGING)[..., 0] if row.mask else None
        return squared(row.data, SIDE_PX), mask
    except UnreadableImage:
        return None


def _resized(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if image.shape[0] > SIDE_PX else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=how), np.uint8)
