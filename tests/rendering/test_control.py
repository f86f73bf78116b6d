"""Edge images: of the object, of a scene without its object, of a reference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.domain.placement import Layer
from pipeline.rendering import canny, control_image


def placed_square(side: int = 64) -> Layer:
    alpha = np.zeros((side, side), np.uint8)
    alpha[20:40, 20:40] = 255
    return Layer(rgb=np.full((side, side, 3), 127, np.uint8), alpha=alpha)


def ruled(side: int = 64) -> np.ndarray:
    """White ground with one black bar, columns 50 to 53."""
    image = np.full((side, side, 3), 255, np.uint8)
    image[:, 50:54] = 0
    return image


def test_edges_are_those_of_opencv_at_the_images_own_size() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)
    edges = canny(rgb)
    assert np.array_equal(edges[..., 0], cv2.Canny(rgb, 100, 200))
    assert np.array_equal(edges[..., 0], edges[..., 2])


def test_a_size_that_is_no_multiple_of_64_keeps_its_size_and_two_values() -> None:
    edges = canny(ruled(96)[:72])
    assert edges.shape == (72, 96, 3)
    assert set(np.unique(edges)) == {0, 255}


@pytest.mark.parametrize("size", [(32, 32), (32, 64)])
def test_the_smallest_images_have_edges_too(size: tuple[int, int]) -> None:
    half = np.zeros((*size, 3), np.uint8)
    half[:, size[1] // 2 :] = 255
    edges = canny(half)
    assert edges.shape == half.shape
    assert set(np.unique(edges)) == {0, 255}
    assert abs(float(np.nonzero(edges[..., 0])[1].mean()) - size[1] / 2) < 1.5


def test_an_object_of_the_grounds_own_grey_still_shows_its_outline() -> None:
    edges = control_image(placed_square())[..., 0] > 0
    assert edges[30].any()
    assert not edges[:18].any()
    assert not edges[42:].any()
    assert not edges[25:35, 25:35].any()


def test_the_scene_gives_its_edges_round_the_object() -> None:
    edges = control_image(placed_square(), background=ruled())[..., 0] > 0
    assert edges[:, 48:56].any(axis=1).all()
    assert edges[30, 18:22].any()


def test_the_scenes_edges_do_not_run_through_the_placed_object() -> None:
    scene = np.full((64, 64, 3), 255, np.uint8)
    scene[:, 28:32] = 0
    edges = control_image(placed_square(), background=scene)[..., 0] > 0
    assert edges[:15, 26:34].any()
    assert not edges[22:38, 22:38].any()


def test_where_the_photographed_object_stood_no_edges_are_left() -> None:
    erased = np.zeros((64, 64), np.uint8)
    erased[:, 48:56] = 255
    edges = control_image(placed_square(), background=ruled(), erased=erased)
    assert np.array_equal(edges, control_image(placed_square()))


def test_a_ground_of_another_size_is_fitted_to_the_canvas() -> None:
    edges = control_image(placed_square(), background=cv2.resize(ruled(), (256, 256)))
    assert edges.shape == (64, 64, 3)
    assert edges[:, 48:56].any()
