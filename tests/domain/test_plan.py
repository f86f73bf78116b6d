"""The same recipe, library and seed give the same list of samples, everywhere and for ever."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.domain.placement import Cutout, Placement, box_corners, homography, place
from pipeline.domain.plan import ModelFacts, PlanInputs, plan, plan_outline, planned_specs
from pipeline.domain.poses import box_outline
from pipeline.domain.recipe import Recipe, default_recipe, parse_recipe
from pipeline.domain.spec import PLAN_VERSION, ControlSource, ControlSpec, Method, ObjectSpec, SampleSpec
from pipeline.errors import InvalidRecipe, NoUsablePhotos
from tests.toy_photos import usable_photo

GOLDEN = {
    version: Path(__file__).with_name(f"golden_plan_{version}.json") for version in (1, 2)
}  # of plans: version → file
MODEL = ModelFacts(name="nano", revision="abc", size=128, steps=10, guidance_scale=2.5)
PHOTOS = [
    usable_photo(
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
  template: "{place}, {light}"
  slots:
    place: ["{surface} floor", "{surface} floor in front of a {wall} wall"]
    surface: [gravel, sand, moss]
    wall: [brick, wood]
    light: {dim: 2, warm: 1}
placement: {objects: [1, 2], yaw: [-40, 40], flip: {bolt: any}}
""")


# After a wanted change of plans, raise PLAN_VERSION and write a golden file for it from the repository's root:
# python -c "import json, sys; sys.path[:0] = ['.', 'tests/domain']; import test_plan as t; s = t.golden_specs();
# t.GOLDEN[t.PLAN_VERSION].write_text(
# json.dumps({'ids': [x.id for x in s], 'specs': [json.loads(x.to_json()) for x in s]}, indent=1))"


def golden_specs(version: int = PLAN_VERSION) -> list[SampleSpec]:
    return plan(PlanInputs(RECIPE, PHOTOS, model=MODEL, backdrop_ids=["p1", "p2"], version=version))


@pytest.mark.parametrize("version", [1, 2])
def test_the_golden_plan_never_changes(version: int) -> None:
    specs = golden_specs(version)
    golden = json.loads(GOLDEN[version].read_text())
    assert [json.loads(spec.to_json()) for spec in specs] == golden["specs"]
    assert [spec.id for spec in specs] == golden["ids"]


def test_a_spec_survives_json() -> None:
    for spec in golden_specs():
        again = SampleSpec.from_json(spec.to_json())
        assert again == spec
        assert again.id == spec.id


def test_the_json_of_a_spec_is_canonical_whatever_its_texts_and_numbers_are() -> None:
    pose = Placement(x=0, y=np.float64(0.1234567), scale=1, rotation=-0.0)
    placed = ObjectSpec(photo_id="a", cutout_id="b", placement=pose)
    wild = 'b"\\\u2028é\n\x01'
    spec = replace(golden_specs()[0], objects=(placed,), prompt=wild, seed=2**70, guidance_scale=1e-6)
    text = spec.to_json()
    as_encoded = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text == as_encoded
    assert '"scale":1,"x":0,"y":0.123457' in text
    assert SampleSpec.from_json(text) == spec


def test_a_spec_is_rendered_with_the_numbers_that_its_id_is_made_of() -> None:
    placement = Placement(x=0.12345678, y=1 / 3, scale=0.5000004, rotation=-1e-9)
    objects = (ObjectSpec(photo_id="s", cutout_id="c", placement=placement),)
    control = ControlSpec(scale=2 / 3)
    spec = replace(
        next(spec for spec in golden_specs() if spec.method is Method.CONTROLNET),
        objects=objects, control=control, guidance_scale=7.12345678,
    )  # fmt: skip
    assert (placement.x, placement.y, placement.scale, str(placement.rotation)) == (
        0.123457,
        0.333333,
        0.5,
        "0.0",
    )
    assert (spec.control and spec.control.scale, spec.guidance_scale) == (0.666667, 7.123457)
    assert SampleSpec.from_json(spec.to_json()) == spec


def test_the_order_of_the_photos_does_not_matter() -> None:
    assert plan(PlanInputs(RECIPE, PHOTOS[::-1], model=MODEL, backdrop_ids=["p2", "p1"])) == golden_specs()


