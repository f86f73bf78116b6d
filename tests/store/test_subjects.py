"""Photos, their cut-outs, and the files that were refused."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import NotFound
from pipeline.store import Library, Refusal
from tests.toy_library import BOX, add_subject, mask, picture


def test_a_subject_comes_back_as_it_was_given(library: Library) -> None:
    one = add_subject(library, 1, label="gear", split="test", doubts=("touches the border",))
    assert (one.label, one.split, one.box, one.mask_doubts) == ("gear", "test", BOX, ("touches the border",))
    assert (one.height, one.width, one.mask_score, one.mask_origin) == (24, 24, 0.9, "given")
    assert not one.usable
    assert np.array_equal(library.images.read(one.image_id), picture(1))
    assert np.array_equal(library.images.read(one.mask_id), mask())


def test_the_same_photo_twice_is_one_subject_and_counts_once(library: Library) -> None:
    first = add_subject(library, 1)
    again = add_subject(library, 1, label="another label")
    assert again == first
    assert library.counts().classes == {"bolt": 1}


def test_subjects_are_found_by_label_split_doubt_and_use(library: Library) -> None:
    good = add_subject(library, 1)
    doubtful = add_subject(library, 2, doubts=("two parts",))
    other = add_subject(library, 3, label="gear", split="test")
    out = add_subject(library, 4)
    library.photos.set_excluded(out.id, True)

    def ids(**wanted) -> list[str]:
        return [photo.id for photo in library.photos.list(**wanted)]

    assert ids() == [good.id, doubtful.id, other.id, out.id]
    assert ids(usable=True) == [good.id, other.id]
    assert ids(doubtful=True) == [doubtful.id]
    assert ids(label="gear") == ids(split="test") == [other.id]
    assert ids(limit=1) == [good.id]


def test_excluding_twice_counts_once_and_can_be_taken_back(library: Library) -> None:
    one = add_subject(library, 1)
    for excluded, expected in ((True, 1), (True, 1), (False, 0)):
        library.photos.set_excluded(one.id, excluded)
        assert library.counts().excluded == expected
    assert library.verify() == []


def test_a_mended_cut_out_replaces_the_mask_and_the_old_picture_stays(library: Library) -> None:
    before = add_subject(library, 1, doubts=("shadow left",))
    mended = np.zeros_like(mask())
    mended[2:9, 3:7] = 255
    cutout_id = library.images.put(np.dstack([picture(1), mended]))
    library.photos.record_cutout(
        before.id, cutout_id=cutout_id, score=1.0, doubts=(), origin="person", box=(3, 2, 7, 9)
    )
    after = library.photos.get(before.id)
    assert after.usable
    assert (after.box, after.mask_origin, after.mask_score) == ((3, 2, 7, 9), "person", 1.0)
    assert np.array_equal(library.images.read(after.mask_id), mended)
    assert library.images.path(before.cutout_id).is_file()


def test_unknown_subjects_are_refused_by_name(library: Library) -> None:
    with pytest.raises(NotFound, match="no photo 'x7'"):
        library.photos.get("x7")
    with pytest.raises(NotFound, match="no photo 'x7'"):
        library.photos.set_excluded("x7", True)
    assert library.counts().excluded == 0


def test_refusals_are_kept_once_in_order(library: Library) -> None:
    for name, reason in (("b.jpg", "31x40 px; at least 32 is needed"), ("a.jpg", "cut"), ("b.jpg", "again")):
        library.photos.record_refusal("photos", name, reason)
    assert library.photos.refusals() == [
        Refusal(source="photos", name="b.jpg", reason="31x40 px; at least 32 is needed"),
        Refusal(source="photos", name="a.jpg", reason="cut"),
    ]
