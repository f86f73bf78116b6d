"""Distractors over a library: planned from usable training photos, rendered again, found, released and imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.distractors import OtherObjectSpec
from pipeline.domain.look import Ground
from pipeline.domain.placement import Placement
from pipeline.domain.provenance import packet
from pipeline.domain.recipe_distractors import Distractors
from pipeline.domain.review import Verdict
from pipeline.domain.run_lengths import run_lengths
from pipeline.domain.sample_facts import SampleFacts
from pipeline.domain.spec import Method, SampleSpec
from pipeline.errors import InvalidRecipe, InvalidRequest, NotFound
from pipeline.publish.release_writer import write_release
from pipeline.segmentation import Salience
from pipeline.services.file_access import FileAccess
from pipeline.services.photos.importing import import_photos
from pipeline.services.plans import planning
from pipeline.services.plans.distractors import distractors_note
from pipeline.services.plans.planning import Overrides, planned, preview_plan, recipe_of
from pipeline.services.reports import RunReport
from pipeline.services.review import measures
from pipeline.services.review.gold import GoldService
from pipeline.services.review.roles import Roles
from pipeline.services.samples.explain import explain, replay
from pipeline.services.samples.runs import render_plan
from pipeline.settings import Settings
from pipeline.store import Library, Rendered, SampleFilter
from pipeline.studio import Studio
from tests.toy_distractors import (
    NUT_BOX,
    SHAPE,
    add_sample_with_distractors,
    part_mask,
    seen,
    with_distractors,
)
from tests.toy_embedder import use_grey_angles
from tests.toy_library import BOX, IDENTITY, SIDE_PX, add_subject, decision, mask, picture
from training.data.release_rows import release_rows
from ui.pages.review.component import entry_of

AT_HOME = FileAccess()
RECIPE = """
name: crowded
count: 12
size: 64
method: paste
shadow: true
backdrops: {folder: starter}
placement: {scale: [0.3, 0.5]}
distractors: {share: 1, kinds: [objects], number: [1, 2]}
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """Bolts, nuts and gears; of each but the gears a test photo and one with a doubtful mask as well.

    Backgrounds are two small images, of one of which the ground is known.
    """

    def backgrounds(into: Library, *_given: object) -> dict[str, Ground | None]:
        plain, floor = (into.images.put(picture(number, side_px=64)) for number in (51, 52))
        return {plain: None, floor: Ground(pitch=40.0, edge=0.5, azimuth=120.0, elevation=50.0)}

    monkeypatch.setattr(planning, "store_backgrounds", backgrounds)
    with Library.open(tmp_path / "library", create=True) as opened:
        for first, label in enumerate(("bolt", "nut", "gear")):
            add_subject(opened, 10 * first + 1, label=label)
            add_subject(opened, 10 * first + 2, label=label)
            if label != "gear":
                add_subject(opened, 10 * first + 3, label=label, split="test")
                add_subject(opened, 10 * first + 4, label=label, doubts=("a shadow",))
        yield opened


def specs_of(library: Library, text: str = RECIPE) -> list[SampleSpec]:
    return list(planned(library, recipe_of(text), Overrides(), AT_HOME))


def generate(library: Library, text: str = RECIPE, **overrides: object) -> RunReport:
    return render_plan(library, recipe_of(text), Overrides(**overrides), AT_HOME, batch_size=4)  # type: ignore[arg-type]


def test_they_come_from_usable_training_photos_alone(library: Library) -> None:
    usable = {photo.id for photo in library.photos.list(split="train", usable=True)}
    others = Counter(other.photo_id for each in specs_of(library) for other in each.other_objects)
    assert set(others) == usable
    gear = next(photo.id for photo in library.photos.list() if photo.label == "gear")
    library.photos.exclude_all([gear], True)
    assert gear not in {other.photo_id for each in specs_of(library) for other in each.other_objects}


def test_a_run_renders_them_exactly_and_resumes_and_each_image_is_rendered_again(
    library: Library, tmp_path: Path
) -> None:
    report = generate(library)
    assert (report.rendered, report.failed, report.inexact) == (12, (), 0)
    again = generate(library)
    assert (again.rendered, again.already) == (0, 12)
    assert library.verify() == []
    preview = preview_plan(library, recipe_of(RECIPE), Overrides(), AT_HOME)
    assert (preview.new, preview.total) == (0, 12)
    rows = library.samples.list(limit=20)
    assert all(row.exact and len(row.distractors) == len(row.spec.distractors) for row in rows)
    row = next(row for row in rows if row.spec.distractors)
    assert row.image_id is not None
    explanation = explain(library.images.path(row.image_id))
    assert f"also shows: {row.spec.other_objects[0].label}" in explanation.sentence
    assert replay(library, explanation, tmp_path / "again.webp") == 0