def test_a_larger_count_only_adds_samples() -> None:
    longer = plan(PlanInputs(RECIPE, PHOTOS, model=MODEL, backdrop_ids=["p1", "p2"], count=40))
    assert longer[:12] == golden_specs()
    assert len({spec.id for spec in longer}) == 40


def test_another_seed_gives_other_samples() -> None:
    other = plan(PlanInputs(RECIPE, PHOTOS, model=MODEL, backdrop_ids=["p1"], seed=8))
    assert {spec.id for spec in other}.isdisjoint({spec.id for spec in golden_specs()})


def test_classes_methods_values_and_photos_are_balanced() -> None:
    specs = plan(PlanInputs(RECIPE, PHOTOS, model=MODEL, backdrop_ids=["p1", "p2"], count=120))
    assert Counter(spec.label for spec in specs) == {"bolt": 40, "nut": 40, "gear": 40}
    assert set(Counter(spec.method for spec in specs).values()) == {30}
    used = Counter(placed.photo_id for spec in specs for placed in spec.objects if spec.label == "bolt")
    assert max(used.values()) - min(used.values()) <= 1


def test_a_class_with_a_count_of_its_own_gets_exactly_that() -> None:
    recipe = Recipe(classes={"bolt": 5, "nut": 2})
    assert Counter(spec.label for spec in plan(PlanInputs(recipe, PHOTOS, model=MODEL))) == {
        "bolt": 5,
        "nut": 2,
    }


def test_what_the_recipe_leaves_out_comes_from_the_model() -> None:
    spec = plan(PlanInputs(Recipe(count=1), PHOTOS, model=MODEL))[0]
    assert (spec.size, spec.steps, spec.guidance_scale, spec.model, spec.revision) == (
        (128, 128),
        10,
        2.5,
        "nano",
        "abc",
    )


def test_plain_sdxl_names_the_class_and_the_others_do_not() -> None:
    for spec in golden_specs():
        if spec.method is Method.TEXT_TO_IMAGE:
            assert spec.prompt.startswith(f"a photo of a {spec.label}, ")
        else:
            assert spec.label not in spec.prompt


def test_only_classes_that_may_be_mirrored_are() -> None:
    specs = plan(PlanInputs(RECIPE, PHOTOS, model=MODEL, backdrop_ids=["p1"], count=90))
    flipped = {spec.label for spec in specs for placed in spec.objects if placed.placement.flip}
    assert flipped == {"bolt"}


HEAP = parse_recipe("""
count: 60
placement: {objects: [2, 4], scale: [0.3, 0.5], overlap: 0.4, min_visible: 0.6, yaw: [-20, 20], pitch: [-20, 20]}
""")


def test_a_heap_lies_back_to_front_from_high_to_low() -> None:
    for spec in plan(PlanInputs(HEAP, PHOTOS, model=MODEL)):
        heights = [placed.placement.y for placed in spec.objects]
        assert heights == sorted(heights)


def test_no_photo_comes_twice_in_a_sample_while_others_of_its_class_are_left() -> None:
    specs = plan(PlanInputs(HEAP, PHOTOS, model=MODEL))
    for spec in specs:
        photos = [placed.photo_id for placed in spec.objects]
        assert len(set(photos)) == len(photos)
    used = Counter(placed.photo_id for spec in specs for placed in spec.objects if spec.label == "nut")
    assert max(used.values()) - min(used.values()) <= 1


def test_a_heap_larger_than_its_class_takes_every_photo_before_one_comes_again() -> None:
    recipe = Recipe.model_validate({"count": 9, "placement": {"objects": [6, 6], "scale": [0.1, 0.2]}})
    for spec in plan(PlanInputs(recipe, PHOTOS, model=MODEL)):
        assert sorted(Counter(placed.photo_id for placed in spec.objects).values()) == [1, 1, 2, 2]


def test_what_must_be_seen_of_an_object_is_not_covered_by_those_before_it() -> None:
    alpha = np.zeros((96, 120), np.uint8)
    alpha[12:80, 10:100] = 255
    cutout = Cutout(np.zeros((96, 120, 3), np.uint8), alpha)
    shares = [
        share
        for spec in plan(PlanInputs(HEAP, PHOTOS, model=MODEL))
        for share in place(
            [cutout] * len(spec.objects), [placed.placement for placed in spec.objects], spec.size
        ).visible
    ]
    assert min(shares) > 0.59  # one percent for pixels that an outline cuts
    assert min(shares) < 0.8  # and the heaps are heaps


