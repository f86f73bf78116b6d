"""Field profiles: what they hold, what a person may change, and how a recipe takes its numbers from them."""

from __future__ import annotations

import pytest

from pipeline.domain.field_profile import (
    FieldProfile,
    checked_name,
    learnt_from,
    parse_profile,
    profile_rows,
    profiles_named,
    resolved,
)
from pipeline.domain.recipe import Recipe, parse_recipe, to_yaml
from pipeline.domain.recipe_learnt import FieldPlacement
from pipeline.domain.recipe_look import Camera
from pipeline.errors import InvalidRecipe, InvalidRequest

PROFILE = FieldProfile(
    photos=10,
    placement=FieldPlacement(objects=(2, 5), scale=(0.2, 0.4), overlap=0.3),
    camera={128: Camera(noise=(1, 2), jpeg=(80, 90)), 512: Camera(noise=(2, 4)), 1024: None},
)


def taught(text: str, side_px: int = 128, profile: FieldProfile = PROFILE) -> Recipe:
    recipe = parse_recipe(text)
    named = profiles_named(recipe)
    learnt = learnt_from(recipe, dict.fromkeys(named, profile), dict.fromkeys(named, "1"), side_px)
    return recipe.model_copy(update={"learnt": learnt})


def test_a_recipe_takes_number_scale_overlap_and_camera_from_the_profile() -> None:
    plain = resolved(taught("placement: {like: field, rotation: [0, 10]}\ncamera: {like: field}"))
    assert plain == parse_recipe(
        "placement: {objects: [2, 5], scale: [0.2, 0.4], overlap: 0.3, min_visible: 0.7, rotation: [0, 10]}\n"
        "camera: {noise: [1, 2], jpeg: [80, 90]}"
    )


def test_what_the_recipe_says_itself_comes_first() -> None:
    plain = resolved(
        taught("placement: {like: field, objects: [1, 1]}\ncamera: {like: field, jpeg: null, blur: [0, 1]}")
    )
    assert (plain.placement.objects, plain.placement.scale) == ((1, 1), (0.2, 0.4))
    assert plain.camera == Camera(noise=(1, 2), blur=(0, 1))


@pytest.mark.parametrize(
    ("overlap", "beside", "visible"),
    [
        (None, "", 0.85),
        (0.1, "", 0.85),
        (0.5, "", 0.5),
        (0.9, "", 0.3),
        (0.5, ", min_visible: 0.8", 0.8),
        (0.5, ", overlap: 0.1", 0.85),
    ],
)
def test_objects_may_be_covered_as_far_as_in_the_photos(
    overlap: float | None, beside: str, visible: float
) -> None:
    profile = FieldProfile(
        photos=5, placement=FieldPlacement(objects=(2, 3), scale=(0.2, 0.4), overlap=overlap)
    )
    recipe = taught(f"placement: {{like: field{beside}}}", profile=profile)
    assert resolved(recipe).placement.min_visible == visible
    assert resolved(parse_recipe(to_yaml(recipe))).placement.min_visible == visible


def test_a_plan_that_was_begun_before_keeps_the_usual_visibility() -> None:
    recipe = taught("placement: {like: field}")
    assert recipe.learnt is not None
    earlier = recipe.learnt.model_copy(update={"placement": {"field": PROFILE.placement}})
    assert resolved(recipe.model_copy(update={"learnt": earlier})).placement.min_visible == 0.85


@pytest.mark.parametrize(("side_px", "noise"), [(64, (1, 2)), (200, (1, 2)), (400, (2, 4)), (700, (2, 4))])
def test_the_camera_is_that_of_the_nearest_size(side_px: int, noise: tuple[float, float]) -> None:
    camera = resolved(taught("camera: {like: field}", side_px)).camera
    assert camera is not None
    assert camera.noise == noise


def test_a_camera_that_changes_nothing_is_left_out() -> None:
    assert resolved(taught("camera: {like: field}", 1024)).camera is None
    assert resolved(taught("camera: {like: field}", profile=FieldProfile(photos=5))).camera is None


