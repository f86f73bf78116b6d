"""Distractors: drawn in balance, behind the objects, told in specs that are otherwise as before."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from pipeline.domain.contexts import mutual_information
from pipeline.domain.distractor_draws import shape_box
from pipeline.domain.distractors import (
    DistractorSpec,
    OtherObjectSpec,
    ShapeForm,
    ShapeSpec,
    distractors_sentence,
)
from pipeline.domain.look import Ground
from pipeline.domain.photos import Photo
from pipeline.domain.placement import Placement, box_corners, homography
from pipeline.domain.plan import PlanInputs, plan
from pipeline.domain.recipe import Recipe, parse_recipe, to_yaml
from pipeline.domain.recipe_distractors import Distractors
from pipeline.domain.spec import Method, SampleSpec
from pipeline.errors import InvalidRecipe, InvalidRequest
from pipeline.starter.parts import Kind
from tests.domain.test_balance import BACKGROUNDS, MODEL, STARTER, bits
from tests.rendering.jobs import spec
from tests.toy_photos import usable_photo

NUMBER = 1_200
RECIPES = Path(__file__).resolve().parents[2] / "recipes"
SINGLE = "{seed: 4, placement: {scale: [0.3, 0.6]}, distractors: {share: 0.5, number: [1, 3]}}"
BOX = STARTER[0].box
SHAPE = ShapeSpec(
    form=ShapeForm.ROD, placement=Placement(scale=0.3, y=0.2), colour=(90, 120, 130), aspect=0.2, roundness=1.0,
    relief=0.8, texture=0.1, azimuth=70.0, seed=5,
)  # fmt: skip
NUT = OtherObjectSpec(
    label="nut", photo_id="n1", cutout_id="cut-out 1", placement=Placement(scale=0.25, x=0.2)
)


def planned(
    recipe: Recipe | str, *, photos: Sequence[Photo] = STARTER, **changes: object
) -> list[SampleSpec]:
    parsed = parse_recipe(recipe) if isinstance(recipe, str) else recipe
    given = {"count": 240, "backdrop_ids": BACKGROUNDS} | changes
    return plan(PlanInputs(parsed, photos, model=MODEL, **given))  # type: ignore[arg-type]


def without_distractors(specs: Sequence[SampleSpec]) -> list[SampleSpec]:
    return [replace(each, distractors=()) for each in specs]


def kind_of(distractor: DistractorSpec) -> str:
    return "shape" if isinstance(distractor, ShapeSpec) else "object"


@pytest.mark.parametrize("name", ["surfaces", "heaps", "site"])
def test_what_stands_beside_an_object_tells_its_class_no_more_than_it_must(name: str) -> None:
    text = (RECIPES / f"{name}.yaml").read_text()
    specs = planned(text + "\ndistractors: {share: 0.3}\n", count=NUMBER)
    objects = [(each.label, other.label) for each in specs for other in each.other_objects]
    least = math.log2(len(Kind) / (len(Kind) - 1))  # since its own class is never beside it
    assert bits(objects) - least < 0.01
    assert bits((each.label, bool(each.distractors)) for each in specs) < 0.01
    assert bits((each.label, len(each.distractors)) for each in specs) < 0.01
    assert bits((each.label, kind_of(one)) for each in specs for one in each.distractors) < 0.01
    shapes = [
        (each.label, one.form) for each in specs for one in each.distractors if isinstance(one, ShapeSpec)
    ]
    assert bits(shapes) < 0.01


def test_share_number_kinds_and_classes_are_alike_in_every_class() -> None:
    specs = planned(SINGLE)  # 48 of each of 5 classes
    assert Counter((each.label, bool(each.distractors)) for each in specs) == {
        (str(kind), present): 24 for kind in Kind for present in (True, False)
    }
    numbers = Counter((each.label, len(each.distractors)) for each in specs if each.distractors)
    assert numbers == {(str(kind), number): 8 for kind in Kind for number in (1, 2, 3)}
    pairs = Counter((each.label, other.label) for each in specs for other in each.other_objects)
    assert pairs == {(str(one), str(other)): 6 for one in Kind for other in Kind if one != other}
    forms = Counter(one.form for each in specs for one in each.distractors if isinstance(one, ShapeSpec))
    assert forms == dict.fromkeys(ShapeForm, 40)
    photos = Counter(other.photo_id for each in specs for other in each.other_objects)
    assert set(photos) == {photo.id for photo in STARTER}
    assert max(photos.values()) - min(photos.values()) <= 2


@pytest.mark.parametrize(
    "classes",
    [{Kind.BOLT: 900, Kind.GEAR: 300}, {Kind.BOLT: 700, Kind.GEAR: 300, Kind.NUT: 150, Kind.SPRING: 50}],
)
def test_unequal_classes_have_each_other_class_beside_them_equally_often(classes: dict[Kind, int]) -> None:
    counts = ", ".join(f"{kind}: {number}" for kind, number in classes.items())
    specs = planned(SINGLE.replace("{seed: 4", f"{{seed: 4, classes: {{{counts}}}"), count=None)
    assert len(specs) == NUMBER
    pairs = Counter((each.label, other.label) for each in specs for other in each.other_objects)
    fronts = Counter(each.label for each in specs for _ in each.other_objects)
    others = len(Kind) - 1
    even = [
        (str(front), str(other), fronts[front] // others)
        for front in classes
        for other in Kind
        if other != front
    ]
    assert all(abs(pairs[front, other] - fronts[front] / others) < 2 for front, other, _ in even)
    link = mutual_information((front, other, number) for (front, other), number in pairs.items())
    assert link - mutual_information(even) < 0.01


def test_weights_of_kinds_hold() -> None:
    kinds = Counter(
        kind_of(one)
        for each in planned(
            "{placement: {scale: [0.3, 0.5]}, distractors: {share: 1, kinds: {objects: 3, shapes: 1}}}"
        )
        for one in each.distractors
    )
    assert abs(kinds["object"] / kinds.total() - 0.75) < 0.02
    assert not any(
        each.other_objects for each in planned("{distractors: {share: 1, kinds: [shapes]}}", count=20)
    )


@pytest.mark.parametrize("switch", ["", "distractors: false", "distractors: {share: 0}"])
def test_a_recipe_without_distractors_gives_the_plan_of_before(switch: str) -> None:
    for path in sorted(RECIPES.glob("*.yaml")):
        text = path.read_text()
        plain = planned(text, count=30)
        assert [each.id for each in planned(f"{text}\n{switch}\n", count=30)] == [each.id for each in plain]
        assert not any("distractors" in json.loads(each.to_json()) for each in plain)


def test_distractors_change_nothing_else_of_a_plan() -> None:
    for path in sorted(RECIPES.glob("*.yaml")):
        text = path.read_text()
        specs = planned(f"{text}\ndistractors: true\n", count=60)
        assert any(each.distractors for each in specs)
        assert without_distractors(specs) == planned(text, count=60)


def test_a_larger_count_only_adds_samples_and_another_order_of_photos_changes_nothing() -> None:
    assert planned(SINGLE, count=80)[:50] == planned(SINGLE, count=50)
    assert planned(SINGLE, photos=STARTER[::-1], count=50) == planned(SINGLE, count=50)


def test_distractors_stand_behind_the_objects_and_are_seen() -> None:
    recipe = (RECIPES / "surfaces.yaml").read_text() + "\ndistractors: {share: 1, scale: [0.15, 0.6]}\n"
    boxes = {photo.id: photo.box for photo in STARTER}
    for each in planned(recipe, count=60):
        largest = max(placed.placement.scale for placed in each.objects)
        in_front = [(placed.placement, boxes[placed.photo_id]) for placed in each.objects]
        for one in each.distractors:
            assert one.placement.scale <= largest
            box = shape_box(one) if isinstance(one, ShapeSpec) else boxes[one.photo_id]
            assert box is not None
            outline = box_corners(box, homography(one.placement, box, each.size))
            area = abs(cv2.contourArea(outline))
            covered = 0.0
            for placement, other in in_front:
                assert other is not None
                corners = box_corners(other, homography(placement, other, each.size))
                common = float(cv2.intersectConvexConvex(outline, corners)[0])
                assert common / min(area, abs(cv2.contourArea(corners))) <= 0.2 + 1e-3
                covered += common
            assert covered <= 0.4 * area + 1
        assert [one.placement.y for one in each.distractors] == sorted(
            one.placement.y for one in each.distractors
        )
        used = [other.photo_id for other in each.other_objects]
        assert len(used) == len(set(used))


def test_a_distractor_without_room_is_left_out() -> None:
    full = planned("{placement: {scale: [1.3, 1.4]}, distractors: {share: 1, scale: [0.4, 0.4]}}", count=20)
    assert sum(len(each.distractors) for each in full) < 20


def test_distractors_stand_on_the_ground_where_its_edge_is_known() -> None:
    ground = Ground(pitch=40.0, edge=0.5, azimuth=120.0, elevation=50.0)
    specs = planned(
        "{method: paste, shadow: true, placement: {scale: [0.2, 0.4]}, distractors: {share: 1}}",
        backdrop_ids=["wall"], grounds={"wall": ground}, count=60,
    )  # fmt: skip
    placed = [one for each in specs for one in each.distractors]
    assert len(placed) > 60
    assert min(one.placement.y for one in placed) >= 0.5
    assert {one.azimuth for one in placed if isinstance(one, ShapeSpec)} == {120.0}


def test_other_classes_stand_beside_the_classes_of_the_recipe_though_it_does_not_draw_them() -> None:
    recipe = (
        "{classes: {bolt: 40}, distractors: {share: 1, kinds: [objects]}, placement: {scale: [0.3, 0.4]}}"
    )
    specs = planned(recipe, count=None)
    others = Counter(other.label for each in specs for other in each.other_objects)
    assert {each.label for each in specs} == {"bolt"}
    assert set(others) == {str(kind) for kind in Kind} - {"bolt"}
    assert max(others.values()) - min(others.values()) <= 2


def test_text_to_image_samples_have_none_and_take_none_from_the_others() -> None:
    specs = planned(
        "{method: {inpaint: 1, text_to_image: 1}, placement: {scale: [0.3, 0.4]}, distractors: {share: 0.5}}"
    )
    assert not any(each.distractors for each in specs if each.method is Method.TEXT_TO_IMAGE)
    assert sum(bool(each.distractors) for each in specs if each.method is Method.INPAINT) == 60


def test_a_refill_makes_up_for_the_distractors_that_were_rejected() -> None:
    kept = [each for each in planned(SINGLE) if "gear" not in [other.label for other in each.other_objects]]
    more = planned(SINGLE.replace("0.5, number", "1, number"), kept=kept, count=40, seed=9)
    others = Counter(other.label for each in more for other in each.other_objects)
    assert others["gear"] > others.total() / 2


def test_shapes_alone_are_drawn_where_there_is_one_class() -> None:
    photos = [usable_photo(id=f"b{number}", label="bolt") for number in range(3)]
    specs = planned("{distractors: {share: 1}}", photos=photos, count=10)
    assert {kind_of(one) for each in specs for one in each.distractors} == {"shape"}
    with pytest.raises(InvalidRecipe) as refusal:
        planned("{distractors: {kinds: [objects]}}", photos=photos, count=10)
    assert str(refusal.value) == (
        "distractors.kinds is objects alone, and 'bolt' is the only class with a usable training photo; "
        "add shapes to it, or import photos of another class"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{share: 1.5}", "distractors.share is 1.5; it must be at most 1"),
        ("{share: -0.1}", "distractors.share is -0.1; it must be at least 0"),
        ("{number: [1, 40]}", "distractors: number is [1, 40]; it must rise and lie in 1 to 10"),
        ("{number: [0, 2]}", "distractors: number is [0, 2]; it must rise and lie in 1 to 10"),
        ("{number: 3}", "distractors.number is 3; two whole numbers [lowest, highest] are needed"),
        ("{scale: [0.4, 0.1]}", "distractors: scale is [0.4, 0.1]; it must rise and lie in 0.02 to 1.4"),
        ("{kinds: {object: 1}}", "distractors.kinds.object is 'object'; did you mean 'objects'?"),
        ("{kinds: {}}", "distractors.kinds is {}; it must not be empty"),
        ("{kinds: []}", "distractors.kinds is {}; it must not be empty"),
        ("{kind: [shapes]}", "unknown key 'distractors.kind'; did you mean 'kinds'?"),
        ("3", "distractors is 3; keys with values are needed"),
    ],
)
def test_what_cannot_be_drawn_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refusal:
        parse_recipe(f"distractors: {text}")
    assert str(refusal.value) == f"recipe: {sentence}"


def test_a_method_that_places_no_objects_has_no_distractors() -> None:
    with pytest.raises(InvalidRecipe, match="text_to_image places no objects that they could stand beside"):
        parse_recipe("{method: text_to_image, distractors: true}")
    only = parse_recipe("{method: {inpaint: 1, text_to_image: 1}, distractors: true}")
    assert only.of_method(Method.TEXT_TO_IMAGE).distractors is None
    assert only.of_method(Method.INPAINT).distractors == Distractors()
    with pytest.raises(InvalidRequest, match="places no objects"):
        spec(method=Method.TEXT_TO_IMAGE, distractors=(SHAPE,))


def test_the_recipe_survives_yaml() -> None:
    recipe = parse_recipe("distractors: {share: 0.2, number: [2, 4], kinds: {shapes: 2}, scale: [0.1, 0.2]}")
    assert parse_recipe(to_yaml(recipe)) == recipe


def test_a_spec_with_distractors_survives_json_and_names_what_it_is_made_of() -> None:
    whole = spec(distractors=(SHAPE, NUT))
    again = SampleSpec.from_json(whole.to_json())
    assert again == whole
    assert again.id == whole.id != spec().id
    assert whole.photo_ids == ("n1", "photo")
    assert whole.ingredients == ("cut-out", "cut-out 1")
    assert (spec().photo_ids, spec().ingredients) == (("photo",), ("cut-out",))


def test_specs_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="a distractor is of class 'bolt', the sample's own"):
        spec(distractors=(replace(NUT, label="bolt"),))
    with pytest.raises(InvalidRequest, match=r"the shape's aspect is 2; it must lie in 0\.05 to 1"):
        replace(SHAPE, aspect=2.0)
    with pytest.raises(InvalidRequest, match="three levels of 0 to 255 are needed"):
        replace(SHAPE, colour=(0, 0, 256))


def test_distractors_are_named() -> None:
    assert distractors_sentence(()) == ""
    assert distractors_sentence((SHAPE, NUT, SHAPE)) == "nut, 2 shapes"
    assert distractors_sentence((NUT, NUT, SHAPE)) == "2 nut, 1 shape"
