"""Pictures on disk: lossless, once, whole."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from pipeline.errors import NotFound
from pipeline.store import Library
from tests.toy_library import mask, picture


@pytest.mark.parametrize(
    "pixels",
    [
        picture(1),
        np.full((5, 7, 3), 90, np.uint8),
        mask(),
        np.zeros((1, 1), np.uint8),
        np.dstack([picture(2), mask()]),
        np.dstack([picture(3), np.full_like(mask(), 255)]),
        np.dstack([picture(4), np.zeros_like(mask())]),
    ],
    ids=[
        "colour",
        "grey in colour",
        "mask",
        "one pixel",
        "cut-out",
        "opaque cut-out",
        "colours under nothing",
    ],
)
def test_a_picture_comes_back_bit_for_bit_with_its_shape(library: Library, pixels: np.ndarray) -> None:
    back = library.images.read(library.images.put(pixels))
    assert back.shape == pixels.shape
    assert np.array_equal(back, pixels)


def test_the_same_pixels_are_one_file_and_other_shapes_are_others(library: Library) -> None:
    grey = np.full((4, 6), 7, np.uint8)
    ids = [library.images.put(one) for one in (grey, grey.copy(), grey.reshape(6, 4), np.dstack([grey] * 3))]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert len(list((library.path / "blobs").glob("??/*.webp"))) == 3


def test_an_unknown_picture_is_named(library: Library) -> None:
    for wrong in ("00ff00ff", "../../backlot.sqlite"):
        with pytest.raises(NotFound, match="no image"):
            library.images.read(wrong)


def test_what_a_killed_process_left_is_swept_when_it_is_old(library: Library) -> None:
    old, young = (library.path / "blobs" / "tmp" / name for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half a picture")
    an_age_ago = time.time() - 7200
    os.utime(old, (an_age_ago, an_age_ago))
    Library.open(library.path).close()
    assert not old.exists()
    assert young.exists()
