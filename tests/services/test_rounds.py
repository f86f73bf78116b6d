"""Generating in rounds: later rounds draw more of what is uncertain, and the same command resumes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain import plan as plan_module
from pipeline.domain.field_profile import FieldProfile
from pipeline.domain.images import encode_webp
from pipeline.domain.photos import Photo
from pipeline.domain.recipe import parse_recipe
from pipeline.domain.recipe_learnt import FieldPlacement
from pipeline.errors import Cancelled, InvalidRequest, LibraryBusy, UnknownName
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides
from pipeline.services.reports import RunReport
from pipeline.services.samples import rounds as module
from pipeline.services.samples.class_uncertainty import Examples, class_uncertainty
from pipeline.services.samples.service import SampleService
from pipeline.store import Library
from tests.toy_library import add_subject, picture

RECIPE = """
name: toy
count: 12
method: paste
size: 32
backdrops: {folder: FOLDER}
"""
GUESS = {"bolt": 0.9, "gear": 0.1}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        for number in range(12):
            add_subject(opened, number, label=("bolt", "gear")[number % 2])
        add_subject(opened, 99, label="bolt", split="test")
        yield opened


def recipe_over(library: Library) -> str:
    """The recipe with a folder of one background beside the library."""
    folder = library.path.parent / "backgrounds"
    folder.mkdir(exist_ok=True)
    (folder / "one.webp").write_bytes(encode_webp(picture(7, side_px=32)))
    return RECIPE.replace("FOLDER", str(folder))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Examples, Examples]]:
    """What the probe was asked about; it answers that it is uncertain of bolts."""
    questions: list[tuple[Examples, Examples]] = []

    def answer(photos: Examples, samples: Examples, *, near_duplicate: float) -> dict[str, float]:
        questions.append((photos, samples))
        return GUESS

    monkeypatch.setattr(module, "class_uncertainty", answer)
    return questions


def generated(library: Library, rounds: int, **changes: object) -> RunReport:
    service = SampleService(library, FileAccess(), batch_size=4)
    return service.generate(recipe_over(library), Overrides(**changes), rounds=rounds)  # type: ignore[arg-type]


def sample_ids(library: Library, plan: str, count: int) -> list[str]:
    stored = library.plans.stored(plan, head=count, count=count)
    return [spec.id for spec in stored.head.values()] if stored else []


def labels(library: Library, plan: str) -> Counter[str]:
    stored = library.plans.stored(plan, head=100, count=100)
    assert stored is not None
    return Counter(spec.label for spec in stored.head.values())


def test_a_single_round_is_the_plan_as_it_always_was(library: Library) -> None:
    report = generated(library, 1)
    assert [(plan.name, plan.specs) for plan in library.plans.list()] == [("toy", 12)]
    assert (report.planned, report.rounds) == (12, ())


def test_later_rounds_draw_more_of_the_class_that_is_uncertain(
    library: Library, asked: list[tuple[Examples, Examples]]
) -> None:
    report = generated(library, 2)
    assert (report.planned, report.rendered, report.already) == (12, 12, 0)
    assert labels(library, "toy, round 1 of 2") == {"bolt": 3, "gear": 3}
    assert labels(library, "toy, round 2 of 2") == {"bolt": 5, "gear": 1}
    assert report.rounds == (
        "After round 1 the probe is least certain of bolt (90%) and most certain of gear (10% "
        "uncertain), on training photos held out for validation; round 2 draws bolt 5, gear 1.",
    )
    assert report.rounds[0] in library.plans.list()[1].recipe_yaml  # recorded in the plan
    assert parse_recipe(library.plans.list()[1].recipe_yaml).classes == {"bolt": 5, "gear": 1}


def test_later_rounds_go_on_with_what_the_first_one_learnt(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def profile(number: int) -> FieldProfile:
        return FieldProfile(photos=5, placement=FieldPlacement(objects=(number, number), scale=(0.2, 0.3)))

    def answer(*_: Examples, **__: float) -> dict[str, float]:
        library.fields.write("field", profile(1), {})
        return GUESS

    library.fields.write("field", profile(2), {})
    monkeypatch.setattr(module, "class_uncertainty", answer)
    text = recipe_over(library) + "placement: {like: field}\n"
    SampleService(library, FileAccess(), batch_size=4).generate(text, rounds=2)
    stored = [library.plans.stored(f"toy, round {place} of 2", head=6, count=6) for place in (1, 2)]
    assert [len(spec.objects) for plan in stored if plan for spec in plan.head.values()] == [2] * 12


def test_later_rounds_have_the_size_of_the_first_whichever_classes_they_draw(
    library: Library, asked: list[tuple[Examples, Examples]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "next_weights", lambda *_: {"bolt": 1.0})
    monkeypatch.setattr(
        plan_module, "automatic_size", lambda _own, objects: {12: 64, 6: 128}[len(objects.longest_px)]
    )
    service = SampleService(library, FileAccess(), batch_size=4)
    text = recipe_over(library).replace("size: 32", "size: auto")
    service.generate(text, rounds=2)
    planned = sample_ids(library, "toy, round 2 of 2", 6)
    stored = library.plans.stored("toy, round 2 of 2", head=6, count=6)
    assert stored is not None
    assert {(spec.label, spec.size) for spec in stored.head.values()} == {("bolt", (64, 64))}
    assert service.generate(text, rounds=2).rendered == 0
    assert sample_ids(library, "toy, round 2 of 2", 6) == planned
    assert len(asked) == 1


def test_no_import_can_begin_between_two_rounds(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []

    def answer(*_: Examples, **__: float) -> dict[str, float]:
        with (
            Library.open(library.path) as other,
            pytest.raises(LibraryBusy) as busy,
            other.work_lock("import"),
        ):
            pass
        refused.append(busy.value.task)
        return GUESS

    monkeypatch.setattr(module, "class_uncertainty", answer)
    generated(library, 2)
    assert refused == ["generate"]
    with library.work_lock("import"):  # free again
        pass


def test_the_probe_sees_training_photos_and_the_samples_so_far_and_no_test_photo(
    library: Library, asked: list[tuple[Examples, Examples]]
) -> None:
    generated(library, 3)
    tests = {photo.id for photo in library.photos.list(split="test")}
    training = {photo.id for photo in library.photos.list(split="train")}
    assert [len(samples.labels) for _, samples in asked] == [4, 8]
    for photos, samples in asked:
        assert frozenset().union(*photos.photos) == training
        assert not frozenset().union(*samples.photos) & tests


def test_the_same_command_gives_the_same_samples_whatever_the_probe_would_say_now(
    library: Library, asked: list[tuple[Examples, Examples]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = generated(library, 2)
    ids = sample_ids(library, "toy, round 2 of 2", 6)
    monkeypatch.setattr(module, "class_uncertainty", lambda *_, **__: {"bolt": 0.1, "gear": 0.9})
    again = generated(library, 2)
    assert (again.already, again.rendered, again.rounds) == (12, 0, first.rounds)
    assert sample_ids(library, "toy, round 2 of 2", 6) == ids


def test_a_run_that_was_stopped_in_a_round_goes_on_there(
    library: Library, asked: list[tuple[Examples, Examples]]
) -> None:
    service = SampleService(library, FileAccess(), batch_size=1)
    done = 0

    def count(number: int, total: int | None, _name: str) -> None:
        nonlocal done
        done = number
        assert total == 12

    with pytest.raises(Cancelled):
        service.generate(recipe_over(library), rounds=2, on_progress=count, cancelled=lambda: done >= 8)
    planned = sample_ids(library, "toy, round 2 of 2", 6)
    assert len(planned) == 6
    report = service.generate(recipe_over(library), rounds=2)
    assert (report.planned, report.already, report.rendered) == (12, done, 12 - done)
    assert sample_ids(library, "toy, round 2 of 2", 6) == planned
    assert len(asked) == 1


def test_other_photos_or_another_recipe_are_decided_anew(
    library: Library, asked: list[tuple[Examples, Examples]]
) -> None:
    generated(library, 2)
    generated(library, 2, seed=1)
    assert len(asked) == 2
    add_subject(library, 50, label="gear")
    generated(library, 2, seed=1)
    assert len(asked) == 3


def test_the_probe_sees_what_replaces_the_samples_that_differ_least(
    library: Library, asked: list[tuple[Examples, Examples]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.rendering.runner.gates_failed", lambda _scores: ())  # plain images pass
    text = recipe_over(library) + "novelty: {budget: 0.5}\n"
    report = SampleService(library, FileAccess(), batch_size=4).generate(text, rounds=2)
    ((_, samples),) = asked
    replacing = [spec for spec, _ in library.plans.members("toy, round 1 of 2, novelty")]
    assert report.replaced >= len(replacing) == 2
    assert Counter(samples.labels) == {"bolt": 3, "gear": 3}  # as many as were asked for
    assert {frozenset(placed.photo_id for placed in spec.objects) for spec in replacing} <= set(
        samples.photos
    )
    SampleService(library, FileAccess(), batch_size=4).generate(text, rounds=2)
    assert len(asked) == 1  # the second round rests on the same


def basis_of_the_earlier_version(text: str, photos: list[Photo]) -> str:
    """The hash that the first round rested on before recipes had the later keys."""
    recipe = json.loads(parse_recipe(text).model_dump_json())
    for key in module._LATER_KEYS:
        recipe.pop(key, None)  # "learnt" is written with a value only
    written = json.dumps(recipe, separators=(",", ":"), ensure_ascii=False)
    of_photos = sorted((photo.id, photo.cutout_id, photo.label) for photo in photos)
    return hashlib.sha256(repr((written, 2, of_photos, [])).encode()).hexdigest()


def test_rounds_that_an_earlier_version_began_rest_on_the_same(
    library: Library, asked: list[tuple[Examples, Examples]]
) -> None:
    generated(library, 2)
    stored = library.plans.stored("toy, round 1 of 2", head=0, count=0)
    photos = library.photos.list(split="train", usable=True)
    basis = basis_of_the_earlier_version(recipe_over(library), photos)
    assert stored is not None
    assert stored.recipe_yaml.startswith(f"# rests on {basis}\n")
    service = SampleService(library, FileAccess(), batch_size=4)
    service.generate(recipe_over(library) + "match_detail: true\n", rounds=2)
    assert len(asked) == 2


def test_rounds_that_cannot_be_are_refused_and_nothing_is_stored(library: Library) -> None:
    with pytest.raises(InvalidRequest, match="13 rounds were requested for 12 samples"):
        generated(library, 13)
    with pytest.raises(UnknownName, match="there is no method 'past'; did you mean 'paste'"):
        generated(library, 2, method="past")
    with pytest.raises(InvalidRequest, match=r"^model is .*; it must have at most 1000 characters"):
        generated(library, 2, model="m" * 1001)
    assert library.plans.list() == []


def test_rounds_need_two_classes(tmp_path: Path) -> None:
    with Library.open(tmp_path / "single", create=True) as library:
        add_subject(library, 1)
        with pytest.raises(
            InvalidRequest, match="only class 'bolt' has usable photos; rounds need at least two classes"
        ):
            generated(library, 2)


def examples(centres: dict[str, tuple[float, ...]], each: int, *, spread: float = 0.1) -> Examples:
    """So many images of each class around a centre; each is a photo of its own."""
    random = np.random.default_rng(3)
    rows, names = [], []
    for label, centre in centres.items():
        for _ in range(each):
            rows.append(np.array(centre) + spread * random.normal(size=len(centre)))
            names.append(label)
    photos = [frozenset({f"{label}-{place}"}) for place, label in enumerate(names)]
    return Examples(vectors=np.array(rows, np.float16), labels=names, photos=photos)


NOTHING = Examples(vectors=np.zeros((0, 3), np.float16), labels=[], photos=[])
CENTRES = {"a": (1.0, 0.0, 0.0), "b": (0.0, 1.0, 0.02), "c": (0.0, 1.0, -0.02)}


def test_classes_that_look_alike_are_uncertain() -> None:
    found = class_uncertainty(examples(CENTRES, 10), NOTHING, near_duplicate=1.1)
    assert found["a"] < 0.1
    assert min(found["b"], found["c"]) > 0.3


def test_the_order_of_photos_does_not_matter() -> None:
    photos = examples(CENTRES, 10)
    backwards = Examples(vectors=photos.vectors[::-1], labels=photos.labels[::-1], photos=photos.photos[::-1])
    assert class_uncertainty(photos, NOTHING, near_duplicate=1.1) == pytest.approx(
        class_uncertainty(backwards, NOTHING, near_duplicate=1.1), abs=1e-6
    )


def test_a_sample_of_a_photo_that_is_held_out_is_not_trained_on() -> None:
    photos = examples({"a": (1.0, 0.0), "b": (0.0, 1.0)}, 5)
    everywhere = frozenset().union(*photos.photos)
    wrong = Examples(
        vectors=photos.vectors, labels=photos.labels[::-1], photos=[everywhere] * len(photos.labels)
    )
    without = class_uncertainty(
        photos, Examples(vectors=photos.vectors[:0], labels=[], photos=[]), near_duplicate=1.1
    )
    assert class_uncertainty(photos, wrong, near_duplicate=1.1) == without


def test_near_duplicates_are_held_out_together() -> None:
    photos = examples(
        {"a": (1.0, 0.0), "b": (0.0, 1.0)}, 5, spread=0.0
    )  # all photos of a class are one group
    found = class_uncertainty(
        photos, Examples(vectors=photos.vectors[:0], labels=[], photos=[]), near_duplicate=0.9
    )
    assert found == {}  # the probe never sees another photo of the class
