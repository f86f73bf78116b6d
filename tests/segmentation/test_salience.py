"""What is salient beside the known object: what touches it continues it, what lies apart is another one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.segmentation import salience
from pipeline.segmentation.salience import Salience, beside, salience_beside


def boxes(*extents: tuple[int, int, int, int]) -> np.ndarray:
    """(60, 80) bool: filled boxes (x0, y0, x1, y1)."""
    mask = np.zeros((60, 80), bool)
    for x0, y0, x1, y1 in extents:
        mask[y0:y1, x0:x1] = True
    return mask


OBJECT = (10, 10, 30, 30)


def test_an_object_that_stands_alone_is_not_continued() -> None:
    assert beside(boxes(OBJECT), boxes(OBJECT)) == Salience(expansion=0.0, others=())
    assert beside(boxes((15, 15, 20, 20)), boxes(OBJECT)) == Salience(expansion=0.0, others=())


def test_what_continues_the_object_counts_as_a_share_of_it() -> None:
    found = beside(boxes((10, 10, 40, 30)), boxes(OBJECT))
    assert found == Salience(expansion=0.5, others=())


def test_what_lies_apart_is_another_object_unless_it_is_small() -> None:
    found = beside(boxes(OBJECT, (50, 10, 60, 20), (50, 40, 53, 43)), boxes(OBJECT))
    assert found == Salience(expansion=0.0, others=((50, 10, 60, 20),))


def test_without_a_known_object_or_the_network_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[np.ndarray] = []
    monkeypatch.setattr(salience, "object_probability", asked.append)
    rgb = np.zeros((60, 80, 3), np.uint8)
    assert salience_beside(rgb, np.zeros((60, 80), np.uint8)) is None
    assert not asked
    assert salience_beside(rgb, boxes(OBJECT).astype(np.uint8) * 255) is None
    assert len(asked) == 1
