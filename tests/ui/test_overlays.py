from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import InvalidRequest
from ui.components.overlays import mask_overlay, painted_mask, view_factor

GREEN, RED = (34, 197, 94, 255), (239, 68, 68, 255)


def layer(height: int, width: int, colour: tuple[int, ...], box: tuple[int, int, int, int]) -> np.ndarray:
    painted = np.zeros((height, width, 4), np.uint8)
    x0, y0, x1, y1 = box
    painted[y0:y1, x0:x1] = colour
    return painted


@pytest.mark.parametrize(
    ("size", "factor"), [((192, 192), 4), ((768, 100), 1), ((2000, 1000), 1), ((10, 300), 2)]
)
def test_small_photos_are_shown_enlarged_by_a_whole_factor(size: tuple[int, int], factor: int) -> None:
    assert view_factor(size) == factor


def test_green_adds_and_red_takes_away() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:, 4:] = 200
    strokes = layer(8, 8, GREEN, (0, 0, 2, 2)) + layer(8, 8, RED, (6, 6, 8, 8))
    changed = painted_mask([strokes], mask)
    assert (changed[:2, :2] == 255).all()
    assert (changed[6:, 6:] == 0).all()
    assert (changed[2:6, 4:] == 200).all()
    assert mask[7, 7] == 200


def test_strokes_on_the_enlarged_photo_come_back_to_its_size() -> None:
    changed = painted_mask([layer(32, 32, GREEN, (0, 0, 8, 8))], np.zeros((8, 8), np.uint8))
    assert changed.shape == (8, 8)
    assert (changed > 0).sum() == 4


def test_an_empty_layer_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="nothing was painted"):
        painted_mask([np.zeros((8, 8, 4), np.uint8)], np.zeros((8, 8), np.uint8))


def test_a_layer_of_another_shape_is_refused_with_both_sizes() -> None:
    with pytest.raises(InvalidRequest, match="a 40x20 layer for a 8x8 photo"):
        painted_mask([layer(20, 40, GREEN, (0, 0, 8, 8))], np.zeros((8, 8), np.uint8))


def test_the_overlay_keeps_the_object_and_dims_the_rest() -> None:
    photo = np.full((768, 768, 3), 200, np.uint8)
    mask = np.zeros((768, 768), np.uint8)
    mask[200:500, 200:500] = 255
    shown = mask_overlay(photo, mask)
    assert (shown[350, 350] == 200).all()
    assert (shown[50, 50] == 76).all()
