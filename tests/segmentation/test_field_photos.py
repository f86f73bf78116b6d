"""Segments of photos with several objects, and the photos without them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.segmentation import emptied, field_objects, field_photos
from pipeline.segmentation.field_photos import ObjectCount
from pipeline.segmentation.filling import Filled

RED = (220, 20, 20)


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what is red for an object, and what is grey-green for undecided."""

    def probability(rgb: np.ndarray, _network: Path | None = None) -> np.ndarray:
        red, green, blue = (rgb[..., channel].astype(np.float32) for channel in range(3))
        undecided = (green > red + 20) & (green > blue + 20)
        return np.where(undecided, 0.5, np.clip((red - green) / 100 - 0.5, 0.01, 0.99)).astype(np.float32)

    monkeypatch.setattr(field_photos, "object_probability", probability)


def ground(height: int = 160, width: int = 200, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: grey, lighter to the right, with grain."""
    rng = np.random.default_rng(seed)
    light = np.linspace(90, 150, width)[None, :, None] + rng.normal(0, 6, (height, width, 1))
    return np.repeat(np.clip(light, 0, 255), 3, axis=2).astype(np.uint8)


def with_squares(*squares: tuple[int, int, int]) -> np.ndarray:
    """The ground with red squares (left, top, side)."""
    photo = ground()
    for left, top, side in squares:
        photo[top : top + side, left : left + side] = RED
    return photo


def count_of(photo: np.ndarray) -> ObjectCount:
    found = field_objects(photo)
    assert found is not None
    return found.count


def test_objects_that_stand_apart_are_counted_and_measured() -> None:
    count = count_of(with_squares((20, 30, 40), (120, 90, 32)))
    assert count.doubt == ""
    assert count.lengths == (pytest.approx(40 / 160, abs=0.02), pytest.approx(32 / 160, abs=0.02))
    assert count.overlap == 0.0
    assert count.covered == pytest.approx((40 * 40 + 32 * 32) / (160 * 200), abs=0.005)


def test_the_length_of_a_turned_object_is_that_along_its_axis() -> None:
    photo = ground()
    corners = cv2.boxPoints(((100, 80), (100, 20), 45)).astype(np.int32)
    cv2.fillPoly(photo, [corners], RED)
    assert count_of(photo).lengths == (pytest.approx(100 / 160, abs=0.03),)


def test_overlap_is_that_of_the_boxes() -> None:
    photo = ground()
    cv2.line(photo, (20, 20), (20, 140), RED, 8)
    cv2.line(photo, (20, 140), (120, 140), RED, 8)  # an L, whose box holds the square
    photo[40:80, 60:100] = RED
    count = count_of(photo)
    assert len(count.lengths) == 2
    assert count.overlap == pytest.approx(1.0, abs=0.02)


def test_a_photo_in_which_no_object_is_seen_is_no_background() -> None:
    found = field_objects(ground())
    assert found is not None
    assert found.count == ObjectCount(doubt="no object is seen")
    assert emptied(ground(), found) == (
        None,
        "no object is seen",
    )  # it may be a heap, from which nothing stands out


def test_a_heap_that_fills_the_photo_is_not_counted() -> None:
    count = count_of(with_squares((0, 0, 160)))
    assert (count.lengths, count.doubt) == ((), "objects fill it or touch each other")


def test_a_photo_in_which_nothing_is_certain_is_not_counted() -> None:
    photo = with_squares((20, 30, 40))
    photo[:, 100:] = (60, 140, 60)
    assert count_of(photo).doubt == "objects cannot be told from the rest"


def test_a_photo_in_which_every_look_finds_something_else_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[np.ndarray] = []

    def elsewhere(rgb: np.ndarray, _network: Path | None = None) -> np.ndarray:
        seen = np.full(rgb.shape[:2], 0.01, np.float32)
        left = 60 * len(looks)
        seen[40:90, left : left + 50] = 0.99
        looks.append(seen)
        return seen

    monkeypatch.setattr(field_photos, "object_probability", elsewhere)
    photo = ground(160, 200)
    assert count_of(photo).doubt in ("objects cannot be told from the rest", "no object is seen")
    assert len(looks) == 3


def test_objects_are_replaced_by_the_ground_beside_them() -> None:
    photo = with_squares((20, 30, 40), (140, 90, 32))
    found = field_objects(photo)
    assert found is not None
    filled, reason = emptied(photo, found)
    assert reason == ""
    assert filled is not None
    assert (filled[~found.hole] == photo[~found.hole]).all()
    clean = ground().astype(np.float32)
    assert np.abs(filled.astype(np.float32) - clean)[found.hole].mean() < 12
    assert filled[30:70, 20:60].std() == pytest.approx(clean[30:70, 20:60].std(), rel=0.4)  # its grain stays


def test_the_shadow_of_an_object_goes_with_it() -> None:
    photo = ground(160, 240)
    shaded = photo.copy()
    shaded[62:102, 96:124] = (shaded[62:102, 96:124] * 0.6).astype(np.uint8)
    shaded[60:100, 60:100] = RED
    found = field_objects(shaded)
    assert found is not None
    assert found.hole[64:100, 102:122].all()
    filled, reason = emptied(shaded, found)
    assert reason == ""
    assert filled is not None
    beside = (slice(64, 100), slice(102, 122))
    assert filled[beside].mean() == pytest.approx(photo[beside].mean(), abs=6)


def test_a_large_object_leaves_no_background() -> None:
    photo = with_squares((30, 10, 130))
    found = field_objects(photo)
    assert found is not None
    assert emptied(photo, found) == (None, "its objects cover 53% of it, too much to be filled")


def test_where_nothing_fits_there_is_no_background(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = with_squares((60, 40, 60))
    found = field_objects(photo)
    assert found is not None
    for result in (None, Filled(photo, misfit=17.0)):
        monkeypatch.setattr(field_photos, "filled", lambda _rgb, _hole, result=result: result)
        assert emptied(photo, found) == (None, "no part of it fits into the place of its objects")


def test_an_object_that_is_still_seen_leaves_no_background(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = with_squares((20, 30, 40))
    found = field_objects(photo)
    assert found is not None
    monkeypatch.setattr(
        field_photos, "object_probability", lambda rgb, _network: np.ones(rgb.shape[:2], np.float32)
    )
    assert emptied(photo, found) == (None, "an object is still seen after it was filled")


def test_without_a_network_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_photos, "object_probability", lambda _rgb, _network: None)
    assert field_objects(ground()) is None
