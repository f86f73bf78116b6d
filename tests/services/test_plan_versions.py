"""A plan goes on as it was begun, and what review left missing of it can be made up for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.domain.photos import Photo
from pipeline.domain.plan import PlanInputs, plan
from pipeline.domain.recipe import Recipe, parse_recipe, to_yaml
from pipeline.domain.review import Verdict
from pipeline.domain.spec import SampleSpec
from pipeline.errors import Cancelled, InvalidRequest
from pipeline.services.file_access import FileAccess
from pipeline.services.plans import backgrounds, planning
from pipeline.services.plans.planning import Overrides, planned, preview_plan, recipe_of
from pipeline.services.samples.service import SampleService
from pipeline.starter import DrawnBackground, drawn_backgrounds
from pipeline.store import Library
from tests.toy_library import add_subject, decision, pending, render

TEXT = "{name: floors, size: 32, backdrops: {template: '{floor}', slots: {floor: [sand, moss, snow]}}}"
RECIPE = recipe_of(TEXT)
AT_HOME = FileAccess()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        for number in range(4):
            add_subject(opened, number, label=("bolt", "nut")[number % 2])
        yield opened


def begun_before(library: Library, recipe: Recipe, count: int) -> list[SampleSpec]:
    """Store the plan of a recipe as version 1 planned it."""
    wanted = planning.PlannedRecipe.of(library, recipe, Overrides(count=count))
    inputs = planning._ingredients(library, wanted, AT_HOME).inputs
    specs = plan(replace(inputs, version=1))
    library.plans.add(recipe.name, to_yaml(recipe), specs)
    return specs


def ids(specs: object) -> list[str]:
    return [spec.id for spec in specs]  # type: ignore[attr-defined]


def test_a_plan_of_the_earlier_version_goes_on_as_it_was_begun(library: Library) -> None:
    begun = begun_before(library, RECIPE, 12)
    render(library, begun[0])
    again = list(planned(library, RECIPE, Overrides(count=12), AT_HOME))
    longer = list(planned(library, RECIPE, Overrides(count=60), AT_HOME))
    assert ids(again) == ids(begun)
    assert ids(longer[:12]) == ids(begun)
    preview = preview_plan(library, RECIPE, Overrides(count=12), AT_HOME)
    assert preview.new == 11
    assert any("'floors' was begun by an earlier version" in warning for warning in preview.warnings)


def edited_mask(library: Library, photo: Photo) -> Photo:
    """Give a photo a narrower mask."""
    pixels = library.images.read(photo.cutout_id or "").copy()
    x0, y0, x1, y1 = photo.box or (0, 0, 0, 0)
    pixels[:, : x0 + 8, 3] = 0
    cutout_id = library.images.put(pixels)
    library.photos.record_cutout(
        photo.id, cutout_id=cutout_id, score=1.0, doubts=(), origin="edited", box=(x0 + 8, y0, x1, y1)
    )
    return library.photos.get(photo.id)


def test_a_plan_of_the_earlier_version_goes_on_after_a_mask_was_edited(library: Library) -> None:
    begun = begun_before(library, RECIPE, 12)
    edited = edited_mask(library, library.photos.list(split="train")[0])
    again = list(planned(library, RECIPE, Overrides(count=12), AT_HOME))
    pairs = list(zip(begun, again, strict=True))
    of_edited = [spec.front.photo_id == edited.id for spec in again]
    assert {spec.plan_version for spec in again} == {1}
    assert [spec.id != before.id for before, spec in pairs] == of_edited
    assert 0 < sum(of_edited) < 12
    assert {spec.front.cutout_id for spec in again if spec.front.photo_id == edited.id} == {edited.cutout_id}
    assert [spec.slots for spec in again] == [spec.slots for spec in begun]


@pytest.mark.parametrize("change", [Overrides(seed=1, count=12), Overrides(method="text_to_image", count=12)])
def test_another_plan_of_the_same_name_follows_the_present_rule(library: Library, change: Overrides) -> None:
    begun_before(library, RECIPE, 12)
    assert {spec.plan_version for spec in planned(library, RECIPE, change, AT_HOME)} == {2}
    for photo in library.photos.list(split="train"):
        edited_mask(library, photo)
    assert {spec.plan_version for spec in planned(library, RECIPE, change, AT_HOME)} == {2}
    assert {spec.plan_version for spec in planned(library, recipe_of(None), Overrides(), AT_HOME)} == {2}


def test_a_changed_recipe_follows_the_present_rule(library: Library) -> None:
    begun_before(library, RECIPE, 12)
    changed = recipe_of(TEXT.replace("snow", "bricks"))
    assert {spec.plan_version for spec in planned(library, changed, Overrides(), AT_HOME)} == {2}


def rejected(library: Library, specs: list[SampleSpec], floor: str) -> int:
    """Render the samples, reject the bolts on a floor and accept the others; how many were rejected."""
    bad = [spec for spec in specs if spec.label == "bolt" and dict(spec.slots)["floor"] == floor]
    for spec in specs:
        render(library, spec)
        verdict = Verdict.REJECT if spec in bad else Verdict.ACCEPT
        reason = "other" if spec in bad else None
        library.review.record(decision(spec.id, verdict, reason=reason, client_id=spec.id))
    return len(bad)


def test_a_refill_draws_what_the_accepted_samples_lack(library: Library) -> None:
    specs = list(planned(library, RECIPE, Overrides(count=24), AT_HOME))
    library.plans.add(RECIPE.name, to_yaml(RECIPE), specs)
    assert rejected(library, specs, "moss") == 4
    preview = preview_plan(library, RECIPE, Overrides(refill=True, count=20), AT_HOME)
    assert (preview.name, preview.new, preview.classes) == ("floors, refill", 4, {"bolt": 4})
    refill = list(planned(library, RECIPE, Overrides(refill=True), AT_HOME))
    assert Counter((spec.label, spec.slots) for spec in refill) == {("bolt", (("floor", "moss"),)): 4}
    assert set(ids(refill)).isdisjoint(ids(specs))


def test_a_refill_resumes_and_adds_to_the_one_before(library: Library) -> None:
    specs = list(planned(library, RECIPE, Overrides(count=24), AT_HOME))
    library.plans.add(RECIPE.name, to_yaml(RECIPE), specs)
    rejected(library, specs, "moss")
    refill = list(planned(library, RECIPE, Overrides(refill=True), AT_HOME))
    library.plans.add("floors, refill", "", refill)
    assert ids(planned(library, RECIPE, Overrides(refill=True), AT_HOME)) == ids(refill)
    assert preview_plan(library, RECIPE, Overrides(refill=True), AT_HOME).new == 4
    assert rejected(library, refill[:1], "moss") == 1
    more = list(planned(library, RECIPE, Overrides(refill=True), AT_HOME))
    assert ids(more[:4]) == ids(refill)
    assert [dict(spec.slots) for spec in more[4:]] == [{"floor": "moss"}]


def reviewed(library: Library) -> list[SampleSpec]:
    """Store 24 samples of the recipe, of which 4 bolts are rejected."""
    specs = list(planned(library, RECIPE, Overrides(count=24), AT_HOME))
    library.plans.add(RECIPE.name, to_yaml(RECIPE), specs)
    assert rejected(library, specs, "moss") == 4
    return specs


def reject(library: Library, spec: SampleSpec) -> None:
    library.review.record(decision(spec.id, Verdict.REJECT, reason="other", client_id=f"again {spec.id}"))


def exclude(library: Library, label: str) -> None:
    for photo in library.photos.list(split="train"):
        if photo.label == label:
            library.photos.set_excluded(photo.id, True)


def test_a_refill_leaves_out_a_class_without_usable_photos_and_names_it(library: Library) -> None:
    specs = reviewed(library)
    nuts = [spec for spec in specs if spec.label == "nut"][:2]
    for spec in nuts:
        reject(library, spec)
    exclude(library, "bolt")
    preview = preview_plan(library, RECIPE, Overrides(refill=True), AT_HOME)
    assert (preview.new, preview.classes) == (2, {"nut": 2})
    assert any("no images of 'bolt': there is no usable" in warning for warning in preview.warnings)
    assert [spec.label for spec in planned(library, RECIPE, Overrides(refill=True), AT_HOME)] == ["nut"] * 2
    exclude(library, "nut")
    with pytest.raises(
        InvalidRequest, match="is of 'bolt' and 'nut', without a usable training photo; check"
    ):
        preview_plan(library, RECIPE, Overrides(refill=True), AT_HOME)


def test_the_stored_recipe_of_a_refill_is_the_one_that_drew_its_latest_samples(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.services.samples.runs.render", lambda *_, **__: None)
    reviewed(library)
    service = SampleService(library, AT_HOME, batch_size=2)

    def stored() -> tuple[Recipe, str]:
        service.generate(TEXT, Overrides(refill=True))
        plan = library.plans.stored("floors, refill", head=0, count=0)
        assert plan is not None
        return parse_recipe(plan.recipe_yaml), plan.recipe_yaml

    first, text = stored()
    assert first.classes == {"bolt": 4}
    assert stored() == (first, text)
    (spec, *_) = pending(library, "floors, refill")
    render(library, spec)
    reject(library, spec)
    second, text = stored()
    assert (second.classes, second.seed != first.seed) == ({"bolt": 1}, True)
    assert text.startswith("# draws the last 1 samples, after 4 of earlier refills\n")
    assert len(list(library.plans.members("floors, refill"))) == 5
    assert stored() == (second, text)


def test_a_refill_of_what_is_complete_is_refused(library: Library) -> None:
    with pytest.raises(InvalidRequest, match="recipe 'floors' has no images in this library yet"):
        planned(library, RECIPE, Overrides(refill=True), AT_HOME)
    library.plans.add(RECIPE.name, to_yaml(RECIPE), list(planned(library, RECIPE, Overrides(), AT_HOME)))
    with pytest.raises(InvalidRequest, match="recipe 'floors' has no images in this library yet"):
        preview_plan(library, RECIPE, Overrides(refill=True), AT_HOME)
    render(library, pending(library, RECIPE.name)[0])
    with pytest.raises(InvalidRequest, match="nothing is missing of 'floors': none of its 100 images"):
        preview_plan(library, RECIPE, Overrides(refill=True), AT_HOME)
    with pytest.raises(InvalidRequest, match="a refill has no rounds"):
        SampleService(library, AT_HOME, batch_size=2).generate(TEXT, Overrides(refill=True), rounds=2)


DRAWN = recipe_of(
    "{name: drawn, count: 4, size: 32, method: paste, shadow: true, backdrops: {folder: drawn}}"
)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Three pictures for the drawn set; the number of each that is drawn while a test runs."""
    numbers: list[int] = []

    def draw(*, size_px: int, first: int) -> Iterator[DrawnBackground]:
        for number, background in enumerate(
            drawn_backgrounds(size_px=size_px, count=3, first=first), start=first
        ):
            numbers.append(number)
            yield background

    monkeypatch.setattr(backgrounds, "drawn_backgrounds", draw)
    return numbers


