"""Starts from a picture, shadows, edges, light and cameras in specs and plans; specs without them are earlier ones."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from pipeline.domain.look import (
    CameraSpec,
    EdgeKind,
    EdgeSpec,
    FakeSeamSpec,
    Ground,
    LightMatch,
    ObjectLightSpec,
    ShadowSpec,
    StartSpec,
)
from pipeline.domain.plan import ModelFacts, PlanInputs, plan
from pipeline.domain.poses import foot
from pipeline.domain.recipe import Recipe, parse_recipe
from pipeline.domain.spec import Method, SampleSpec
from pipeline.errors import InvalidRecipe, InvalidRequest
from tests.rendering.jobs import spec
from tests.toy_photos import usable_photo

MODEL = ModelFacts(name="nano", revision="abc", size=128, steps=16, guidance_scale=3.0)
BOX = (10, 12, 100, 80)
PHOTOS = [
    usable_photo(id=f"s{n}", label=("bolt", "nut")[n % 2], cutout_id=f"c{n}", height=96, width=120, box=BOX)
    for n in range(6)
]
ALL_METHODS = "method: {inpaint: 1, controlnet: 1, text_to_image: 1, paste: 1}\n"
START = StartSpec(strength=0.4, detail=0.6)
SEAM = FakeSeamSpec(x=0.5, y=0.4, size=0.3, from_x=0.2, from_y=0.7)
SHADOW = ShadowSpec(azimuth=90, elevation=45, pitch=60, height=0.3, darkness=0.6)


def planned(text: str, *, grounds: dict[str, Ground] | None = None, count: int = 24) -> list[SampleSpec]:
    grounds = grounds or {}
    return plan(
        PlanInputs(
            parse_recipe(text), PHOTOS, model=MODEL, backdrop_ids=["p1", "p2", *grounds], grounds=grounds, count=count
        )
    )  # fmt: skip


def test_a_spec_with_every_part_survives_json() -> None:
    whole = spec(
        steps=16, start=START, backdrop_id="p", shadow=SHADOW, match_detail=True,
        camera=CameraSpec(blur_px=0.5, noise=2.0, jpeg=80), match_light=LightMatch.OBJECT,
        edge=EdgeSpec(kind=EdgeKind.POISSON, reach_px=4.5), fake_seam=SEAM,
        object_light=ObjectLightSpec(brightness=0.8),
    )  # fmt: skip
    again = SampleSpec.from_json(whole.to_json())
    assert again == whole
    assert again.id == whole.id
    assert "p" in whole.ingredients


def test_what_is_not_used_is_not_in_json_so_that_ids_of_earlier_versions_stay() -> None:
    later = {"start", "shadow", "camera", "match_detail", "match_light", "edge", "fake_seam", "object_light"}
    assert not later & json.loads(spec().to_json()).keys()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"start": START, "steps": 16},
            "a background image is needed with method 'paste' and with start 'picture'",
        ),
        ({"backdrop_id": "p"}, "a background image is needed .* and only there"),
        ({"shadow": SHADOW}, "a shadow needs a background image; use start 'picture' or method 'paste'"),
        (
            {"start": START, "backdrop_id": "p", "steps": 4},
            "steps is 4 and strength 0.4, so that fewer than 2",
        ),
        (
            {"start": START, "method": Method.PASTE, "backdrop_id": "p"},
            "method 'paste' cannot start from a picture; use inpaint or controlnet",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        spec(**given)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: StartSpec(strength=0.1), "the start's strength is 0.1; it must lie in 0.2 to 1"),
        (lambda: replace(SHADOW, elevation=5.0), "the shadow's elevation is 5; it must lie in 10 to 90"),
        (lambda: CameraSpec(noise=60), "the camera's noise is 60; it must lie in 0 to 50"),
        (
            lambda: EdgeSpec(kind=EdgeKind.FEATHER, reach_px=20),
            "the edge's reach_px is 20; it must lie in 0 to 16",
        ),
        (lambda: replace(SEAM, size=2.0), "the fake seam's size is 2; it must lie in 0.02 to 1"),
        (
            lambda: ObjectLightSpec(brightness=3),
            "the object's light's brightness is 3; it must lie in 0.3 to 2",
        ),
        (lambda: CameraSpec(jpeg=5), "the camera's jpeg is 5; it must lie in 10 to 100"),
    ],
)
def test_a_number_outside_its_range_is_refused(build: object, sentence: str) -> None:
    assert callable(build)
    with pytest.raises(InvalidRequest, match=sentence):
        build()


def test_a_recipe_that_starts_from_pictures_gives_one_to_every_sample_that_is_painted_around_an_object() -> (
    None
):
    specs = planned(ALL_METHODS + "start: picture\nstrength: 0.4")
    assert {each.method: each.start for each in specs} == {
        Method.INPAINT: START,
        Method.CONTROLNET: START,
        Method.TEXT_TO_IMAGE: None,
        Method.PASTE: None,
    }
    assert {each.method for each in specs if each.backdrop_id is None} == {Method.TEXT_TO_IMAGE}
    used = Counter(each.backdrop_id for each in specs if each.backdrop_id)
    assert abs(used["p1"] - used["p2"]) <= 1


def test_the_look_moves_no_other_draw() -> None:
    plain = planned(ALL_METHODS)
    dressed = planned(
        ALL_METHODS
        + "shadow: true\nmatch_detail: true\ncamera: {noise: [1, 4]}\nobject: {colour: [0, 0.2]}\n"
        "match_light: true\nedges: [hard, poisson]\nfake_seams: 0.5"
    )
    later = ("shadow", "camera", "match_light", "edge", "fake_seam", "object_light")
    none = dict.fromkeys(later)
    assert all(getattr(each, name) is None for each in plain for name in later)
    bare = [replace(each, **none, match_detail=False) for each in dressed]
    assert bare == plain


def test_a_shadow_falls_where_there_is_a_picture_and_detail_is_matched_where_there_is_an_object() -> None:
    specs = planned(ALL_METHODS + "shadow: true\nmatch_detail: true")
    assert {each.method for each in specs if each.shadow} == {Method.PASTE}
    assert {each.method for each in specs if not each.match_detail} == {Method.TEXT_TO_IMAGE}
    assert len({each.shadow for each in specs if each.shadow}) == 6  # each drawn by itself


def test_edges_and_fake_seams_are_in_balance_within_each_class() -> None:
    specs = planned("edges: [soft, hard, feather, poisson]\nfake_seams: 0.25", count=64)
    for label in ("bolt", "nut"):
        of_class = [each for each in specs if each.label == label]
        kinds = Counter(each.edge.kind for each in of_class if each.edge)
        assert kinds == dict.fromkeys(EdgeKind, 8)
        assert sum(each.fake_seam is not None for each in of_class) == 8
    reaches = {each.edge.reach_px for each in specs if each.edge and each.edge.kind is EdgeKind.FEATHER}
    assert len(reaches) > 10
    assert all(1 <= reach <= 3 for reach in reaches)


def test_where_no_object_is_placed_there_is_no_edge_seam_or_light() -> None:
    specs = planned("method: text_to_image\nedges: [hard]\nfake_seams: 1\nmatch_light: true")
    assert all((each.edge, each.fake_seam, each.match_light) == (None, None, None) for each in specs)


def test_a_refill_makes_up_for_the_edges_that_are_missing() -> None:
    kept = [replace(each, edge=EdgeSpec(kind=EdgeKind.HARD)) for each in planned("edges: [hard]", count=8)]
    inputs = PlanInputs(parse_recipe("edges: [soft, hard]"), PHOTOS, model=MODEL, count=8, kept=kept)
    assert all(each.edge == EdgeSpec(kind=EdgeKind.SOFT) for each in plan(inputs))


def test_what_takes_the_light_of_the_other_is_written_down() -> None:
    assert {each.match_light for each in planned("match_light: true")} == {LightMatch.BACKGROUND}
    matched = planned("match_object: true")
    assert {each.match_light for each in matched} == {LightMatch.OBJECT}
    assert not any(each.keeps_object for each in matched)


def test_a_shadow_takes_light_camera_and_edge_from_a_known_ground() -> None:
    ground = Ground(pitch=30.0, edge=0.0, azimuth=120.0, elevation=50.0)
    specs = planned("method: paste\nshadow: true", grounds={"g": ground})
    shadows = [each.shadow for each in specs if each.backdrop_id == "g"]
    assert len(shadows) == 8
    for shadow in shadows:
        assert shadow is not None
        assert (shadow.pitch, shadow.edge, shadow.azimuth, shadow.elevation) == (30.0, 0.0, 120.0, 50.0)


def test_every_object_stands_below_the_far_edge_of_its_ground() -> None:
    ground = Ground(pitch=30.0, edge=0.5, azimuth=120.0, elevation=50.0)
    specs = planned("method: paste\nplacement: {objects: [1, 2]}", grounds={"g": ground}, count=40)
    on_ground = [each for each in specs if each.backdrop_id == "g"]
    assert 5 < len(on_ground) < 20
    for each in on_ground:
        assert all(foot(placed.placement, BOX, each.size) >= 0.56 for placed in each.objects)


def test_a_camera_is_drawn_for_each_sample_within_its_ranges() -> None:
    specs = planned("camera: {blur: [0.2, 0.8], jpeg: [60, 90]}")
    cameras = [each.camera for each in specs if each.camera]
    assert len(set(cameras)) == len(specs)
    assert all(0.2 <= camera.blur_px <= 0.8 and camera.noise == 0 for camera in cameras)
    assert all(60 <= (camera.jpeg or 0) <= 90 for camera in cameras)


def test_pictures_that_are_missing_are_asked_for() -> None:
    with pytest.raises(
        InvalidRecipe, match=r"start 'picture' needs background images; set backdrops\.folder"
    ):
        plan(PlanInputs(parse_recipe("start: picture"), PHOTOS, model=MODEL))


def test_another_method_drops_what_it_has_no_use_for() -> None:
    recipe = parse_recipe("start: picture\nstrength: 0.5\nshadow: true\nmatch_detail: true")
    assert recipe.of_method(Method.PASTE).start == "noise"
    assert recipe.of_method(Method.PASTE).shadow
    assert recipe.of_method(Method.CONTROLNET).start_strength == 0.5
    whole = recipe.of_method(Method.TEXT_TO_IMAGE)
    assert not whole.shadow
    for method in Method:
        Recipe.model_validate(recipe.of_method(method).model_dump(mode="json"))


def test_the_light_on_the_objects_is_drawn_for_each_sample_that_places_one() -> None:
    specs = planned(ALL_METHODS + "object: {brightness: [0.7, 1.3]}")
    lights = [each.object_light for each in specs if each.object_light]
    assert {each.method for each in specs if each.object_light is None} == {Method.TEXT_TO_IMAGE}
    assert len(set(lights)) == len(lights)
    assert all(0.7 <= light.brightness <= 1.3 and light.colour == 0 for light in lights)
    assert not any(each.keeps_object for each in specs if each.object_light)


def test_samples_without_an_object_do_not_count_for_fake_seams() -> None:
    kept = planned("method: text_to_image", count=8)
    inputs = PlanInputs(parse_recipe("fake_seams: 0.5"), PHOTOS, model=MODEL, count=8, kept=kept)
    assert sum(each.fake_seam is not None for each in plan(inputs)) == 4