def test_thirty_objects_stand_in_one_image_and_each_is_seen() -> None:
    recipe = parse_recipe(
        "{count: 3, placement: {objects: [30, 30], scale: [0.15, 0.3], overlap: 0.5, min_visible: 0.3}}"
    )
    for spec in plan(PlanInputs(recipe, PHOTOS, model=MODEL)):
        outlines = [box_outline(placed.placement, (10, 12, 100, 80), spec.size) for placed in spec.objects]
        assert len(outlines) == 30
        for place_, outline in enumerate(outlines):
            own = np.array(outline, np.float32)
            in_front = [np.array(other, np.float32) for other in outlines[place_ + 1 :]]
            covered = sum(cv2.intersectConvexConvex(own, other)[0] for other in in_front)
            assert covered < 0.71 * cv2.contourArea(own)


def test_an_object_larger_than_the_image_is_cut_by_its_border_and_fills_it() -> None:
    recipe = parse_recipe(
        "{count: 12, placement: {position: centred, scale: [1.3, 1.4], rotation: [0, 0], yaw: [0, 0], "
        "pitch: [0, 0], min_visible: 0.4}}"
    )
    alpha = np.zeros((96, 120), np.uint8)
    alpha[12:80, 10:100] = 255
    cutout = Cutout(np.zeros((96, 120, 3), np.uint8), alpha)
    for spec in plan(PlanInputs(recipe, PHOTOS, model=MODEL)):
        placed = place([cutout], [spec.front.placement], spec.size)
        assert 0.4 <= placed.visible[0] < 0.9
        assert 0.85 < placed.masks[0].mean() / 255 <= 1


def test_any_mirroring_turns_objects_upside_down_too() -> None:
    recipe = parse_recipe("{count: 80, placement: {flip: any, rotation: [-5, 5]}}")
    poses = [spec.objects[0].placement for spec in plan(PlanInputs(recipe, PHOTOS, model=MODEL))]
    seen = Counter((pose.flip, abs(pose.rotation) > 90) for pose in poses)
    assert len(seen) == 4
    assert min(seen.values()) > 10
    assert all(min(abs(pose.rotation), abs(180 - abs(pose.rotation))) <= 5 for pose in poses)


def test_slots_that_a_prompt_does_not_show_are_not_recorded() -> None:
    for spec in plan(PlanInputs(default_recipe(), PHOTOS, model=MODEL)):
        walled = "{wall}" in dict(spec.slots)["place"]
        assert ("wall" in dict(spec.slots)) == walled
        assert all(value in spec.prompt for slot, value in spec.slots if slot not in ("place", "arrangement"))


def test_a_reference_goes_to_the_controlnet_only() -> None:
    recipe = parse_recipe(
        "{count: 4, method: {inpaint: 1, controlnet: 1}, control: {source: reference, reference: r.png}}"
    )
    for spec in plan(PlanInputs(recipe, PHOTOS, model=MODEL, reference_id="blob")):
        expected = (ControlSource.REFERENCE, "blob") if spec.method is Method.CONTROLNET else None
        assert expected == (spec.control and (spec.control.source, spec.control.reference_id))


def test_no_usable_photo_is_said_with_the_mend() -> None:
    with pytest.raises(NoUsablePhotos, match="import some"):
        plan(PlanInputs(RECIPE, [], model=MODEL))


def test_a_class_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(
        NoUsablePhotos, match="wants class 'spring', which has no usable photo; there are: bolt, gear, nut"
    ):
        plan(PlanInputs(Recipe(classes={"spring": 3}), PHOTOS, model=MODEL))


def test_paste_without_pictures_is_refused() -> None:
    with pytest.raises(InvalidRecipe, match="method 'paste' needs background images"):
        plan(PlanInputs(Recipe(count=1, method=Method.PASTE), PHOTOS, model=MODEL))


def test_photos_without_a_cutout_or_an_object_are_left_out() -> None:
    bare = [
        usable_photo(id="no cut-out", label="bolt", cutout_id=None),
        usable_photo(id="empty mask", label="screw", box=None),
    ]
    assert (
        plan(PlanInputs(RECIPE, [*PHOTOS, *bare], model=MODEL, backdrop_ids=["p1", "p2"])) == golden_specs()
    )
    with pytest.raises(NoUsablePhotos, match="no usable training photo"):
        plan(PlanInputs(RECIPE, bare, model=MODEL, backdrop_ids=["p1"]))


