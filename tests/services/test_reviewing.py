"""What a reviewer may ask of one sample, on a toy library and the real nano."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, NotFound
from pipeline.services.file_access import FileAccess
from pipeline.services.review.another_try import another_try, photo_in_place
from pipeline.store import Library
from tests.toy_library import IDENTITY, add_subject, filled, picture, render, spec


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def test_the_photograph_comes_moved_as_the_object_was(library: Library) -> None:
    (sample_id,) = filled(library, subjects=1, samples=1)
    assert library.samples.get(sample_id).homographies == (IDENTITY,)
    assert np.array_equal(photo_in_place(library, sample_id), picture(0))


def test_a_sample_without_a_picture_has_no_photograph_in_place(library: Library) -> None:
    planned = spec(add_subject(library, 1))
    library.plans.add("toy", "", [planned])
    with pytest.raises(InvalidRequest, match="no image yet"):
        photo_in_place(library, planned.id)
    with pytest.raises(NotFound):
        photo_in_place(library, "nowhere")


def test_another_try_has_the_same_placement_and_a_new_seed_each_time(library: Library) -> None:
    first, _ = filled(library, subjects=1, samples=2)
    tries = [another_try(library, first, FileAccess(), batch_size=1) for _ in range(2)]
    was = library.samples.get(first)
    assert len({was.id, *(one.id for one in tries)}) == 3
    for one in tries:
        assert one.spec.objects == was.spec.objects
        assert one.spec.prompt == was.spec.prompt
        assert one.review == "pending"
        assert one.exact
    assert was.review == "pending"
    assert {row.id for row in library.queue.next_pending()} >= {one.id for one in tries}
    assert library.verify() == []


def test_a_pasted_background_has_no_other_try(library: Library) -> None:
    subject = add_subject(library, 1)
    pasted = spec(subject, method=Method.PASTE, backdrop_id=subject.image_id)
    library.plans.add("toy", "", [pasted])
    render(library, pasted)
    with pytest.raises(InvalidRequest, match="no seed"):
        another_try(library, pasted.id, FileAccess(), batch_size=1)


def test_two_who_ask_for_another_try_at_once_both_get_one(library: Library) -> None:
    samples = filled(library, subjects=2, samples=4)
    with ThreadPoolExecutor(4) as pool:
        tries = list(
            pool.map(lambda sample_id: another_try(library, sample_id, FileAccess(), batch_size=1), samples)
        )
    assert len({one.id for one in tries}) == 4
    assert library.verify() == []
