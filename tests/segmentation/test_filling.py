"""Holes are filled with patches of the same photo."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.segmentation.filling import filled


def stripes(height: int = 96, width: int = 128, period: int = 8) -> np.ndarray:
    """(H, W, 3) uint8: upright stripes of two greys."""
    columns = np.where(np.arange(width) // (period // 2) % 2, 180, 60)
    return np.repeat(np.broadcast_to(columns, (height, width))[..., None], 3, axis=2).astype(np.uint8)


def hole(height: int = 96, width: int = 128) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[30:60, 40:76] = True
    return mask


def test_a_pattern_goes_on_in_the_hole_and_nothing_else_changes() -> None:
    photo = stripes()
    damaged = np.where(hole()[..., None], 255, photo).astype(np.uint8)
    result = filled(damaged, hole())
    assert result is not None
    assert (result.rgb[~hole()] == photo[~hole()]).all()
    assert np.abs(result.rgb.astype(int) - photo)[hole()].max() <= 2
    assert result.misfit < 1


def test_a_photo_above_the_working_size_is_filled_at_its_own() -> None:
    photo, large = stripes(480, 640, period=40), hole(480, 640)
    large[150:300, 200:380] = True
    result = filled(np.where(large[..., None], 255, photo).astype(np.uint8), large)
    assert result is not None
    assert result.rgb.shape == photo.shape
    assert (result.rgb[~large] == photo[~large]).all()
    assert np.abs(result.rgb.astype(int) - photo)[large].mean() < 15


@pytest.mark.parametrize("size", [(384, 288), (500, 333), (301, 257)])
def test_nothing_of_the_object_shows_between_the_patches(size: tuple[int, int]) -> None:
    photo = np.full((*size, 3), 200, np.uint8)
    place = np.zeros(size, bool)
    place[60:190, 70:200] = True
    photo[place] = 10
    result = filled(photo, place)
    assert result is not None
    assert result.rgb[place].min() >= 198


def test_what_does_not_fit_has_a_large_misfit() -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (8, 11, 3), dtype=np.uint8)
    photo = np.ascontiguousarray(np.kron(blocks, np.ones((12, 12, 1), np.uint8))[:96, :128])
    result = filled(photo, hole())
    assert result is not None
    assert result.misfit > 10


@pytest.mark.parametrize("size", [(8, 8), (9, 64), (40, 40)])
def test_without_a_whole_patch_outside_the_hole_there_is_nothing_to_fill_it_with(
    size: tuple[int, int],
) -> None:
    everywhere = np.ones(size, bool)
    everywhere[:2] = False
    assert filled(np.zeros((*size, 3), np.uint8), everywhere) is None


def test_a_photo_without_a_hole_stays_as_it_is() -> None:
    result = filled(stripes(), np.zeros((96, 128), bool))
    assert result is not None
    assert (result.rgb == stripes()).all()
