"""Pictures survive encoding; hashes tell them apart."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.images import decode, encode_webp, fitted, pixel_hash, thumbnail

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_encoding_gives_the_same_array_back(shape: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 256, shape, np.uint8)
    assert np.array_equal(decode(encode_webp(pixels)), pixels)


def test_colours_under_a_transparent_alpha_survive() -> None:
    pixels = np.dstack([RNG.integers(0, 256, (4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8)])
    assert np.array_equal(decode(encode_webp(pixels)), pixels)


def test_an_alpha_that_is_opaque_everywhere_stays() -> None:
    pixels = np.full((4, 6, 4), 255, np.uint8)
    assert decode(encode_webp(pixels)).shape == (4, 6, 4)


def test_a_grey_looking_colour_picture_stays_a_colour_picture() -> None:
    pixels = np.full((4, 6, 3), 90, np.uint8)
    assert decode(encode_webp(pixels)).shape == (4, 6, 3)


def test_the_hash_tells_shape_and_pixels_apart() -> None:
    flat = np.zeros((2, 6), np.uint8)
    assert pixel_hash(flat) == pixel_hash(flat.copy())
    assert len({pixel_hash(flat), pixel_hash(flat.reshape(3, 4)), pixel_hash(flat + 1)}) == 3
    assert pixel_hash(np.zeros((1, 1, 3), np.uint8)) == "5b5b6c1f598f8ec11dff"


def test_a_thumbnail_keeps_the_aspect_and_never_enlarges() -> None:
    assert thumbnail(np.zeros((100, 400, 3), np.uint8), 100).shape == (25, 100, 3)
    assert thumbnail(np.zeros((10, 20, 3), np.uint8), 100).shape == (10, 20, 3)


def test_fitted_crops_the_centre_to_the_aspect() -> None:
    picture = np.zeros((4, 12, 3), np.uint8)
    picture[:, 4:8] = 200
    assert (fitted(picture, (4, 4)) == 200).all()
    assert fitted(picture, (8, 8)).shape == (8, 8, 3)
