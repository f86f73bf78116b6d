"""The nearest of rows that grow in number: the same as by comparing all, and nearly always so beyond some thousands."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from pipeline.domain import nearest_rows
from pipeline.domain.nearest_rows import NearestRows


def clustered(count: int, *, seed: int, size: int = 12) -> np.ndarray:
    """(count, size) float32 of length 1, around 40 directions."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(99).random((40, size))
    rows = directions[rng.integers(0, 40, count)] + 0.1 * rng.normal(size=(count, size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_without_rows_there_is_no_nearest_one() -> None:
    assert NearestRows(np.zeros((0, 3), np.float32)).nearest(np.ones(3, np.float32)) is None


def test_few_rows_are_all_compared_and_the_first_of_equal_ones_is_returned() -> None:
    rows, new = clustered(500, seed=0), clustered(300, seed=1)
    nearest = NearestRows(rows[:200])
    for row in rows[200:]:
        nearest.add(row)
    for row in new:
        cosines = rows @ row
        assert nearest.nearest(row) == (pytest.approx(cosines.max(), abs=1e-6), int(cosines.argmax()))
    nearest.add(rows[7])
    assert nearest.nearest(rows[7]) == (pytest.approx(1.0, abs=1e-6), 7)


@pytest.mark.parametrize("there", [0, 400, 1_500])
def test_of_many_rows_the_nearest_is_nearly_always_found(monkeypatch: pytest.MonkeyPatch, there: int) -> None:
    monkeypatch.setattr(nearest_rows, "EXACT", 300)
    rows, new = clustered(1_500, seed=0), clustered(300, seed=1)
    nearest = NearestRows(rows[:there])
    for row in rows[there:]:
        nearest.add(row)
    found = 0
    for row in new:
        cosines = rows @ row
        answer = nearest.nearest(row)
        assert answer is not None
        assert answer[0] == pytest.approx(cosines[answer[1]], abs=1e-6)  # the cosine of the row that is named
        found += answer[1] == cosines.argmax()
    assert found >= 290


def test_a_single_search_among_many_rows_compares_all_of_them_without_making_lists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nearest_rows, "EXACT", 300)
    grouped: list[int] = []
    centres = nearest_rows._centres
    monkeypatch.setattr(
        nearest_rows, "_centres", lambda rows, count: grouped.append(len(rows)) or centres(rows, count)
    )
    rows, (new, other) = clustered(1_500, seed=0), clustered(2, seed=1)
    nearest = NearestRows(rows)
    answer = nearest.nearest(new)
    nearest.add(new)
    assert answer == (pytest.approx((rows @ new).max(), abs=1e-6), int((rows @ new).argmax()))
    assert grouped == []
    nearest.nearest(other)
    nearest.nearest(other)
    assert grouped == [1_501]


def test_a_row_that_no_search_follows_is_added_without_a_copy_of_the_others() -> None:
    rows = clustered(1_500, seed=0)
    nearest = NearestRows(rows)
    nearest.nearest(rows[0])
    tracemalloc.start()
    nearest.add(rows[1])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < rows.nbytes / 10


def test_lists_of_many_rows_grow_and_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_rows, "EXACT", 20)
    rows = clustered(400, seed=0)
    nearest = NearestRows(rows[:0])
    for position, row in enumerate(rows):
        nearest.add(row)
        assert nearest.nearest(row) == (pytest.approx(1.0, abs=1e-6), position)
    assert nearest.nbytes < 3 * (rows.nbytes + 8 * len(rows))


def test_equal_rows_are_found_as_the_first_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_rows, "EXACT", 20)
    row = clustered(1, seed=0)[0]
    nearest = NearestRows(np.tile(row, (50, 1)))
    for _ in range(50):
        nearest.add(row)
    assert nearest.nearest(row) == (pytest.approx(1.0, abs=1e-6), 0)


def test_many_equal_rows_are_found() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(17_000, 24)).astype(np.float32)
    rows[rng.permutation(len(rows))[:3_400]] = 1.0
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    equal = np.full(24, 1 / np.sqrt(24), np.float32)
    nearest = NearestRows(rows)
    nearest.add(equal)
    answer = nearest.nearest(equal)
    assert answer is not None
    assert answer[0] == pytest.approx(1.0, abs=1e-6)