def test_drawn_backgrounds_are_drawn_once_and_stop_between_two(library: Library, drawn: list[int]) -> None:
    def stop() -> None:
        if len(drawn) == 2:
            raise Cancelled()

    with pytest.raises(Cancelled):
        planned(library, DRAWN, Overrides(), AT_HOME, before_each=stop)
    assert drawn == [0, 1]
    first = ids(planned(library, DRAWN, Overrides(), AT_HOME))
    assert drawn == [0, 1, 2]
    assert ids(planned(library, DRAWN, Overrides(), AT_HOME)) == first
    assert drawn == [0, 1, 2]
    (library.path / "background_sets.txt").unlink()
    assert ids(planned(library, DRAWN, Overrides(), AT_HOME)) == first
    assert drawn == [0, 1, 2, 0, 1, 2]


def test_a_drawn_background_whose_image_or_note_is_lost_is_drawn_again(
    library: Library, drawn: list[int]
) -> None:
    first = ids(planned(library, DRAWN, Overrides(), AT_HOME))
    (image_id, ground), *_ = library.background_sets.read("drawn", 32)
    assert ground is not None
    assert library.background_sets.read("drawn", 64) == []
    library.images.remove(image_id)
    assert ids(planned(library, DRAWN, Overrides(), AT_HOME)) == first
    assert drawn == [0, 1, 2, 0, 1, 2]
    notes = library.path / "background_sets.txt"
    notes.write_bytes(b"[1]\n\xff\n" + notes.read_bytes()[:-9])
    assert ids(planned(library, DRAWN, Overrides(), AT_HOME)) == first
    assert len(library.background_sets.read("drawn", 32)) == 3


