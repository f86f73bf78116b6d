import numpy as np
import pytest

from training.diagnosis.cutouts import PhotoCutout, PhotoCutouts
from training.diagnosis.factors import (
    FACTORS,
    Factor,
    background_of,
    clutter,
    contrast,
    factor_values,
    luminance,
    off_centre,
)
from training.diagnosis.squares import Squares

SIDE = 40


def plain(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), colour, np.uint8)


def block(top: int, left: int, side: int) -> np.ndarray:
    """A mask with a square object."""
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[top : top + side, left : left + side] = 255
    return alpha


def test_every_factor_has_a_row_in_the_table() -> None:
    assert set(FACTORS) == set(Factor)


def test_luminance_is_that_of_a_plain_colour() -> None:
    assert luminance(plain((51, 51, 51))) == pytest.approx(0.2)


def test_the_distance_from_the_centre_is_in_half_diagonals() -> None:
    assert off_centre(block(15, 15, 10)) == pytest.approx(0.0)
    assert off_centre(block(15, 25, 10)) == pytest.approx(10 / np.hypot(20, 20))


def test_the_background_keeps_away_from_the_outline_and_is_none_where_too_little_is_left() -> None:
    background = background_of(block(10, 10, 20))
    assert background.sum() == SIDE**2 - 30**2  # 5 px on each side belong to neither
    assert not background_of(block(1, 1, SIDE - 2)).any()


def test_clutter_is_the_share_of_background_pixels_on_an_edge() -> None:
    alpha, calm, striped = block(15, 15, 10), plain((90, 90, 90)), plain((90, 90, 90))
    striped[:, ::8] = 255
    assert clutter(calm, alpha) == 0.0
    assert clutter(striped, alpha) > 0.2
    assert np.isnan(clutter(calm, block(0, 0, SIDE)))


def test_contrast_is_the_distance_in_cielab() -> None:
    alpha, rgb = block(15, 15, 10), plain((0, 0, 0))
    assert contrast(rgb, alpha) == 0.0
    rgb[15:25, 15:25] = 255
    assert contrast(rgb, alpha) == pytest.approx(100.0, abs=0.1)  # black to white


def test_what_needs_a_mask_is_unknown_without_a_usable_one() -> None:
    squares = Squares(images=np.stack([plain((9, 9, 9))] * 3), masks=(None,) * 3, names=("a", "b", "c"))
    good = PhotoCutout(block(10, 10, 20), 0.9, 1)
    several = PhotoCutout(block(10, 10, 20), 0.4, 3)  # cannot be used as one object, but can be counted
    values = factor_values(squares, PhotoCutouts((good, several, None), ""), None)
    assert values[Factor.OBJECT_SIZE][0] == pytest.approx(0.25)
    assert np.isnan(values[Factor.OBJECT_SIZE]).tolist() == [False, True, True]
    assert values[Factor.OBJECTS][:2].tolist() == [1.0, 3.0]
    assert np.isnan(values[Factor.OBJECTS][2])
    assert np.isnan(values[Factor.UNLIKENESS]).all()
    assert not np.isnan(values[Factor.LIGHT]).any()