def test_a_refill_makes_up_for_a_rejected_sample(library: Library) -> None:
    generate(library)
    rejected = [row for row in library.samples.list(limit=20) if row.spec.label == "bolt"][:2]
    for row in rejected:
        library.review.record(decision(row.id, Verdict.REJECT, reason="seam"))
    report = generate(library, refill=True)
    assert report.rendered == 2
    new = [row for row in library.samples.list(limit=30) if row.plan == "crowded, refill"]
    assert [row.spec.label for row in new] == ["bolt", "bolt"]
    assert {other.label for row in new for other in row.spec.other_objects} <= {"nut", "gear"}
    assert all(row.spec.distractors for row in new)


def test_a_plan_goes_on_with_the_photos_that_are_left_when_a_class_is_deleted(library: Library) -> None:
    generate(library, count=4)
    gears = [photo.id for photo in library.photos.list() if photo.label == "gear"]
    kept = [row for row in library.samples.list(limit=9) if set(gears) & set(row.spec.photo_ids)]
    assert kept
    assert library.photos.delete(gears).samples == len(kept)
    assert library.verify() == []
    report = generate(library)
    assert report.failed == ()
    assert not any(set(gears) & set(each.photo_ids) for each in specs_of(library))
    for row in kept:  # what was rendered stays, and can be rendered again
        assert all(library.images.has(image_id) for image_id in row.spec.ingredients)


def test_planned_samples_go_with_the_photo_of_a_distractor(library: Library) -> None:
    bolt, nut = (next(p for p in library.photos.list() if p.label == label) for label in ("bolt", "nut"))
    library.plans.add("toy", "name: toy", [with_distractors(bolt, nut)])
    library.photos.delete([nut.id])
    assert list(library.plans.members("toy")) == []


def test_a_distractor_of_another_split_or_of_an_unknown_photo_is_refused(library: Library) -> None:
    photos = library.photos.list()
    bolt = next(p for p in photos if p.label == "bolt" and p.split == "train")
    tested = next(p for p in photos if p.label == "nut" and p.split == "test")
    with pytest.raises(InvalidRequest, match="mixes photos of the splits test and train"):
        library.plans.add("toy", "", [with_distractors(bolt, tested)])
    stranger = OtherObjectSpec(label="nut", photo_id="gone", cutout_id="c", placement=Placement())
    with pytest.raises(NotFound):
        library.plans.add("toy", "", [replace(with_distractors(bolt, tested), distractors=(stranger,))])
    assert library.counts().samples["planned"] == 0


def test_a_photo_that_stands_behind_an_object_cannot_change_its_split(library: Library) -> None:
    spec = add_sample_with_distractors(library)
    nut = spec.photo_ids[0]
    assert nut in library.photos.used_ids()
    with pytest.raises(InvalidRequest):
        library.photos.move_all([nut], "test")


def test_objects_alone_are_refused_where_there_is_one_class(tmp_path: Path) -> None:
    with Library.open(tmp_path / "bolts", create=True) as bolts:
        add_subject(bolts, 1)
        for ask in (specs_of, lambda library: preview_plan(library, recipe_of(RECIPE), Overrides(), AT_HOME)):
            with pytest.raises(InvalidRecipe, match="'bolt' is the only class with a usable training photo"):
                ask(bolts)


def test_text_to_image_needs_no_other_class(tmp_path: Path) -> None:
    with Library.open(tmp_path / "bolts", create=True) as bolts:
        add_subject(bolts, 1)
        text = RECIPE.replace("method: paste\nshadow: true", "method: {paste: 1, text_to_image: 1}")
        plan = planned(bolts, recipe_of(text), Overrides(method=Method.TEXT_TO_IMAGE), AT_HOME)
        assert [spec.distractors for spec in plan] == [()] * 12


