"""`verify` finds what does not hold, and nothing in a sound library."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipeline.domain.images import encode_webp
from pipeline.domain.spec import SampleSpec
from pipeline.store import Library
from tests.toy_library import decision, filled, picture


def test_a_sound_library_has_no_problems_and_orphans_are_none(library: Library) -> None:
    ids = filled(library)
    library.review.record(decision(ids[0]))
    library.images.put(picture(77))
    seen: list[tuple[int, int]] = []
    assert library.verify(lambda done, total: seen.append((done, total))) == []
    assert seen[-1] == (9, 9)  # 2 photos, 2 cut-outs, 4 pictures, one mask for all


def test_missing_broken_and_changed_pictures_are_named(library: Library) -> None:
    filled(library, subjects=3)
    photos = library.photos.list()
    paths = [library.images.path(photo.image_id) for photo in photos]
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes()[:20])
    paths[2].write_bytes(encode_webp(picture(99)))
    assert library.verify() == [
        f"the photo of bolt/bolt/0.png is missing: {paths[0]}",
        f"the photo of bolt/bolt/1.png cannot be read: {paths[1]}",
        f"the photo of bolt/bolt/2.png was changed after it was stored: {paths[2]}",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            "UPDATE counters SET value = 9 WHERE key = 'pending'",
            "the counter of samples 'pending' says 9, there are 4",
        ),
        (
            "UPDATE samples SET split = 'test' WHERE seq = 1",
            "is in split test, its photo bolt/bolt/0.png in train",
        ),
        ("UPDATE samples SET image_id = NULL WHERE seq = 2", "is pending but has no image"),
        ("UPDATE samples SET spec = replace(spec, 'take 0', 'take 8')", "was changed after it was planned"),
        ("UPDATE samples SET spec = '{' WHERE seq = 3", "was changed after it was planned"),
        ("DELETE FROM subjects WHERE seq = 1", "points to a row of subjects that does not exist"),
    ],
    ids=["counter", "split", "picture", "spec", "broken spec", "foreign key"],
)
def test_rows_that_do_not_hold_together_are_named(library: Library, change: str, problem: str) -> None:
    filled(library)
    _change(library.path, change)
    assert any(problem in said for said in library.verify())


def test_a_state_that_its_events_do_not_tell_is_named(library: Library) -> None:
    ids = filled(library)
    library.review.record(decision(ids[0]))
    _change(library.path, "UPDATE samples SET state = 'rejected' WHERE seq = 1")
    assert f"sample {ids[0]} is rejected, its decisions say accepted" in library.verify()


def test_the_stored_spec_is_the_canonical_one(library: Library) -> None:
    ids = filled(library)
    assert [SampleSpec.from_json(library.plans.spec(sample_id).to_json()).id for sample_id in ids] == ids


def _change(path: Path, statement: str) -> None:
    database = sqlite3.connect(path / "backlot.sqlite")
    database.execute(statement)
    database.commit()
    database.close()
