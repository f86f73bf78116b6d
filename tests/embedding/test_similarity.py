"""Vectors are grouped by similarity, over chains and over the blocks in which they are compared."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.embedding import linked_groups, similarity


def turned(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane; the similarity of two is the cosine of the angle between them."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)


def test_a_chain_of_similar_vectors_is_one_group() -> None:
    assert linked_groups(turned(0, 90, 20, 40, 100, 180), 0.9).tolist() == [0, 1, 0, 0, 1, 5]


def test_no_vectors_are_no_groups() -> None:
    assert linked_groups(np.zeros((0, 3), np.float16), 0.9).tolist() == []


@pytest.mark.parametrize("rows", [1, 3, 1024])
def test_the_size_of_the_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(similarity, "_ROWS", rows)
    objects = [3, 0, 1, 0, 2, 1, 3, 3, 4, 0]
    groups = linked_groups(np.eye(5, dtype=np.float16)[objects], 0.9)
    assert groups.tolist() == [objects.index(number) for number in objects]
