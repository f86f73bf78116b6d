"""Fine detail is given back by its share, and matched to the object without touching it."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain.placement import Layer
from pipeline.rendering.composite import composite
from pipeline.rendering.detail import matched_detail, with_detail_of

SIDE = 96
OUTSIDE = np.ones((SIDE, SIDE), bool)
OUTSIDE[20:76, 20:76] = False


def checks(cell: int, low: int = 90, high: int = 160) -> np.ndarray:
    rows, columns = np.indices((SIDE, SIDE)) // cell
    grey = np.where((rows + columns) % 2, low, high).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def noisy(image: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def placed(object_pixels: np.ndarray) -> Layer:
    return Layer(rgb=object_pixels, alpha=np.where(OUTSIDE, 0, 255).astype(np.uint8))


def detail(image: np.ndarray, where: np.ndarray = OUTSIDE) -> float:
    return float(cv2.Laplacian(image.astype(np.float32), cv2.CV_32F)[where].std())


def test_all_detail_of_the_picture_comes_back_on_what_was_painted_from_it() -> None:
    picture = checks(8)
    painted = blurred(picture, 2.0)
    whole = with_detail_of(picture, painted, 1.0, finest_px=2.0)
    assert detail(whole) > 0.7 * detail(picture) > 3 * detail(painted)


def test_a_share_gives_that_share_and_none_gives_nothing() -> None:
    picture, painted = checks(8), np.full((SIDE, SIDE, 3), 40, np.uint8)
    none, half, whole = (with_detail_of(picture, painted, share, finest_px=2.0) for share in (0.0, 0.5, 1.0))
    assert np.array_equal(none, painted)
    assert abs((half.astype(int) - 40) * 2 - (whole.astype(int) - 40)).max() <= 3
    assert abs(float(whole.mean()) - 40) < 2, "colour and brightness are the painted ones"


def test_beside_the_object_the_picture_itself_comes_back_and_far_away_its_detail_alone() -> None:
    picture, painted = np.full((SIDE, SIDE, 3), 60, np.uint8), np.full((SIDE, SIDE, 3), 160, np.uint8)
    alpha = placed(picture).alpha
    row = with_detail_of(picture, painted, 0.6, finest_px=2.0, beside=alpha)[48, :20, 0].astype(int)
    assert row[0] == 160
    assert row[19] < 110
    assert (np.diff(row) <= 0).all()


def test_a_background_sharper_than_the_object_is_blurred() -> None:
    ground = checks(12)
    matched = matched_detail(ground, placed(blurred(checks(12), 1.5)), seed=1)
    assert detail(matched) < 0.7 * detail(ground)


def test_a_background_as_sharp_as_the_object_stays() -> None:
    ground = checks(12)
    assert np.array_equal(matched_detail(ground, placed(checks(12)), seed=1), ground)


def test_a_smooth_background_gets_the_grain_of_the_objects_photo() -> None:
    ground = np.full((SIDE, SIDE, 3), 120, np.uint8)
    layer = placed(noisy(blurred(checks(24), 1.0), 5.0))
    matched = matched_detail(ground, layer, seed=1)
    spread = float(matched[OUTSIDE].std())
    assert 1.5 < spread < 7
    assert np.array_equal(matched, matched_detail(ground, layer, seed=1))
    assert not np.array_equal(matched, matched_detail(ground, layer, seed=2))
    assert np.array_equal(composite(layer, matched)[~OUTSIDE], layer.rgb[~OUTSIDE])


def test_an_object_too_small_to_judge_changes_nothing() -> None:
    small = Layer(rgb=noisy(checks(4), 9.0), alpha=np.zeros((SIDE, SIDE), np.uint8))
    small.alpha[:10, :10] = 255
    ground = checks(3)
    assert np.array_equal(matched_detail(ground, small, seed=1), ground)