SIZED = recipe_of("{name: sized, backdrops: {template: '{floor}', slots: {floor: [sand, moss, snow]}}}")


def test_a_plan_that_was_begun_goes_on_at_its_size_and_with_its_ids(library: Library) -> None:
    own = SIZED.model_copy(update={"size": None})  # as earlier versions stored a recipe without a size
    begun = list(planned(library, own, Overrides(count=6), AT_HOME))
    text = to_yaml(own)
    assert "size: null" in text
    library.plans.add("sized", text, begun)
    for number in range(10, 60):  # photos with many more pixels would make the images larger
        add_subject(library, number, label="bolt", box=(0, 0, 900, 900))
    stored = PlanInputs(SIZED, library.photos.list(), model=planning._model_facts("nano"))
    assert (stored.size, begun[0].size) == (512, (128, 128))
    again = list(planned(library, SIZED, Overrides(count=6), AT_HOME))
    assert {spec.size for spec in again} == {(128, 128)}
    renamed = SIZED.model_copy(update={"name": "other"})
    assert {spec.size for spec in planned(library, renamed, Overrides(count=6), AT_HOME)} == {(512, 512)}


def test_a_recipe_without_a_size_has_the_ids_that_it_had_before_sizes_were_chosen(library: Library) -> None:
    own = SIZED.model_copy(update={"size": None})
    begun = list(planned(library, own, Overrides(count=6), AT_HOME))
    assert ids(planned(library, SIZED, Overrides(count=6), AT_HOME)) == ids(begun)
    library.plans.add("sized", to_yaml(own), begun)
    render(library, begun[0])
    assert preview_plan(library, SIZED, Overrides(count=6), AT_HOME).new == 5


