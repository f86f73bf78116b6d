"""The same recipe, library and seed give the same list of samples, everywhere and for ever."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from pipeline.domain.plan import ModelFacts, PlanSubject, plan
from pipeline.domain.recipe import Recipe, parse_recipe
from pipeline.domain.spec import ControlSource, Method, SampleSpec
from pipeline.errors import InvalidRecipe, NoSubjects

GOLDEN = Path(__file__).with_name("golden_plan.json")
MODEL = ModelFacts(name="nano", revision="abc", size=128, steps=10, guidance_scale=2.5)
SUBJECTS = [
    PlanSubject(
        id=f"s{number}", label=("bolt", "nut", "gear")[number % 3], cutout_id=f"c{number}", height=96, width=120,
        box=(10, 12, 100, 80),
    )
    for number in range(12)
]  # fmt: skip
RECIPE = parse_recipe("""
name: golden
count: 12
method: {inpaint: 1, controlnet: 1, sdxl: 1, paste: 1}
seed: 7
backdrops:
  template: "{surface} floor, {light}"
  slots: {surface: [gravel, sand, moss], light: {dim: 2, warm: 1}}
placement: {objects: [1, 2], yaw: [-40, 40], flip: {bolt: horizontal}}
""")


def golden_specs() -> list[SampleSpec]:
    return plan(RECIPE, SUBJECTS, model=MODEL, backdrop_ids=["p1", "p2"])


def test_the_golden_plan_never_changes() -> None:
    specs = golden_specs()
    golden = json.loads(GOLDEN.read_text())
    assert [json.loads(spec.to_json()) for spec in specs] == golden["specs"]
    assert [spec.id for spec in specs] == golden["ids"]


def test_a_spec_survives_json() -> None:
    for spec in golden_specs():
        again = SampleSpec.from_json(spec.to_json())
        assert again == spec
        assert again.id == spec.id


def test_the_order_of_the_photos_does_not_matter() -> None:
    assert plan(RECIPE, SUBJECTS[::-1], model=MODEL, backdrop_ids=["p2", "p1"]) == golden_specs()


def test_a_larger_count_only_adds_samples() -> None:
    longer = plan(RECIPE, SUBJECTS, model=MODEL, backdrop_ids=["p1", "p2"], count=40)
    assert longer[:12] == golden_specs()
    assert len({spec.id for spec in longer}) == 40


def test_another_seed_gives_other_samples() -> None:
    other = plan(RECIPE, SUBJECTS, model=MODEL, backdrop_ids=["p1"], seed=8)
    assert {spec.id for spec in other}.isdisjoint({spec.id for spec in golden_specs()})


def test_classes_methods_values_and_photos_are_balanced() -> None:
    specs = plan(RECIPE, SUBJECTS, model=MODEL, backdrop_ids=["p1", "p2"], count=120)
    assert Counter(spec.label for spec in specs) == {"bolt": 40, "nut": 40, "gear": 40}
    assert set(Counter(spec.method for spec in specs).values()) == {30}
    used = Counter(one.subject_id for spec in specs for one in spec.objects if spec.label == "bolt")
    assert max(used.values()) - min(used.values()) <= 1


def test_a_class_with_a_count_of_its_own_gets_exactly_that() -> None:
    recipe = Recipe(classes={"bolt": 5, "nut": 2})
    assert Counter(spec.label for spec in plan(recipe, SUBJECTS, model=MODEL)) == {"bolt": 5, "nut": 2}


def test_what_the_recipe_leaves_out_comes_from_the_model() -> None:
    spec = plan(Recipe(count=1), SUBJECTS, model=MODEL)[0]
    assert (spec.size, spec.steps, spec.guidance_scale, spec.model, spec.revision) == (
        (128, 128),
        10,
        2.5,
        "nano",
        "abc",
    )


def test_plain_sdxl_names_the_class_and_the_others_do_not() -> None:
    for spec in golden_specs():
        if spec.method is Method.SDXL:
            assert spec.prompt.startswith(f"a photo of a {spec.label}, ")
        else:
            assert spec.label not in spec.prompt


def test_only_classes_that_may_be_mirrored_are() -> None:
    specs = plan(RECIPE, SUBJECTS, model=MODEL, backdrop_ids=["p1"], count=90)
    flipped = {spec.label for spec in specs for one in spec.objects if one.placement.flip}
    assert flipped == {"bolt"}


def test_a_reference_goes_to_the_controlnet_only() -> None:
    recipe = parse_recipe(
        "{count: 4, method: {inpaint: 1, controlnet: 1}, control: {source: reference, reference: r.png}}"
    )
    for spec in plan(recipe, SUBJECTS, model=MODEL, reference_id="blob"):
        expected = (ControlSource.REFERENCE, "blob") if spec.method is Method.CONTROLNET else None
        assert expected == (spec.control and (spec.control.source, spec.control.reference_id))


def test_no_usable_photo_is_said_with_the_mend() -> None:
    with pytest.raises(NoSubjects, match="import some"):
        plan(RECIPE, [], model=MODEL)


def test_a_class_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(
        NoSubjects, match="wants class 'spring', which has no usable photo; there are: bolt, gear, nut"
    ):
        plan(Recipe(classes={"spring": 3}), SUBJECTS, model=MODEL)


def test_paste_without_pictures_is_refused() -> None:
    with pytest.raises(InvalidRecipe, match="method 'paste' needs background pictures"):
        plan(Recipe(count=1, method=Method.PASTE), SUBJECTS, model=MODEL)