def test_specs_of_the_earlier_version_have_its_ids_and_none_in_their_json() -> None:
    earlier, present = golden_specs(1)[0], golden_specs()[0]
    assert "plan_version" not in json.loads(earlier.to_json())
    assert json.loads(present.to_json())["plan_version"] == 2
    assert replace(present, plan_version=1).id != present.id


MIX = parse_recipe("""
count: 60
placement:
  - {name: single, weight: 3, scale: [0.4, 0.6]}
  - {name: heap, weight: 2, objects: [3, 4], scale: [0.2, 0.3], overlap: 0.5, min_visible: 0.4}
""")


def test_arrangements_come_by_their_weights_within_each_class_and_their_objects_keep_their_ranges() -> None:
    specs = plan(PlanInputs(MIX, PHOTOS, model=MODEL))
    cells = Counter((spec.label, dict(spec.slots)["arrangement"]) for spec in specs)
    assert cells == {
        (label, name): number
        for label in ("bolt", "nut", "gear")
        for name, number in (("single", 12), ("heap", 8))
    }
    for spec in specs:
        scales = [placed.placement.scale for placed in spec.objects]
        heap = dict(spec.slots)["arrangement"] == "heap"
        assert len(scales) in ((3, 4) if heap else (1,))
        assert all((0.2 if heap else 0.4) <= scale <= (0.3 if heap else 0.6) for scale in scales)
    assert SampleSpec.from_json(specs[0].to_json()) == specs[0]


def test_a_method_without_a_prompt_records_its_arrangement_too_and_the_outline_counts_them() -> None:
    inputs = PlanInputs(MIX, PHOTOS, model=MODEL, backdrop_ids=["p1"], method=Method.PASTE)
    assert {spec.slots for spec in plan(inputs)} == {(("arrangement", "single"),), (("arrangement", "heap"),)}
    assert plan_outline(replace(inputs, count=5_000)).slots == {
        "arrangement": {"single": 3_000, "heap": 2_000}
    }
    assert plan_outline(inputs).head == tuple(plan(inputs))[: len(plan_outline(inputs).head)]


def test_an_arrangement_that_review_took_away_is_made_up_for() -> None:
    specs = plan(PlanInputs(MIX, PHOTOS, model=MODEL))
    kept = [spec for spec in specs if dict(spec.slots)["arrangement"] == "single"]
    more = plan(PlanInputs(MIX, PHOTOS, model=MODEL, count=24, seed=9, kept=kept))
    assert {dict(spec.slots)["arrangement"] for spec in more} == {"heap"}


def test_a_mix_of_one_arrangement_has_the_poses_of_no_other_plan() -> None:
    """Ranges for all images alike keep the samples that they had; named ones have chances of their own."""
    plain = Recipe.model_validate({"count": 3, "placement": {"objects": [1, 2]}})
    mixed = Recipe.model_validate({"count": 3, "placement": [{"name": "few", "objects": [1, 2]}]})
    first, second = (plan(PlanInputs(recipe, PHOTOS, model=MODEL)) for recipe in (plain, mixed))
    assert [spec.prompt for spec in first] == [spec.prompt for spec in second]
    assert {spec.id for spec in first}.isdisjoint(spec.id for spec in second)
    assert all(not any(slot == "arrangement" for slot, _ in spec.slots) for spec in first)


def test_samples_are_planned_one_by_one() -> None:
    inputs = PlanInputs(RECIPE, PHOTOS, model=MODEL, backdrop_ids=["p1", "p2"], count=100_000)
    assert list(islice(planned_specs(inputs), 12)) == golden_specs()
    with pytest.raises(NoUsablePhotos):
        planned_specs(replace(inputs, photos=[]))  # before the first is asked for


def test_an_outline_without_arrays_is_that_of_the_homography() -> None:
    rng = random.Random(4)
    for _ in range(200):
        pose = Placement(
            x=rng.random(), y=rng.random(), scale=0.1 + rng.random(), rotation=360 * rng.random() - 180,
            yaw=90 * rng.random() - 45, pitch=90 * rng.random() - 45, flip=rng.random() < 0.5,
        )  # fmt: skip
        box, size = (10, 12, 100 + int(90 * rng.random()), 80), (96, 128)
        expected = box_corners(box, homography(pose, box, size))
        assert np.allclose(box_outline(pose, box, size), expected, atol=1e-3)
