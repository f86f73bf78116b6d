"""A plan goes on as it was begun, and what review left missing of it can be made up for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.domain.plan import plan
from pipeline.domain.recipe import Recipe, to_yaml
from pipeline.domain.review import Verdict
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest
from pipeline.services.file_access import FileAccess
from pipeline.services.plans import planning
from pipeline.services.plans.planning import Overrides, planned, preview_plan, recipe_of
from pipeline.services.samples.service import SampleService
from pipeline.store import Library
from tests.toy_library import add_subject, decision, render

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


@pytest.mark.parametrize("change", [Overrides(seed=1, count=12), Overrides(method="text_to_image", count=12)])
def test_another_plan_of_the_same_name_follows_the_present_rule(library: Library, change: Overrides) -> None:
    begun_before(library, RECIPE, 12)
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


def test_a_refill_of_what_is_complete_is_refused(library: Library) -> None:
    with pytest.raises(InvalidRequest, match="recipe 'floors' has no images in this library yet"):
        planned(library, RECIPE, Overrides(refill=True), AT_HOME)
    library.plans.add(RECIPE.name, to_yaml(RECIPE), list(planned(library, RECIPE, Overrides(), AT_HOME)))
    with pytest.raises(InvalidRequest, match="nothing is missing of 'floors': none of its 100 images"):
        preview_plan(library, RECIPE, Overrides(refill=True), AT_HOME)
    with pytest.raises(InvalidRequest, match="a refill has no rounds"):
        SampleService(library, AT_HOME, batch_size=2).generate(TEXT, Overrides(refill=True), rounds=2)


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
    assert out == "floors: 6 of 6 images to generate; bolt 3, nut 3; inpaint 6\n"
    assert "no images of 'spring'" in err
    assert library.plans.list() == []
    assert main(["generate", *arguments, "--refill"]) == 1
    assert "recipe 'floors' has no images in this library yet; generate it first" in capsys.readouterr().err
