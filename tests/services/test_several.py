"""Photos that show several objects: one is kept, or each becomes a photo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.images import pixel_hash
from pipeline.domain.photos import Photo
from pipeline.errors import InvalidRequest
from pipeline.services.photos.bulk import PhotoBulk
from pipeline.services.photos.repair import repair
from pipeline.services.photos.several import choose_object, objects_in, use_all_objects
from pipeline.store import Library, NewPhoto
from tests.toy_library import add_several, add_subject, picture

LARGE, SMALL = (10, 10, 70, 70), (130, 30, 170, 70)  # of `add_several`


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def alpha_of(library: Library, photo: Photo) -> np.ndarray:
    """(H, W) uint8: the mask of a photo."""
    assert photo.cutout_id is not None
    return library.images.read(photo.cutout_id)[..., 3]


def test_the_objects_of_a_photo_are_numbered_the_largest_first(library: Library) -> None:
    first, second = objects_in(library, add_several(library).id)
    assert (first.number, first.box) == (1, LARGE)
    assert (second.number, second.box) == (2, SMALL)
    assert set(second.outlines[0]) == {(130, 30), (169, 30), (169, 69), (130, 69)}


def test_a_photo_of_one_object_has_one_and_a_photo_without_mask_none(library: Library) -> None:
    photo = add_subject(library, 1)
    assert [each.number for each in objects_in(library, photo.id)] == [1]
    image_id = library.images.put(picture(2))
    fields = ("label", "name", "source", "split", "height", "width")
    library.photos.add(
        NewPhoto(id=image_id, image_id=image_id, **{name: getattr(photo, name) for name in fields})
    )
    assert objects_in(library, image_id) == []
    with pytest.raises(InvalidRequest, match="has no outline; draw it, or exclude the photo"):
        choose_object(library, image_id, 1)


def test_a_chosen_object_is_the_only_one_of_the_mask_and_needs_no_check(library: Library) -> None:
    photo = add_several(library)
    assert not photo.usable
    chosen = choose_object(library, photo.id, 2)
    assert (chosen.usable, chosen.box, chosen.mask_origin) == (True, SMALL, photo.mask_origin)
    alpha = alpha_of(library, chosen)
    assert (alpha[30:70, 130:170] == 255).all()
    assert alpha.sum() == 40 * 40 * 255
    assert library.counts().subjects == 1


@pytest.mark.parametrize("number", [0, 3, -1])
def test_an_object_that_is_not_there_cannot_be_chosen(library: Library, number: int) -> None:
    photo = add_several(library)
    with pytest.raises(InvalidRequest, match=f"has no object {number}; choose one of 1 to 2"):
        choose_object(library, photo.id, number)
    assert library.photos.get(photo.id) == photo


@pytest.mark.parametrize("split", ["train", "test"])
def test_all_objects_become_photos_of_their_own_in_the_same_split(library: Library, split: str) -> None:
    photo = add_several(library, split=split)
    first, second = use_all_objects(library, photo.id)
    assert [part.name for part in (first, second)] == [f"{photo.name}#1", f"{photo.name}#2"]
    assert {(part.split, part.label, part.source) for part in (first, second)} == {
        (split, photo.label, photo.source)
    }
    assert (first.usable, second.usable) == (True, True)
    assert library.photos.get(photo.id).excluded
    assert (library.counts().subjects, library.counts().excluded) == (3, 1)


def test_a_part_is_the_photo_round_its_object_with_the_mask_of_that_object(library: Library) -> None:
    photo = add_several(library)
    _, part = use_all_objects(library, photo.id)
    # 40 px square at (130, 30): 10 px stay round it
    image = library.images.read(part.image_id)
    assert np.array_equal(image, library.images.read(photo.image_id)[20:80, 120:180])
    assert (part.id, part.height, part.width) == (pixel_hash(image), 60, 60)
    assert part.box == (10, 10, 50, 50)
    assert alpha_of(library, part).sum() == 40 * 40 * 255


def test_using_all_objects_again_adds_nothing(library: Library) -> None:
    photo = add_several(library)
    parts = use_all_objects(library, photo.id)
    assert [part.id for part in use_all_objects(library, photo.id)] == [part.id for part in parts]
    assert library.counts().subjects == 3


def test_a_photo_of_one_object_cannot_be_divided(library: Library) -> None:
    photo = add_subject(library, 1)
    with pytest.raises(InvalidRequest, match="shows one object only; confirm its outline"):
        use_all_objects(library, photo.id)
    assert not library.photos.get(photo.id).excluded


def test_objects_whose_boxes_are_nearly_the_whole_photo_get_parts_that_differ(library: Library) -> None:
    y, x = np.mgrid[:200, :200]
    stripes = (abs(x - y) > 30) & (abs(x - y) < 60)  # two diagonal bars, side by side
    alpha = np.where(stripes, 255, 0).astype(np.uint8)
    photo = add_several(library, alpha=alpha)
    first, second = use_all_objects(library, photo.id)
    assert len({photo.id, first.id, second.id}) == 3


def test_an_object_that_has_no_part_to_itself_is_refused_and_nothing_is_stored(library: Library) -> None:
    alpha = np.zeros((200, 200), np.uint8)
    alpha[:20], alpha[-20:], alpha[:, :20], alpha[:, -20:] = (
        255,
        255,
        255,
        255,
    )  # a frame that fills the photo
    alpha[70:130, 70:130] = 255
    photo = add_several(library, alpha=alpha)
    with pytest.raises(InvalidRequest, match="has no part of the photo to itself; choose one object"):
        use_all_objects(library, photo.id)
    assert library.photos.list() == [photo]


def test_the_library_stays_sound_and_a_lost_cutout_of_a_part_is_restored(library: Library) -> None:
    photo = add_several(library)
    part, _ = use_all_objects(library, photo.id)
    assert part.cutout_id is not None
    assert library.verify() == []
    library.images.path(part.cutout_id).unlink()
    assert repair(library).left == ()
    assert library.images.is_sound(part.cutout_id)


def test_parts_are_planned_and_the_divided_photo_is_not(library: Library) -> None:
    photo = add_several(library)
    parts = use_all_objects(library, photo.id)
    usable = library.photos.list(split="train", usable=True)
    assert usable == parts


def test_the_parts_of_a_picture_are_never_divided_across_splits(library: Library) -> None:
    photo, other = add_several(library, split="test"), add_subject(library, 1, split="test")
    first, second = use_all_objects(library, photo.id)
    PhotoBulk(library).change_split([second.id], "train")
    splits = [library.photos.get(each.id).split for each in (photo, first, second, other)]
    assert splits == ["train", "train", "train", "test"]
    PhotoBulk(library).change_split([photo.id, other.id], "train")
    assert {each.split for each in library.photos.list()} == {"train"}