def test_a_class_without_a_usable_photo_is_named_before_anything_is_drawn(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    spring = add_subject(library, 9, label="spring", doubts=("the object is cut off",))
    preview = preview_plan(library, RECIPE, Overrides(count=4), AT_HOME)
    sentence = "no images of 'spring': there is no usable training photo"
    assert [warning for warning in preview.warnings if sentence in warning] != []
    assert spring.label not in preview.classes
    said: list[str] = []

    def render_nothing(*_: object, **__: object) -> None:
        assert any(sentence in warning for warning in said)

    monkeypatch.setattr("pipeline.services.samples.runs.render", render_nothing)
    SampleService(library, AT_HOME, batch_size=2).generate(TEXT, Overrides(count=4), on_warnings=said.extend)
    assert said


def test_a_dry_run_tells_the_plan_and_stores_nothing(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_subject(library, 9, label="spring", doubts=("the object is cut off",))
    (tmp_path / "floors.yaml").write_text(TEXT)
    arguments = ["--library", str(library.path), "--recipe", str(tmp_path / "floors.yaml"), "--count", "6"]
    assert main(["generate", *arguments, "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "floors: 6 of 6 images to generate; bolt 3, nut 3; inpaint 6\n"
        "32 x 32 px, as the recipe says; about 1.0 GB of memory in batches of 4\n"
    )
    assert "no images of 'spring'" in err
    assert library.plans.list() == []
    for what in ("--dry-run", "--refill"):
        assert main(["generate", *arguments, what, "--rounds", "2"]) == 1
        assert f"{what[2:].replace('-', ' ')} has no rounds" in capsys.readouterr().err
    assert main(["generate", *arguments, "--refill"]) == 1
    assert "recipe 'floors' has no images in this library yet; generate it first" in capsys.readouterr().err
