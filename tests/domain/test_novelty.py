"""Which images add least to a set."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from pipeline.domain.novelty import least_novel, nearness_limit, repeats, surprise
from pipeline.domain.variety import cosine_vendi


def units(count: int, size: int, *, seed: int = 0) -> np.ndarray:
    """(count, size) random rows of length 1, none of them negative, as the features of a network are."""
    rows = np.abs(np.random.default_rng(seed).normal(size=(count, size)))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def at_degrees(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@pytest.mark.parametrize(("count", "size"), [(12, 30), (30, 12)])
def test_the_mean_surprise_is_the_logarithm_of_the_vendi_score(count: int, size: int) -> None:
    rows = units(count, size)
    assert np.exp(surprise(rows).mean()) == pytest.approx(cosine_vendi(rows), rel=1e-5)


def test_an_image_like_no_other_surprises_most() -> None:
    assert surprise(at_degrees(0, 0, 0, 90)).tolist() == pytest.approx(
        [-np.log(0.75)] * 3 + [-np.log(0.25)], rel=1e-5
    )


def test_images_that_others_repeat_are_left_out() -> None:
    rows = np.eye(4, dtype=np.float32)[[0, 1, 1, 1, 2, 3]]
    everything, nothing = np.ones(6, np.bool_), np.zeros(6, np.bool_)
    left_out = least_novel(rows, 2, free=everything, first=nothing)
    assert sorted(left_out.tolist()) == [1, 2]
    assert cosine_vendi(np.delete(rows, left_out, axis=0)) == pytest.approx(4.0)


def test_those_that_go_first_go_and_those_that_are_not_free_stay() -> None:
    rows = np.eye(4, dtype=np.float32)[[0, 1, 1, 1, 2, 3]]
    free = np.array([True, False, False, True, True, False])
    first = np.array([False, True, False, False, True, False])
    assert least_novel(rows, 2, free=free, first=first).tolist() == [4, 3]
    assert sorted(least_novel(rows, 5, free=free, first=first).tolist()) == [0, 3, 4]


def test_leaving_out_by_surprise_beats_leaving_out_at_random() -> None:
    rows = units(60, 6, seed=1) ** 3
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    free = np.ones(60, np.bool_)
    chosen = np.delete(rows, least_novel(rows, 20, free=free, first=~free), axis=0)
    at_random = [cosine_vendi(rows[np.random.default_rng(seed).permutation(60)[:40]]) for seed in range(20)]
    assert cosine_vendi(chosen) > max(at_random)


def test_an_image_near_an_earlier_one_is_a_repeat_unless_that_one_is_left_out_itself() -> None:
    rows = at_degrees(0, 10, 20, 80)
    labels = np.zeros(4, np.int64)
    limits = np.array([np.cos(np.radians(12))], np.float32)
    assert repeats(rows, labels, limits, 1.0).tolist() == [False, True, False, False]


def test_each_class_has_its_limit_and_another_holds_across_classes() -> None:
    rows = at_degrees(0, 10, 10, 90, 80)
    labels = np.array([0, 0, 1, 1, 1])
    limits = np.cos(np.radians(np.array([15, 5], np.float32)))
    assert repeats(rows, labels, limits, 2.0).tolist() == [False, True, False, False, False]
    assert repeats(rows, labels, limits, np.cos(np.radians(11))).tolist() == [False, True, True, False, False]


def test_repeats_are_found_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.eye(5, dtype=np.float32)[[0, 1, 2, 0, 3, 1, 4, 4]]
    monkeypatch.setattr("pipeline.domain.novelty._ROWS", 3)
    found = repeats(rows, np.zeros(8, np.int64), np.array([0.9], np.float32), 1.0)
    assert np.flatnonzero(found).tolist() == [3, 5, 7]


def test_the_limit_is_how_near_photos_usually_are_and_at_most_that_of_near_duplicates() -> None:
    photos = at_degrees(0, 10, 30, 60)  # their nearest others are 10, 10, 20 and 30 degrees away
    middle = (np.cos(np.radians(10)) + np.cos(np.radians(20))) / 2
    assert nearness_limit(photos, 1.0) == pytest.approx(middle, rel=1e-6)
    assert nearness_limit(photos, 0.9) == pytest.approx(0.9)


def test_the_limit_of_many_photos_needs_no_matrix_of_all_pairs() -> None:
    photos = units(6000, 4)
    tracemalloc.start()
    limit = nearness_limit(photos, 1.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.99 < limit <= 1.0
    assert peak < 60_000_000  # all pairs take 144 MB
