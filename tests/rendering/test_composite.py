"""The composite is exact, and what the model paints is what the composite shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.placement import Layer
from pipeline.errors import SizeMismatch
from pipeline.rendering.composite import composite, exact, repaint_mask
from tests.rendering.jobs import layer, noise


def flat(value: int, size: tuple[int, int] = (4, 6)) -> np.ndarray:
    return np.full((*size, 3), value, np.uint8)


def test_where_alpha_is_255_the_composite_equals_the_object_and_where_0_the_background() -> None:
    placed, background = layer(), noise(3)
    sample = composite(placed, background)
    opaque, empty = placed.alpha == 255, placed.alpha == 0
    assert np.array_equal(sample[opaque], placed.rgb[opaque])
    assert np.array_equal(sample[empty], background[empty])


@given(
    top=st.integers(0, 255),
    bottom=st.integers(0, 255),
    alpha=st.integers(0, 255),
)
def test_a_soft_pixel_is_the_rounded_mean_of_both(top: int, bottom: int, alpha: int) -> None:
    placed = Layer(rgb=flat(top), alpha=np.full((4, 6), alpha, np.uint8))
    wanted = np.floor((top * alpha + bottom * (255 - alpha)) / 255 + 0.5)
    assert (composite(placed, flat(bottom)) == wanted).all()


def test_a_background_of_another_size_is_refused_with_both_sizes() -> None:
    placed = Layer(rgb=flat(0), alpha=np.zeros((4, 6), np.uint8))
    with pytest.raises(SizeMismatch, match=r"layer is 4x6, background is 2x6"):
        composite(placed, flat(0, (2, 6)))


def test_exact_notices_one_grey_level_in_one_opaque_pixel() -> None:
    placed = layer()
    sample = composite(placed, noise(3))
    assert exact(sample, placed)
    row, column = np.argwhere(placed.alpha == 255)[0]
    sample[row, column, 1] ^= 1
    assert not exact(sample, placed)


def test_exact_does_not_look_at_soft_pixels() -> None:
    placed = layer()
    sample = composite(placed, noise(3))
    sample[placed.alpha < 255] = 0
    assert exact(sample, placed)


def test_everything_but_the_opaque_object_is_repainted() -> None:
    placed = layer()
    assert np.array_equal(repaint_mask(placed) == 0, placed.alpha == 255)


def test_an_inset_of_2_px_repaints_a_ring_of_2_px_inside_the_object() -> None:
    alpha = np.zeros((20, 20), np.uint8)
    alpha[5:15, 5:15] = 255
    kept = repaint_mask(Layer(rgb=flat(0, (20, 20)), alpha=alpha), inset_px=2) == 0
    assert kept[7:13, 7:13].all()
    assert kept.sum() == 36


def test_an_object_thinner_than_the_inset_stays_visible_to_the_model() -> None:
    alpha = np.zeros((20, 20), np.uint8)
    alpha[9:11] = 255
    kept = repaint_mask(Layer(rgb=flat(0, (20, 20)), alpha=alpha), inset_px=3) == 0
    assert np.array_equal(kept, alpha == 255)


def test_an_object_at_the_border_of_the_image_is_not_inset_there() -> None:
    alpha = np.zeros((20, 20), np.uint8)
    alpha[:10] = 255
    kept = repaint_mask(Layer(rgb=flat(0, (20, 20)), alpha=alpha), inset_px=2) == 0
    assert kept[:8].all()
    assert not kept[8:].any()