def test_a_photo_that_checks_reviewers_shows_no_distractors(tmp_path: Path) -> None:
    with Library.open(tmp_path / "crowded", create=True) as crowded:
        planned_spec = add_sample_with_distractors(crowded)
        crowded.gold.add_photos(10, made_by="Lea")
        gold = GoldService(crowded, Roles(Settings()), share=0.5)
        shown = {row.spec.label: row for row in map(gold.shown, crowded.gold.next_for("Max", 10))}
    assert sorted(shown) == ["bolt", "nut"]
    assert {row.spec.distractors for row in shown.values()} == {()}
    assert {row.distractors for row in shown.values()} == {()}
    assert len(planned_spec.distractors) == 2


@pytest.mark.parametrize("label", ["", 5, None])
def test_an_object_without_the_name_of_its_class_is_no_distractor(label: object) -> None:
    with pytest.raises(InvalidRequest, match="needs the class"):
        OtherObjectSpec(label=label, photo_id="a", cutout_id="b", placement=Placement(scale=0.2))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 0.5, "x"])
def test_the_seed_of_a_shape_is_a_whole_number(seed: object) -> None:
    with pytest.raises(InvalidRequest, match="seed"):
        replace(SHAPE, seed=seed)


def test_a_preview_tells_how_many_images_show_some(library: Library) -> None:
    preview = preview_plan(library, recipe_of(RECIPE), Overrides(), AT_HOME)
    assert preview.summary.splitlines()[1] == (
        "about 12 of the images show 1 to 2 distractors besides: objects of other classes"
    )
    half = {Method.INPAINT: 40, Method.TEXT_TO_IMAGE: 40}
    assert distractors_note(Distractors(number=(1, 1)), half, classes=1) == (
        "about 12 of the images show 1 distractor besides: neutral shapes"
    )
    assert distractors_note(None, half, classes=3) == distractors_note(Distractors(share=0), half, 3) == ""


def test_networks_are_told_of_them_so_that_they_are_no_second_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_grey_angles(monkeypatch)
    known: list[np.ndarray] = []

    def salience(_rgb: np.ndarray, alpha: np.ndarray) -> Salience:
        known.append(alpha)
        return Salience(0.0, ())

    monkeypatch.setattr(measures, "salience_beside", salience)
    with Studio(Settings(library=tmp_path / "crowded", starter=False)) as studio:
        spec = add_sample_with_distractors(studio.library)
        assert studio.review.measures.measure() == 1
        (alpha,) = known
        assert np.array_equal(alpha[:4, :5], part_mask(NUT_BOX)[:4, :5])
        assert np.array_equal(alpha[5:18, 5:18], mask()[5:18, 5:18])
        entry = entry_of(studio, studio.library.samples.get(spec.id))
        assert entry["facts"]["also shows"] == "nut, 1 shape"


def test_a_release_comes_back_with_them_and_training_knows_their_photos(tmp_path: Path) -> None:
    release = tmp_path / "release"
    with Library.open(tmp_path / "first", create=True) as first:
        spec = with_distractors(add_subject(first, 1), add_subject(first, 2, label="nut"))
        first.plans.add("crowded", "name: crowded", [spec])
        first.samples.record(rendered_with_note(first, spec))
        first.review.record(decision(spec.id))
        before = first.samples.get(spec.id)
        write_release(first, release, name="Crowded")
    with Library.open(tmp_path / "second", create=True) as second:
        report = import_photos(second, str(release))
        assert (report.samples, report.refused) == (1, ())
        after = second.samples.get(spec.id)
        assert [(each.box, each.runs) for each in after.distractors] == [
            (each.box, each.runs) for each in before.distractors
        ]
        assert second.photos.used_ids() == set(spec.photo_ids)
        assert len(second.samples.list(SampleFilter(), limit=9)) == 1
    (row,) = release_rows(str(release), "synthetic", "train").rows
    assert (row.source, row.sources) == (spec.front.photo_id, spec.photo_ids)
    assert row.box == BOX


def rendered_with_note(library: Library, spec: SampleSpec) -> Rendered:
    """A rendered sample whose image carries its spec."""
    hidden = run_lengths(np.zeros((SIDE_PX, SIDE_PX), np.uint8))
    pair = (seen(NUT_BOX), replace(seen(NUT_BOX), box=(0, 0, 0, 0), runs=hidden))
    return Rendered(
        spec_id=spec.id,
        image_id=library.images.put(picture(3000), xmp=packet(spec)),
        mask_id=library.images.put(mask()),
        facts=SampleFacts(boxes=(BOX,), homographies=(IDENTITY,), visible=(1.0,), distractors=pair),
    )
