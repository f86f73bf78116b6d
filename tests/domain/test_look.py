"""Starts from a picture, shadows and cameras in specs and plans; specs without them are those of earlier versions."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from pipeline.domain.look import CameraSpec, Ground, ObjectLightSpec, ShadowSpec, StartSpec
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
        camera=CameraSpec(blur_px=0.5, noise=2.0, jpeg=80), object_light=ObjectLightSpec(brightness=0.8),
    )  # fmt: skip
    again = SampleSpec.from_json(whole.to_json())
    assert again == whole
    assert again.id == whole.id
    assert "p" in whole.ingredients


def test_what_is_not_used_is_not_in_json_so_that_ids_of_earlier_versions_stay() -> None:
    assert (
        not {"start", "shadow", "camera", "match_detail", "object_light"}
        & json.loads(spec().to_json()).keys()
    )


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
        ALL_METHODS + "shadow: true\nmatch_detail: true\ncamera: {noise: [1, 4]}\nobject: {colour: [0, 0.2]}"
    )
    assert all(each.shadow is None and each.camera is None for each in plain)
    bare = [
        replace(each, shadow=None, camera=None, match_detail=False, object_light=None) for each in dressed
    ]
    assert bare == plain


def test_a_shadow_falls_where_there_is_a_picture_and_detail_is_matched_where_there_is_an_object() -> None:
    specs = planned(ALL_METHODS + "shadow: true\nmatch_detail: true")
    assert {each.method for each in specs if each.shadow} == {Method.PASTE}
    assert {each.method for each in specs if not each.match_detail} == {Method.TEXT_TO_IMAGE}
    assert len({each.shadow for each in specs if each.shadow}) == 6  # each drawn by itself


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