def test_what_the_profile_cannot_tell_must_be_given() -> None:
    unsure = PROFILE.model_copy(update={"placement": FieldPlacement(scale=(0.2, 0.4))})
    with pytest.raises(
        InvalidRecipe, match=r"'field' could not tell the number of objects; give placement\.objects"
    ):
        resolved(taught("placement: {like: field}", profile=unsure))
    plain = resolved(taught("placement: {like: field, objects: [1, 2]}", profile=unsure))
    assert (plain.placement.objects, plain.placement.overlap) == ((1, 2), 0.15)


def test_values_that_do_not_fit_together_are_refused_with_their_profile() -> None:
    wide = taught("placement: {like: field, objects: [1, 2]}")
    assert wide.learnt is not None
    broken = wide.learnt.model_copy(
        update={"placement": {"field": FieldPlacement.model_construct(scale=(3, 9))}}
    )
    with pytest.raises(InvalidRecipe, match="placement, like 'field': scale is"):
        resolved(wide.model_copy(update={"learnt": broken}))


@pytest.mark.parametrize(
    "text",
    [
        "placement: {like: field}",
        "placement: {like: field, objects: [1, 1], flip: {bolt: any}}",
        "camera: {like: field, noise: null}",
    ],
)
def test_a_recipe_is_written_and_read_with_what_is_given_beside_like(text: str) -> None:
    recipe = taught(text)
    again = parse_recipe(to_yaml(recipe))
    assert again.model_dump() == recipe.model_dump()
    assert resolved(again) == resolved(recipe)
    validated = Recipe.model_validate({**recipe.model_dump(mode="json"), "seed": 3})
    assert resolved(validated).placement == resolved(recipe).placement


def test_a_recipe_without_profiles_is_written_as_before() -> None:
    text = to_yaml(parse_recipe("camera: {noise: [1, 2]}"))
    assert "like" not in text
    assert "learnt" not in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "f.json: this is not JSON; learn the profile again, or repair the file"),
        ('{"photos": 5, "placement": {"objects": [3, 1]}}', r"placement: objects is \[3, 1\]; it must rise"),
        ('{"photos": 5, "placement": {"scales": [3, 1]}}', r"unknown key 'placement.scales'; did you mean 'scale'"),
        ('{"photos": 5, "camera": {"128": {"noise": [1, 99]}}}', r"noise is \[1, 99\]; it must rise"),
        ('{"photos": 5, "camera": {"128": {"like": "x"}}}', "cannot be like another one; give numbers"),
        ('{"photos": 5, "camera": {"0": null}}', "camera.0 is '0'; it must be at least 1"),
        ('{"photos": 5, "folder": "../blobs"}', "must be the name of a folder beside the profile"),
        ('{"photos": true}', "photos is true"),
    ],
)  # fmt: skip
def test_a_profile_that_was_changed_wrongly_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRecipe, match=sentence) as refused:
        parse_profile(text, "f.json")
    assert "\n" not in str(refused.value)


def test_a_profile_is_read_as_it_was_written() -> None:
    assert parse_profile(PROFILE.model_dump_json(), "f.json") == PROFILE


@pytest.mark.parametrize("name", ["", "drawn", "starter", "../x", "Field", "a b", "x" * 41, "-x", "a.b", "é"])
def test_names_that_are_paths_or_taken_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        checked_name(name)


def test_rows_say_what_was_learnt_and_what_cannot_be_told() -> None:
    rows = dict(profile_rows(PROFILE))
    assert rows["objects in a photo"] == "2 to 5 (objects that touch count as one)"
    assert rows["licence"] == "not given"
    assert rows["camera at 128 px"] == "noise 1 to 2, JPEG 80 to 90"
    assert rows["camera at 1024 px"] == "changes nothing"
    assert dict(profile_rows(FieldProfile(photos=5)))["objects in a photo"] == "cannot be told"


def test_each_arrangement_of_a_mix_may_be_like_a_profile() -> None:
    text = (
        "placement: [{name: alone, weight: 1, objects: [1, 1]}, "
        "{name: there, weight: 3, like: field, rotation: [0, 10]}]"
    )
    recipe = taught(text)
    assert resolved(recipe) == parse_recipe(
        "placement: [{name: alone, objects: [1, 1]}, {name: there, weight: 3, objects: [2, 5], scale: [0.2, 0.4], "
        "overlap: 0.3, min_visible: 0.7, rotation: [0, 10]}]"
    )
    assert parse_recipe(to_yaml(recipe)).model_dump() == recipe.model_dump()
