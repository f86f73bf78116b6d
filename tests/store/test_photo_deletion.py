"""Deleted photos: their images are gone, what was made from them stays, and all else takes them for missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.release import Subset
from pipeline.domain.review import Verdict
from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store import Library, NewPhoto, PhotoDeletion, schema
from pipeline.store.photos import NOT_CUT_OUT
from tests.store.test_kept import Site
from tests.toy_library import add_subject, decision, pending, picture, render, spec


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_deleted_photo_is_gone_with_its_images_embeddings_and_counters(library: Library) -> None:
    photo, other = add_subject(library, 1), add_subject(library, 2, label="gear")
    library.photos.set_excluded(photo.id, True)
    library.embeddings.add("e", {each.image_id: np.ones(4, np.float16) for each in (photo, other)})
    deletion = library.photos.delete([photo.id, "unknown"])
    # the two masks have the same pixels: the other photo needs the file
    assert deletion == PhotoDeletion(
        photos=1, samples=0, image_ids=tuple(sorted([photo.image_id, str(photo.cutout_id)]))
    )
    assert library.photos.list() == [other]
    assert library.photos.ids() == {other.id}
    assert (library.counts().classes, library.counts().excluded) == ({"gear": 1}, 0)
    assert not library.images.has(photo.image_id)
    assert library.images.has(str(other.mask_id))
    assert set(library.embeddings.of("e", [photo.image_id, other.image_id])) == {other.image_id}
    assert library.photos.delete([photo.id]) == PhotoDeletion(photos=0, samples=0)
    assert library.verify() == []


def test_every_change_of_a_deleted_photo_is_refused(library: Library) -> None:
    photo, other = add_subject(library, 1), add_subject(library, 2)
    library.photos.delete([photo.id])
    for change in (
        lambda: library.photos.get(photo.id),
        lambda: library.photos.exclude_all([other.id, photo.id], True),
        lambda: library.photos.set_label(photo.id, "gear"),
        lambda: library.photos.move_all([photo.id], "test"),
        lambda: library.photos.record_cutout(
            photo.id, cutout_id=str(other.cutout_id), score=1.0, doubts=(), origin="person", box=None
        ),
        lambda: library.plans.add("toy", "", [spec(photo, seed=3)]),
    ):
        with pytest.raises(
            NotFound, match=f"no photo '{photo.id}' in this library; it may have been deleted"
        ):
            change()
    assert library.photos.list() == [other]


def test_samples_of_a_deleted_photo_stay_and_their_plans_forget_the_rest(library: Library) -> None:
    photo, other = add_subject(library, 1), add_subject(library, 2)
    specs = [spec(photo, seed=1), spec(photo, seed=2), spec(photo, other, seed=3), spec(other, seed=4)]
    library.plans.add("toy", "name: toy", specs)
    for planned in specs[:1] + specs[2:3]:
        render(library, planned)
    assert library.photos.kept_samples([photo.id, other.id]) == {
        photo.id: {specs[0].id, specs[2].id},
        other.id: {specs[2].id},
    }
    deletion = library.photos.delete([photo.id])
    assert (deletion.photos, deletion.samples) == (1, 2)
    assert library.samples.get(specs[0].id).spec.front.photo_id == photo.id
    assert library.images.has(str(photo.cutout_id))  # what the sample was made from
    assert not library.images.has(photo.image_id)
    assert [planned.id for planned in pending(library)] == [specs[3].id]
    assert library.counts().samples["planned"] == 3
    assert library.photos.used_ids() == {other.id}
    assert library.verify() == []


def test_a_photo_whose_pixels_are_a_background_keeps_its_file(library: Library) -> None:
    photo, other = add_subject(library, 1), add_subject(library, 2)
    pasted = spec(other, seed=1, method=Method.PASTE, backdrop_id=photo.image_id)
    library.plans.add("toy", "name: toy", [pasted])
    library.photos.delete([photo.id])
    assert library.images.has(photo.image_id)
    assert library.verify() == []


def test_accepted_samples_of_a_deleted_photo_stay_in_releases_unless_it_was_excluded(
    library: Library,
) -> None:
    photos = [add_subject(library, number) for number in range(3)]
    specs = [spec(photo, seed=number) for number, photo in enumerate(photos)]
    library.plans.add("toy", "name: toy", specs)
    for number, planned in enumerate(specs):
        library.review.record(decision(render(library, planned), Verdict.ACCEPT, client_id=str(number)))
    library.photos.set_excluded(photos[1].id, True)
    library.photos.delete([photos[0].id, photos[1].id])
    assert [row.sample_id for row in library.releases.rows(Subset.REAL)] == [photos[2].id]
    synthetic = list(library.releases.rows(Subset.SYNTHETIC))
    assert [(row.sample_id, row.source_ids) for row in synthetic] == [
        (specs[0].id, (photos[0].id,)),
        (specs[2].id, (photos[2].id,)),
    ]


def test_a_deleted_photo_is_no_gold_item(library: Library) -> None:
    photo, other = add_subject(library, 1), add_subject(library, 2)
    specs = [spec(photo, seed=1), spec(other, seed=2)]
    library.plans.add("toy", "name: toy", specs)
    for planned in specs:
        render(library, planned)
    assert library.gold.add_photos(1, made_by="ann") == 1
    assert [item.photo_id for item in library.gold.next_for("ben", 2)] == [min(photo.id, other.id)]
    library.photos.delete([min(photo.id, other.id)])
    assert library.gold.next_for("ben", 2) == []
    assert library.gold.add_photos(2, made_by="ann") == 1
    assert [item.photo_id for item in library.gold.next_for("ben", 2)] == [max(photo.id, other.id)]


def test_a_deleted_photo_that_is_imported_again_is_there_with_its_new_values(library: Library) -> None:
    photo, other = add_subject(library, 1, source="starter"), add_subject(library, 2)
    library.photos.set_excluded(photo.id, True)
    library.photos.delete([photo.id])
    assert (library.photos.deleted({"starter"}), library.photos.deleted({"toy"})) == (1, 0)
    assert library.photos.held([photo.id, other.id])
    assert not library.photos.held([photo.id, "unknown"])
    again = add_subject(library, 1, label="gear", split="test")
    assert (again.label, again.split, again.excluded) == ("gear", "test", False)
    assert library.photos.list() == [again, other]
    assert library.photos.deleted({"starter"}) == 0
    assert library.counts().classes == {"bolt": 1, "gear": 1}
    assert np.array_equal(library.images.read(photo.image_id), picture(1))
    assert library.verify() == []


def test_a_deleted_photo_with_samples_comes_back_in_their_split(library: Library) -> None:
    photo = add_subject(library, 1)
    planned = spec(photo, seed=1)
    library.plans.add("toy", "name: toy", [planned])
    render(library, planned)
    library.photos.delete([photo.id])
    new = NewPhoto(
        id=photo.id,
        label="bolt",
        name="a.png",
        source="toy",
        split="test",
        image_id=photo.id,
        height=24,
        width=24,
    )  # as an import of test photos adds it: without a cut-out
    library.images.put(picture(1))
    assert library.photos.add(new)
    again = library.photos.get(photo.id)
    assert (again.split, again.cutout_id, again.mask_doubts) == ("train", None, (NOT_CUT_OUT,))
    assert library.verify() == []


def test_photos_change_class_and_exclusion_together_or_not_at_all(library: Library) -> None:
    ids = [add_subject(library, number).id for number in (1, 2)]
    with pytest.raises(NotFound):
        library.photos.label_all([*ids, "x7"], "gear")
    assert library.counts().classes == {"bolt": 2}
    library.photos.exclude_all(ids[:1], True)
    library.photos.exclude_all(ids, True)
    library.photos.label_all(ids, "gear")
    assert (library.counts().classes, library.counts().excluded) == ({"gear": 2}, 2)
    assert library.verify() == []


def test_a_photo_with_samples_does_not_change_its_split(library: Library) -> None:
    used, planned_only, free = (add_subject(library, number) for number in (1, 2, 3))
    specs = [spec(used, seed=1), spec(used, seed=2), spec(planned_only, seed=3)]
    library.plans.add("toy", "name: toy", specs)
    render(library, specs[0])
    before = library.photos.list()
    with pytest.raises(
        InvalidRequest, match="1 photo has 1 synthetic image, which would leak into the other"
    ):
        library.photos.move_all([used.id, planned_only.id, free.id], "test")
    assert library.photos.list() == before
    assert len(pending(library)) == 2
    library.photos.move_all([used.id], "train")  # where it is
    library.photos.move_all([planned_only.id, free.id], "test")
    assert [photo.split for photo in library.photos.list()] == ["train", "test", "test"]
    assert [planned.id for planned in pending(library)] == [specs[1].id]
    assert library.verify() == []


def test_a_deletion_outlives_the_disk(site: Site) -> None:
    with site.start() as library:
        photo, other = add_subject(library, 1), add_subject(library, 2)
        planned = spec(photo, seed=1)
        library.plans.add("toy", "name: toy", [planned])
        sample = render(library, planned)
        library.review.record(decision(sample))
        library.photos.delete([photo.id])
    site.lose_library()
    with site.start() as library:
        assert [each.id for each in library.photos.list()] == [other.id]
        assert not library.images.has(photo.image_id)
        assert str(library.review.state(sample)) == "accepted"
        assert library.photos.deleted({"toy"}) == 1
        assert library.verify() == []


def test_a_state_folder_of_version_5_is_read(site: Site) -> None:
    with site.start() as library:
        photo = add_subject(library, 1)
    for path in site.state.glob("events-*.jsonl"):
        text = path.read_text().replace(', "deleted_at": null', "")
        path.write_text(text.replace(f'"schema": {schema.VERSION}', '"schema": 5'))
    assert '{"schema": 5}' in site.lines()
    assert not any("deleted_at" in line for line in site.lines())
    site.lose_library()
    with site.start() as library:
        assert library.photos.list() == [photo]
        add_subject(library, 2)
    site.lose_library()
    with site.start() as library:
        assert len(library.photos.list()) == 2
