from __future__ import annotations

import numpy as np
import pytest

from training.nano.data.rows import Rows, single_surface
from training.nano.evaluate.judge import blurred, trained_judges


def stripes(count: int, *, across: bool, seed: int) -> np.ndarray:
    """(N, 64, 64, 3) uint8: stripes eight pixels wide, level or upright, with noise."""
    rng = np.random.default_rng(seed)
    line = np.where(np.arange(64) // 8 % 2, 190, 60)
    images = np.empty((count, 64, 64, 3))
    for image in images:
        shifted = np.roll(line, rng.integers(16))
        image[:] = np.broadcast_to(shifted[:, None] if across else shifted[None], (64, 64))[..., None]
    return np.clip(images + rng.normal(0, 12, images.shape), 0, 255).astype(np.uint8)


def drawn(rgb: np.ndarray, words: list[str]) -> Rows:
    masks = np.full(rgb.shape[:3], 255, np.uint8)
    return Rows(rgb, masks, [f"{word} seen from above" for word in words], words)


def test_a_blur_keeps_the_mean_and_takes_the_grain() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    soft = blurred(images, 1.5)
    assert (soft.shape, soft.dtype) == (images.shape, np.uint8)
    assert soft.std() < 0.3 * images.std()
    assert soft.mean() == pytest.approx(images.mean(), abs=1.0)
    assert np.array_equal(blurred(images, 0.1), images)


@pytest.mark.parametrize("grey", [False, True])
def test_judges_tell_textures_apart_that_they_never_saw_sharp_or_soft(grey: bool) -> None:
    words = ["planks"] * 12 + ["cloth"] * 12
    rows = drawn(np.concatenate([stripes(12, across=True, seed=1), stripes(12, across=False, seed=2)]), words)
    judge = trained_judges(rows, ["planks", "cloth"], grey=grey, steps=60, count=2)
    new = np.concatenate([stripes(8, across=True, seed=3), stripes(8, across=False, seed=4)])
    for images in (new, blurred(new, 2.0)):
        assert (judge.ranks(images, ["planks"] * 8 + ["cloth"] * 8) == 0).all()
        assert (judge.ranks(images, ["cloth"] * 8 + ["planks"] * 8) == 1).all()


def test_scenes_with_a_wall_or_a_sky_teach_no_judge() -> None:
    rows = drawn(stripes(3, across=True, seed=5), ["wood"] * 3)
    captions = ["wood floor", "wood floor in front of a snow wall", "wood under a blue sky"]
    assert single_surface(Rows(rows.rgb, rows.repaint, captions, rows.surfaces)).tolist() == [0]
