"""Many photos at once: another class, another split, deleted; the demo set removed for good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import InvalidRequest, LibraryBusy, NotFound
from pipeline.services.releases.service import PublishRequest
from pipeline.settings import Settings
from pipeline.studio import Studio
from tests.toy_library import add_subject, decision, filled


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    settings = Settings(library=tmp_path / "library", releases=tmp_path / "releases", runs=tmp_path / "runs")
    with Studio(settings) as opened:
        yield opened


def disc(folder: Path, name: str, *, side_px: int = 96) -> None:
    """A blue disc on grey paper."""
    image = np.full((side_px, side_px, 3), 190, np.uint8)
    cv2.circle(image, (side_px // 2, side_px // 2), side_px // 4, (150, 60, 40), -1, cv2.LINE_AA)
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / name), image)


def test_photos_take_a_new_class_or_the_spelling_of_one_that_is_there(studio: Studio) -> None:
    library, bulk = studio.library, studio.photos.bulk
    first, second = add_subject(library, 1), add_subject(library, 2, label="Gear")
    assert bulk.change_class([first.id], "  hex nut ") == "hex nut"
    assert library.counts().classes == {"Gear": 1, "hex nut": 1}
    assert bulk.change_class([first.id, second.id], "Gear") == "Gear"
    assert library.counts().classes == {"Gear": 2}


@pytest.mark.parametrize("label", ["", " ", "..", "../up", "a/b", ".hidden", "x" * 201, "a\0b"])
def test_a_class_that_cannot_be_a_folder_is_refused(studio: Studio, label: str) -> None:
    photo = add_subject(studio.library, 1)
    with pytest.raises(InvalidRequest, match="a class cannot be named"):
        studio.photos.bulk.change_class([photo.id], label)
    assert studio.library.photos.list() == [photo]


def test_a_test_photo_that_becomes_a_training_photo_is_cut_out(studio: Studio, tmp_path: Path) -> None:
    for number in range(2):
        disc(tmp_path / "photos" / "disc", f"{number}.png", side_px=96 + 8 * number)
    studio.photos.import_source(str(tmp_path / "photos"), split="test")
    photos = studio.library.photos.list()
    ids = [photo.id for photo in photos]
    assert [photo.cutout_id for photo in photos] == [None, None]
    studio.photos.bulk.change_split(ids, "train")
    assert {photo.mask_doubts for photo in studio.library.photos.list()} == {
        ("The object is not cut out yet",)
    }
    assert studio.photos.bulk.cut_out_missing(ids, most=1) == 1
    assert studio.photos.bulk.cut_out_missing(ids, most=1) == 0
    for photo in studio.library.photos.list():
        assert (photo.split, photo.usable) == ("train", True)
        assert photo.box is not None
        x0, y0, x1, y1 = photo.box
        assert abs((x1 - x0) - photo.width / 2) <= 4
        assert abs((y1 - y0) - photo.height / 2) <= 4
    assert studio.library.verify() == []


def test_a_test_photo_that_is_moved_there_and_back_has_no_doubts(studio: Studio, tmp_path: Path) -> None:
    disc(tmp_path / "photos" / "disc", "a.png")
    studio.photos.import_source(str(tmp_path / "photos"), split="test")
    before = studio.library.photos.list()
    studio.photos.bulk.change_split([before[0].id], "train")
    studio.photos.bulk.change_split([before[0].id], "test")
    assert studio.library.photos.list() == before


def test_an_unknown_split_a_deleted_photo_and_a_busy_library_are_refused(studio: Studio) -> None:
    photo, bulk = add_subject(studio.library, 1), studio.photos.bulk
    with pytest.raises(InvalidRequest, match="there is no split 'both'; use train or test"):
        bulk.change_split([photo.id], "both")
    with pytest.raises(NotFound):
        bulk.change_split([photo.id, "x7"], "test")
    with studio.library.work_lock("generate"):
        for change in (
            lambda: bulk.change_split([photo.id], "test"),
            lambda: bulk.delete([photo.id]),
            bulk.delete_starter,
            lambda: bulk.cut_out_missing([photo.id]),
        ):
            with pytest.raises(LibraryBusy, match="generate since"):
                change()
    assert studio.library.photos.list() == [photo]


def test_deleting_removes_the_thumbnails_too(studio: Studio) -> None:
    photo = add_subject(studio.library, 1)
    thumbnails = [
        studio.photos.thumbnail_path(image_id) for image_id in (photo.image_id, str(photo.cutout_id))
    ]
    assert all(path.is_file() for path in thumbnails)
    studio.photos.bulk.delete([photo.id])
    assert not any(path.exists() for path in thumbnails)


def test_a_release_after_a_deletion_holds_the_samples_without_their_photo(
    studio: Studio, tmp_path: Path
) -> None:
    library = studio.library
    ids = filled(library, subjects=3, samples=6)
    for number, sample_id in enumerate(ids):
        library.review.record(decision(sample_id, client_id=str(number)))
    to = str(tmp_path / "releases" / "bolts")
    studio.releases.publish(PublishRequest(to=to))
    gone = library.photos.list()[0]
    deletion = studio.photos.bulk.delete([gone.id])
    assert (deletion.photos, deletion.samples) == (1, 2)
    preview = studio.releases.preview("bolts")
    assert (preview.real, preview.synthetic) == ({"train": {"bolt": 2}}, {"train": {"bolt": 6}})
    studio.releases.publish(PublishRequest(to=to))  # the next version of the same release
    facts = json.loads((tmp_path / "releases" / "bolts" / "release.json").read_text())
    assert facts["counts"] == {
        "real": {"train": 2, "test": 0},
        "synthetic": {"train": 6, "test": 0},
        "mixed": {"train": 8, "test": 0},
    }
    assert library.verify() == []


def test_the_removed_demo_set_stays_removed(studio: Studio) -> None:
    demo = add_subject(studio.library, 1, source="starter")
    field = add_subject(studio.library, 2, source="starter:field")
    assert studio.photos.bulk.delete_starter().photos == 2
    assert studio.library.photos.list() == []
    assert not studio.photos.wants_starter
    assert studio.photos.fill_with_starter() == []
    own = add_subject(studio.library, 3)
    add_subject(studio.library, 1, source="starter")  # imported by hand
    assert studio.photos.bulk.delete_starter().photos == 1
    assert studio.library.photos.list() == [own]
    assert {demo.id, field.id} & studio.library.photos.ids() == set()


def test_a_new_library_still_wants_the_demo_set(tmp_path: Path) -> None:
    settings = Settings(library=tmp_path / "library")
    with Studio(settings) as studio:
        assert studio.photos.wants_starter
    with Studio(replace(settings, starter=False)) as studio:
        assert not studio.photos.wants_starter
