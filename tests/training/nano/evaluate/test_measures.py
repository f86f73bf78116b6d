from __future__ import annotations

import numpy as np
import pytest

from training.nano.evaluate.measures import (
    colour_spread,
    edge_f_score,
    green_magenta_kept,
    psnr,
    share_of_the_way,
)


def test_psnr_of_a_difference_of_one_level_is_48_db() -> None:
    grey = np.full((2, 8, 8, 3), 100, np.uint8)
    assert psnr(grey, grey + 1) == pytest.approx(48.13, abs=0.01)


def test_edges_one_pixel_aside_count_as_found_and_two_do_not() -> None:
    wanted, near, far = (np.zeros((9, 9), np.uint8) for _ in range(3))
    wanted[:, 4], near[:, 5], far[:, 6] = 255, 255, 255
    assert edge_f_score(wanted, near) == pytest.approx(1.0)
    assert edge_f_score(wanted, far) == 0.0


def test_no_edges_wanted_and_none_drawn_is_perfect() -> None:
    empty = np.zeros((4, 4), np.uint8)
    assert edge_f_score(empty, empty) == 1.0


def test_colour_spread_is_zero_for_equal_images() -> None:
    assert colour_spread(np.full((3, 4, 4, 3), 9, np.uint8)) == 0.0


def test_a_grey_copy_keeps_nothing_of_green_and_magenta_and_the_same_image_all() -> None:
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[0, ..., 1], images[1, ..., 0] = 200, 200
    grey = np.full_like(images, 90)
    assert green_magenta_kept(images, images) == pytest.approx(1.0)
    assert green_magenta_kept(images, grey) == pytest.approx(0.0)


def test_the_share_of_the_way_is_one_at_the_ceiling_and_has_no_spread_where_all_images_agree() -> None:
    start, ceiling = np.full(8, 0.2), np.full(8, 0.6)
    assert share_of_the_way(start, ceiling, ceiling) == pytest.approx((1.0, 1.0, 1.0))
    assert share_of_the_way(start, np.full(8, 0.5), ceiling) == pytest.approx((0.75, 0.75, 0.75))


def test_the_interval_of_the_share_holds_the_share() -> None:
    rng = np.random.default_rng(1)
    start, reached, ceiling = (rng.normal(mean, 0.1, 64) for mean in (0.2, 0.4, 0.6))
    share, low, high = share_of_the_way(start, reached, ceiling)
    assert low < share < high
    assert 0.3 < low < high < 0.7
