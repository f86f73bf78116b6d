"""What a run renders is stored whole and in order; what specs name is read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.domain.images import pixel_hash
from pipeline.domain.placement import Layer
from pipeline.domain.sample_facts import SampleFacts
from pipeline.domain.spec import SampleSpec
from pipeline.errors import LibraryUnusable, NotFound
from pipeline.rendering.runner import RenderedSample
from pipeline.services.samples.input_images import InputImages
from pipeline.services.samples.recording import Recording, record_single
from pipeline.store import Library, SampleState
from tests.toy_library import BOX, IDENTITY, add_subject, mask, picture, spec

PIXELS_BYTES = 24 * 24 * 4  # of a toy cut-out


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def planned(library: Library, number: int) -> list[SampleSpec]:
    """So many specs of one photo, stored as a plan."""
    photo = add_subject(library, 0)
    specs = [spec(photo, seed=seed) for seed in range(number)]
    library.plans.add("toy", "name: toy", specs)
    return specs


def sample(seed: int) -> RenderedSample:
    """An image of noise, its own for each seed; the masks are alike."""
    facts = SampleFacts(
        boxes=(BOX,),
        homographies=(IDENTITY,),
        visible=(1.0,),
        scores={"sharpness": 0.5},
        failed_gates=(),
        timings={"total": 0.25},
        descriptor=np.eye(96, dtype=np.float32)[seed],
        exact=seed != 1,
    )
    return RenderedSample(image=picture(1000 + seed), layer=Layer(picture(0), mask()), facts=facts)


def refuse(number: int, put: Any) -> Any:
    """A `put` that finds no room for the image of a seed."""

    def putting(pixels: np.ndarray, xmp: bytes = b"") -> str:
        if pixel_hash(pixels) == pixel_hash(picture(1000 + number)):
            raise LibraryUnusable("no space left on the disk")
        return str(put(pixels, xmp))

    return putting


def states(library: Library, specs: list[SampleSpec]) -> list[SampleState]:
    return [library.samples.get(each.id).state for each in specs]


def test_samples_are_stored_in_order_when_their_batch_is_finished(library: Library) -> None:
    specs = planned(library, 3)
    told: list[Any] = []
    with Recording(
        library, on_progress=lambda *counts: told.append(counts), on_sample=told.append
    ) as recording:
        recording.total = 3
        for seed, each in enumerate(specs):
            recording.begin(each, sample(seed))
        assert (told, states(library, specs)) == ([], [SampleState.PLANNED] * 3)
        recording.finish()
    ids = [each.id for each in specs]
    assert told == [ids[0], (1, 3, ids[0]), ids[1], (2, 3, ids[1]), ids[2], (3, 3, ids[2])]
    assert (recording.rendered, recording.inexact) == (3, 1)
    rows = [library.samples.get(sample_id) for sample_id in ids]
    assert [row.state for row in rows] == [SampleState.PENDING] * 3
    for seed, row in enumerate(rows):
        assert np.array_equal(library.images.read(row.image_id or ""), picture(1000 + seed))
        assert np.array_equal(library.images.read(row.mask_id or ""), mask())
    assert library.verify() == []


def test_a_full_disk_ends_a_batch_and_keeps_the_samples_before_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = planned(library, 4)
    monkeypatch.setattr(library.images, "put", refuse(2, library.images.put))
    with Recording(library) as recording:
        for seed, each in enumerate(specs):
            recording.begin(each, sample(seed))
        with pytest.raises(LibraryUnusable, match="no space left"):
            recording.finish()
    done, waiting = [SampleState.PENDING] * 2, [SampleState.PLANNED] * 2
    assert (states(library, specs), recording.rendered) == (done + waiting, 2)
    assert library.verify() == []


def test_samples_that_no_finish_followed_are_not_stored(library: Library) -> None:
    specs = planned(library, 1)
    with Recording(library) as recording:
        recording.begin(specs[0], sample(0))
    assert states(library, specs) == [SampleState.PLANNED]
    assert library.verify() == []


def test_samples_that_are_painted_are_kept_when_something_ends_the_run(library: Library) -> None:
    specs = planned(library, 3)

    def interrupted() -> None:
        with Recording(library) as recording:
            recording.begin(specs[0], sample(0))
            recording.begin(specs[1], sample(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert states(library, specs) == [SampleState.PENDING, SampleState.PENDING, SampleState.PLANNED]
    assert library.verify() == []


def test_images_are_read_once_while_they_fit(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [add_subject(library, number).cutout_id or "" for number in range(3)]
    wanted = [library.images.read(cutout_id) for cutout_id in ids]
    reads: list[str] = []
    read = library.images.read
    monkeypatch.setattr(library.images, "read", lambda image_id: (reads.append(image_id), read(image_id))[1])
    images = InputImages(library, most_bytes=2 * PIXELS_BYTES)
    for number in (0, 1, 0, 2, 0, 1):  # 1 makes room for 2, since 0 was used after it
        cutout = images.cutout(ids[number])
        assert np.array_equal(np.dstack([cutout.rgb, cutout.alpha]), wanted[number])
    assert reads == [ids[0], ids[1], ids[2], ids[1]]


def test_an_image_larger_than_all_that_is_kept_is_read_every_time(library: Library) -> None:
    cutout_id = add_subject(library, 0).cutout_id or ""
    images = InputImages(library, most_bytes=PIXELS_BYTES - 1)
    for _ in range(2):
        assert np.array_equal(images.cutout(cutout_id).alpha, mask())
    library.images.remove(cutout_id)
    with pytest.raises(NotFound):
        images.cutout(cutout_id)


def test_a_single_sample_is_stored_though_another_process_stores_one_in_the_same_plan(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (spec(add_subject(library, 0), seed=seed) for seed in range(2))
    begin, begun = Recording.begin, []

    def meanwhile(recording: Recording, planned: SampleSpec, image: RenderedSample) -> None:
        if not begun:
            library.plans.add("create", "", [second])
        begun.append(planned.id)
        begin(recording, planned, image)

    monkeypatch.setattr(Recording, "begin", meanwhile)
    record_single(library, "create", first, sample(0))
    assert library.samples.get(first.id).state is SampleState.PENDING
    assert begun == [first.id] * 2


def test_a_single_sample_whose_photo_is_deleted_is_refused(library: Library) -> None:
    photo = add_subject(library, 0)
    library.photos.delete([photo.id])
    with pytest.raises(NotFound, match="no photo"):
        record_single(library, "create", spec(photo), sample(0))
