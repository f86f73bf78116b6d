"""Photos that wait until a person has checked their outline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InvalidRequest, NotFound
from pipeline.settings import Settings
from pipeline.store import Library
from pipeline.studio import Studio
from tests.toy_library import add_subject


@pytest.fixture
def studio(tmp_path: Path):  # type: ignore[no-untyped-def]
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        yield opened


def test_what_no_plan_uses_is_counted_and_named(studio: Studio) -> None:
    library = studio.library
    assert studio.photos.unchecked().sentence == ""
    add_subject(library, 1, label="bolt")
    assert studio.photos.unchecked().sentence == ""
    add_subject(library, 2, label="bolt", doubts=("loose",))
    assert studio.photos.unchecked().sentence == (
        "1 of 2 training photos is not used in plans until its outline is checked"
    )
    add_subject(library, 3, label="glass", doubts=("loose",))
    add_subject(library, 4, label="glass", doubts=("loose",), split="test")  # is never pasted
    assert studio.photos.unchecked().sentence == (
        "2 of 3 training photos are not used in plans until their outline is checked; class 'glass' has none"
    )
    add_subject(library, 5, label="nut", doubts=("loose",))
    assert studio.photos.unchecked().sentence.endswith("; classes 'glass' and 'nut' have none")
    assert [photo.label for photo in studio.photos.to_check()] == ["bolt", "glass", "nut"]


def test_an_excluded_photo_waits_for_nobody(studio: Studio) -> None:
    photo = add_subject(studio.library, 1, doubts=("loose",))
    studio.library.photos.set_excluded(photo.id, True)
    assert studio.photos.unchecked().sentence == ""
    assert studio.photos.to_check() == []


def test_an_empty_mask_that_was_confirmed_is_to_be_checked_again(studio: Studio) -> None:
    photo = add_subject(studio.library, 1)
    studio.library.photos.record_cutout(
        photo.id, cutout_id=photo.cutout_id or "", score=1, doubts=(), origin="ground", box=(0, 0, 0, 0)
    )
    (shown,) = studio.photos.to_check()
    assert (shown.id, shown.box, shown.usable, shown.mask_doubts) == (
        photo.id,
        None,
        False,
        ("No object was found",),
    )


def test_a_right_mask_is_confirmed_as_it_is(studio: Studio, tmp_path: Path) -> None:
    photo = add_subject(studio.library, 1, doubts=("loose",))
    before = studio.photos.mask(photo.id)
    confirmed = studio.photos.confirm_mask(photo.id)
    assert (confirmed.mask_doubts, confirmed.usable) == ((), True)
    assert (confirmed.mask_origin, confirmed.cutout_id) == (photo.mask_origin, photo.cutout_id)
    assert np.array_equal(studio.photos.mask(photo.id), before)
    studio.close()
    with Library.open(tmp_path / "library") as library:
        assert library.photos.get(photo.id) == confirmed


@pytest.mark.parametrize("box", [None, (0, 0, 0, 0)], ids=["no mask", "empty mask"])
def test_a_photo_without_an_outline_cannot_be_confirmed(
    studio: Studio, box: tuple[int, int, int, int] | None
) -> None:
    photo = add_subject(studio.library, 1, doubts=("nothing was cut out",))
    assert photo.cutout_id is not None
    studio.library.photos.record_cutout(
        photo.id, cutout_id=photo.cutout_id, score=0, doubts=photo.mask_doubts, origin="ground", box=box
    )
    with pytest.raises(InvalidRequest, match=r"bolt/1\.png has no outline; draw it, or exclude the photo"):
        studio.photos.confirm_mask(photo.id)
    assert not studio.library.photos.get(photo.id).usable
    with pytest.raises(NotFound, match="no photo 'x' in this library"):
        studio.photos.confirm_mask("x")
