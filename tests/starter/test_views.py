"""Drawn backgrounds: the same on every call, of three compositions, with a ground that says what it shows."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.starter import DrawnBackground, drawn_backgrounds
from pipeline.starter.grounds import DRAWERS, TABLE_TOPS, WALLS
from pipeline.starter.views import Composition

COUNT = 12


@pytest.fixture(scope="module")
def backgrounds() -> list[DrawnBackground]:
    return list(drawn_backgrounds(size_px=48, count=COUNT))


def test_they_are_images_of_the_asked_size_with_something_on_them(backgrounds: list[DrawnBackground]) -> None:
    for background in backgrounds:
        assert background.rgb.shape == (48, 48, 3)
        assert background.rgb.dtype == np.uint8
        assert background.rgb.std() > 2
        assert 15 < background.rgb.mean() < 240


def test_the_same_seed_gives_the_same_pixels_and_another_other_ones(
    backgrounds: list[DrawnBackground],
) -> None:
    again = next(drawn_backgrounds(size_px=48, count=1))
    other = next(drawn_backgrounds(size_px=48, count=1, seed=1))
    assert np.array_equal(again.rgb, backgrounds[0].rgb)
    assert again.ground == backgrounds[0].ground
    assert not np.array_equal(other.rgb, backgrounds[0].rgb)


def test_half_are_floors_and_only_these_have_no_far_edge(backgrounds: list[DrawnBackground]) -> None:
    counts = [sum(background.composition is kind for background in backgrounds) for kind in Composition]
    assert counts == [COUNT // 2, COUNT // 4, COUNT // 4]
    for background in backgrounds:
        is_floor = background.composition is Composition.FLOOR
        assert (background.ground.edge == 0) == is_floor
        assert background.ground.pitch >= (42 if is_floor else 16)


def test_a_larger_set_begins_with_the_smaller(backgrounds: list[DrawnBackground]) -> None:
    longer = list(drawn_backgrounds(size_px=48, count=COUNT + 1))
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(longer, backgrounds, strict=False))


def test_the_first_ones_can_be_left_out(backgrounds: list[DrawnBackground]) -> None:
    (last,) = drawn_backgrounds(size_px=48, count=COUNT, first=COUNT - 1)
    assert np.array_equal(last.rgb, backgrounds[-1].rgb)
    assert last.ground == backgrounds[-1].ground
    assert list(drawn_backgrounds(size_px=48, count=COUNT, first=COUNT)) == []


def test_walls_and_tables_are_kinds_of_ground() -> None:
    assert {*WALLS, *TABLE_TOPS} <= {*DRAWERS}


def test_the_light_that_is_asked_for_lights_the_slopes_that_face_it() -> None:
    stones = DRAWERS[2]
    from_left, from_right = (stones(np.random.default_rng(3), light) for light in (0.0, np.pi))
    assert np.abs(from_left - from_right).mean() > 0.01
    turned = stones(np.random.default_rng(3), None)
    assert turned.shape == from_left.shape
