"""Noise, blur, JPEG quality and light of photos whose values are known."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.domain.camera_measures import (
    blur_deviation,
    jpeg_quality,
    light_warmth,
    noise_deviation,
    photo_light,
)

SIDE_PX = 128


def discs(*, blur_px: float = 0.0, noise: float = 0.0) -> np.ndarray:
    """(128, 128) float32: grey discs drawn four times as large, blurred, averaged over pixels, then with noise."""
    rng, finer = np.random.default_rng(5), 4
    large = np.full((SIDE_PX * finer,) * 2, 120, np.float32)
    for _ in range(12):
        x, y = (int(place) for place in rng.integers(0, SIDE_PX * finer, 2))
        cv2.circle(large, (x, y), int(rng.integers(20, 60)) * finer, float(rng.integers(20, 235)), -1)
    if blur_px:
        large = cv2.GaussianBlur(large, (0, 0), blur_px * finer)
    small = cv2.resize(large, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.clip(small + rng.normal(0, noise, small.shape), 0, 255).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0, 8.0])
def test_noise_is_measured_between_edges(noise: float) -> None:
    assert noise_deviation(discs(noise=noise)) == pytest.approx(noise, rel=0.1, abs=0.05)


def test_texture_beside_a_flat_place_is_no_noise() -> None:
    rng = np.random.default_rng(1)
    texture = rng.normal(120, 30, (SIDE_PX, SIDE_PX)).astype(np.float32)
    texture[:, :64] = 120 + rng.normal(0, 2, (SIDE_PX, 64))
    assert noise_deviation(np.clip(texture, 0, 255)) == pytest.approx(2.0, rel=0.15)


def test_black_white_and_tiny_images_have_no_noise_to_measure() -> None:
    assert noise_deviation(np.full((64, 64), 255, np.float32)) == 0.0
    assert noise_deviation(np.zeros((64, 64), np.float32)) == 0.0
    assert noise_deviation(np.full((20, 64), 120, np.float32)) == 0.0


@pytest.mark.parametrize("blur_px", [0.5, 1.0, 1.5, 2.0, 3.0])
def test_blur_is_that_of_the_edges(blur_px: float) -> None:
    assert blur_deviation(discs(blur_px=blur_px)) == pytest.approx(blur_px, abs=0.1)


def test_a_sharp_image_has_no_blur_and_noise_makes_little_of_it() -> None:
    assert blur_deviation(discs()) == pytest.approx(0.0, abs=0.2)
    assert blur_deviation(discs(blur_px=1.5, noise=3.0)) == pytest.approx(1.5, abs=0.35)


def test_an_image_without_edges_has_no_blur_that_can_be_told() -> None:
    assert blur_deviation(np.full((64, 64), 90, np.float32)) is None


def encoded(kind: str, **options: int) -> bytes:
    file = BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("quality", [10, 50, 75, 92, 100])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(quality: int) -> None:
    assert jpeg_quality(encoded("JPEG", quality=quality)) == quality


@pytest.mark.parametrize("data", [b"", b"not an image", encoded("PNG"), encoded("JPEG", quality=80)[:60]])
def test_other_and_broken_files_have_no_quality(data: bytes) -> None:
    assert jpeg_quality(data) is None


def test_light_and_colour_are_those_of_cie_lab() -> None:
    grey = photo_light(np.full((8, 8, 3), 119, np.uint8))
    assert (grey.brightness, grey.contrast) == (pytest.approx(50, abs=0.2), pytest.approx(0, abs=0.01))
    assert (grey.a, grey.b) == (pytest.approx(0, abs=0.05), pytest.approx(0, abs=0.05))
    warm = photo_light(np.full((8, 8, 3), (200, 160, 90), np.uint8))
    assert warm.b > 30


RED, LAWN, WOOD, BLUE = (170, 40, 40), (80, 130, 50), (180, 130, 80), (60, 80, 160)


def surfaces(ground: tuple[int, int, int], others: list[tuple[int, int, int]]) -> np.ndarray:
    """(128, 128, 3) uint8: a mottled ground with small flat squares on it."""
    rng = np.random.default_rng(3)
    rgb = np.full((SIDE_PX, SIDE_PX, 3), ground, np.float32) * rng.normal(1, 0.05, (SIDE_PX, SIDE_PX, 1))
    for place, colour in enumerate(others):
        rgb[20 : 20 + SIDE_PX // 4, 10 + 40 * place : 40 + 40 * place] = colour
    return np.clip(rgb, 0, 255).astype(np.uint8)


def lit(rgb: np.ndarray, light: tuple[float, float, float]) -> np.ndarray:
    """An image in another light, each channel scaled where it is linear (gamma 2.2)."""
    return np.clip(rgb * np.array(light) ** (1 / 2.2), 0, 255).astype(np.uint8)


OTHERS = [
    [(200, 200, 200)],
    [(235, 235, 230), (90, 90, 95)],
    [(150, 150, 150), (60, 90, 190), (230, 225, 220)],
]
GROUNDS = [RED, LAWN, WOOD, BLUE]


@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_a_coloured_ground_is_no_coloured_light(
    ground: tuple[int, int, int], others: list[tuple[int, int, int]]
) -> None:
    photo = surfaces(ground, others)
    assert abs(photo_light(photo).b) > 8
    assert abs(light_warmth(photo)) < 4


@pytest.mark.parametrize("ground", [RED, LAWN, WOOD, (128, 128, 128)])
def test_a_photo_that_is_tinted_as_a_whole_shows_coloured_light(ground: tuple[int, int, int]) -> None:
    photo = surfaces(ground, OTHERS[1])
    assert light_warmth(lit(photo, (1.0, 0.75, 0.45))) > 4
    assert light_warmth(lit(photo, (0.5, 0.78, 1.0))) < -4


def test_the_warmth_of_light_is_b_of_a_grey_in_it() -> None:
    photo = lit(surfaces((128, 128, 128), [(200, 200, 200)]), (1.0, 0.8, 0.6))
    level = 255 * np.power((1.0, 0.8, 0.6), 1 / 2.2) * 0.5
    assert light_warmth(photo) == pytest.approx(photo_light(np.full((8, 8, 3), level, np.uint8)).b, abs=2)


def test_a_photo_without_usable_pixels_or_edges_has_no_light_that_can_be_told() -> None:
    assert light_warmth(np.full((40, 30, 3), (200, 120, 60), np.uint8)) == 0.0
    assert light_warmth(np.full((40, 30, 3), 255, np.uint8)) == 0.0
    assert light_warmth(np.zeros((1, 1, 3), np.uint8)) == 0.0
