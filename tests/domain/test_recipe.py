"""A recipe says what is wrong with it in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.recipe import Recipe, default_recipe, parse_recipe, to_yaml
from pipeline.domain.slots import longest_prompt
from pipeline.domain.spec import Method
from pipeline.errors import InvalidRecipe

RECIPES = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_example_is_valid_and_survives_writing(path: Path) -> None:
    recipe = parse_recipe(path.read_text(), path.name)
    assert recipe.name == path.stem
    assert parse_recipe(to_yaml(recipe)) == recipe


def test_there_are_at_least_three_examples() -> None:
    assert len(RECIPES) >= 3


def test_an_empty_recipe_takes_every_default() -> None:
    recipe = parse_recipe("name: x")
    assert recipe == Recipe(name="x")
    assert recipe.methods == {Method.INPAINT: 1.0}
    assert recipe.total == 100


def test_the_default_recipe_is_the_surfaces_example() -> None:
    assert default_recipe().name == "surfaces"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("placment: {}", "r.yaml: unknown key 'placment'; did you mean 'placement'?"),
        ("placement: {scal: [1, 2]}", "r.yaml: unknown key 'placement.scal'; did you mean 'scale'?"),
        (
            "method: inpant",
            "r.yaml: method is 'inpant'; did you mean 'inpaint'?",
        ),
        ("method: {inpant: 1}", "r.yaml: method.inpant is 'inpant'; did you mean 'inpaint'?"),
        ("method: 3", "r.yaml: method is 3; it must be one of inpaint, controlnet, text_to_image, paste"),
        ("method: {}", "r.yaml: method is {}; it must not be empty"),
        (
            "placement: {flip: {nut: horizntal}}",
            "r.yaml: placement.flip.nut is 'horizntal'; did you mean 'horizontal'?",
        ),
        ("placement: {flip: no}", "r.yaml: placement.flip is false; it must be one of none, horizontal, any"),
        ("start: pictur", "r.yaml: start is 'pictur'; did you mean 'picture'?"),
        ("start: picture\nstrength: 0.1", "r.yaml: strength is 0.1; it must be at least 0.2"),
        (
            "strength: 0.4",
            "r.yaml: strength is 0.4, but start is noise; set start: picture, or leave strength out",
        ),
        (
            "start: picture\nmethod: {paste: 1, text_to_image: 1}",
            "r.yaml: start is picture, but paste and text_to_image cannot start from one; "
            "use method inpaint or controlnet, or leave start out",
        ),
        (
            "shadow: true",
            "r.yaml: shadow is true, but there are no background pictures that it could fall on; "
            "set start: picture, use method paste, or leave shadow out",
        ),
        ("shadow: soft", "r.yaml: shadow is 'soft'; true or false is needed"),
        ("match_detail: 1", "r.yaml: match_detail is 1; true or false is needed"),
        ("edges: [hrd]", "r.yaml: edges.0 is 'hrd'; did you mean 'hard'?"),
        ("edges: []", "r.yaml: edges is []; it must not be empty"),
        ("edges: [hard, hard]", "r.yaml: edges lists hard and hard; name each kind once"),
        ("fake_seams: 2", "r.yaml: fake_seams is 2; it must be at most 1"),
        (
            "match_light: true\nmatch_object: true",
            "r.yaml: match_light and match_object are both true; the one changes the background, the other the object: "
            "leave one of them out",
        ),
        ("camera: true", "r.yaml: camera is true; keys with values are needed"),
        ("camera: {nois: [1, 2]}", "r.yaml: unknown key 'camera.nois'; did you mean 'noise'?"),
        (
            "camera: {noise: 3}",
            "r.yaml: camera.noise is 3; two numbers [lowest, highest] are needed",
        ),
        (
            "camera: {jpeg: [5, 90]}",
            "r.yaml: camera: jpeg is [5, 90]; it must rise and lie in 10 to 100",
        ),
        (
            "camera: {}",
            "r.yaml: camera: it does nothing; give blur, noise, jpeg or like, or leave camera out",
        ),
        (
            "object: {brightness: [0, 1]}",
            "r.yaml: object: brightness is [0, 1]; it must rise and lie in 0.3 to 2",
        ),
        ("object: {}", "r.yaml: object: it changes nothing; give brightness or colour, or leave object out"),
        ("object: {color: [0, 1]}", "r.yaml: unknown key 'object.color'; did you mean 'colour'?"),
        ("count: true", "r.yaml: count is true; a number is needed"),
        ("count: 0", "r.yaml: count is 0; it must be at least 1"),
        ("count: 1.5", "r.yaml: count is 1.5; a whole number is needed"),
        ("size: 100", "r.yaml: size is 100; it must be a multiple of 8"),
        ("name: 3", "r.yaml: name is 3; a text is needed; put it in quotes"),
        ("classes: {bolt: many}", "r.yaml: classes.bolt is 'many'; a whole number is needed"),
        ("placement: 3", "r.yaml: placement is 3; keys with values are needed"),
        (
            "placement: {scale: big}",
            "r.yaml: placement.scale is 'big'; two numbers [lowest, highest] are needed",
        ),
        (
            "placement: {scale: [1]}",
            "r.yaml: placement.scale is [1]; two numbers [lowest, highest] are needed",
        ),
        ("placement: []", "r.yaml: placement is []; it must not be empty"),
        ("placement: [single]", "r.yaml: placement.0 is 'single'; keys with values are needed"),
        ("placement: [{scale: [1, 2]}]", "r.yaml: placement.0.name is missing; add it"),
        ("placement: [{name: '', weight: 1}]", "r.yaml: placement.0.name is ''; it must not be empty"),
        (
            "placement: [{name: a}, {name: b, scal: [1, 2]}]",
            "r.yaml: unknown key 'placement.1.scal'; did you mean 'scale'?",
        ),
        (
            "placement: [{name: a, scale: [1]}]",
            "r.yaml: placement.0.scale is [1]; two numbers [lowest, highest] are needed",
        ),
        (
            "placement: [{name: a, scale: [1, big]}]",
            "r.yaml: placement.0.scale: the highest is 'big'; a number is needed",
        ),
        (
            "placement: [{name: a, objects: [1, 31]}]",
            "r.yaml: placement.0: objects is [1, 31]; it must rise and lie in 1 to 30",
        ),
        (
            "placement: [{name: a, weight: 0}]",
            "r.yaml: placement.0.weight is 0; it must be at least 1e-06",
        ),
        (
            "placement: [{name: a}, {name: a}]",
            "r.yaml: placement names 'a' twice; give each arrangement a name of its own",
        ),
        (
            "placement: [{name: a}]\nbackdrops: {template: '{arrangement}', slots: {arrangement: [x]}}",
            "r.yaml: backdrops.slots.arrangement has the name under which samples tell their placement; "
            "rename the slot",
        ),
        (
            "placement: {weight: 2}",
            "r.yaml: unknown key 'placement.weight'; known keys: position, scale, rotation, "
            "yaw, pitch, flip, min_visible, objects, overlap, like",
        ),
        (
            "placement: {objects: [1, 2, 3]}",
            "r.yaml: placement.objects is [1, 2, 3]; two whole numbers [lowest, highest] are needed",
        ),
        ("placement: {yaw: [0, far]}", "r.yaml: placement.yaw: the highest is 'far'; a number is needed"),
        ("placement: {min_visible: yes}", "r.yaml: placement.min_visible is true; a number is needed"),
        (
            "backdrops: {slots: {light: {dim: .nan}}}",
            "r.yaml: backdrops.slots.light.dim is nan; a finite number is needed",
        ),
        ("seed: 1\ncount: 2\nseed: 3", "r.yaml at line 3: key 'seed' is given twice; remove one of them"),
        ("", "r.yaml: the file is empty; recipes/ holds worked examples"),
        ("# nothing yet", "r.yaml: the file is empty; recipes/ holds worked examples"),
        ("3: x", "r.yaml: 3 is 3; a key must be a text; put it in quotes"),
        (
            "backdrops: {template: '{place}'}",
            "r.yaml: the template names {place}, but backdrops.slots has no 'place'; add it",
        ),
        (
            "placement: {scale: [2, 1]}",
            "r.yaml: placement: scale is [2.0, 1.0]; it must rise and lie in 0.02 to 4",
        ),
        (
            "backdrops: {slots: {light: {dim: -1}}}",
            "r.yaml: backdrops: the weight of 'dim' in slot 'light' is -1; it must lie in 0.000001 to 1000000",
        ),
        ("- a list", "r.yaml: a recipe is a list of keys and values; recipes/ holds worked examples"),
        ("a: [", "r.yaml: this is not YAML at line 1; expected the node content, but found '<stream end>'"),
        ("count: !!bool foo", "r.yaml at line 1: 'foo' does not fit the tag !!bool; leave the tag out"),
        ("count: !!int ''", "r.yaml at line 1: '' does not fit the tag !!int; leave the tag out"),
        (
            "name: !!timestamp foo",
            "r.yaml at line 1: the tag !!timestamp is not read in recipes; "
            "leave it out, or put the value in quotes",
        ),
        ("name: !!set [1]", "r.yaml at line 1: the tag !!set is not read in recipes; leave it out"),
        ("? [1]\n: 2", "r.yaml at line 1: a key must be a text, not a list or a mapping"),
        ("<<: {count: 1}", "r.yaml at line 1: the merge key << is not read in recipes; write the keys out"),
        ("name: &x [*x]", "r.yaml at line 1: an alias stands inside what it names; write the value out"),
        (
            "[" * 30 + "]" * 30,
            "r.yaml at line 1: it is nested more than 20 levels deep; flatten it",
        ),
        (
            "name: [" + "1," * 5_000 + "]",
            "r.yaml at line 1: there are more than 5000 keys and values; shorten the lists",
        ),
        ("#" * 100_001, "r.yaml: the recipe has 100,001 characters; at most 100,000 are read"),
        (
            "count: 1" + "0" * 400,
            "r.yaml at line 1: a number has 401 characters; at most 40 are read",
        ),
        (
            'name: "\\uD800"',
            "r.yaml at line 1: a text has the unreadable character U+D800; remove it",
        ),
        (
            'name: "\\0"',
            "r.yaml at line 1: a text has the unreadable character U+0000; remove it",
        ),
        (f"name: {'n' * 101}", f"r.yaml: name is '{'n' * 58}…; it must have at most 100 characters"),
        ("count: 100001", "r.yaml: count is 100001; it must be at most 100000"),
        (
            "classes: {bolt: 60000, nut: 40001}",
            "r.yaml: 100,001 samples are planned; at most 100,000 are allowed; "
            "use several recipes with different names and seeds",
        ),
        (
            "backdrops: {slots: {light: [[dim]]}}",
            "r.yaml: backdrops.slots: slot 'light' lists something other than texts; each of its values must be a text",
        ),
        ("name: again", "r.yaml: name: 'again' is reserved for single images; choose another name"),
    ],
)
def test_what_is_wrong_is_named_with_the_mend(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        parse_recipe(text, "r.yaml")
    assert str(refused.value) == sentence


def doubling(levels: int) -> str:
    """A recipe whose prompt doubles with each of its nested slots."""
    slots = [f"    s{level}: ['{{s{level + 1}}} {{s{level + 1}}}']" for level in range(levels)]
    return "\n".join(
        ["backdrops:", "  template: '{s0}'", "  slots:", *slots, f"    s{levels}: [gravel floor]"]
    )


def test_nested_slots_may_double_within_the_longest_prompt() -> None:
    slots = parse_recipe(doubling(6)).backdrops.slots
    assert longest_prompt("{s0}", slots) == 64 * len("gravel floor ") - 1


def test_nested_slots_that_double_thirty_times_are_refused_before_they_are_written_out() -> None:
    with pytest.raises(InvalidRecipe, match=r"the longest prompt of backdrops has 13,958,643,711 characters"):
        parse_recipe(doubling(30))


def test_an_alias_counts_as_often_as_it_is_repeated() -> None:
    lines = ["a0: &a0 [1, 1]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 17))]
    with pytest.raises(InvalidRecipe, match="more than 5000 keys and values"):
        parse_recipe("\n".join(lines))


def test_the_earlier_name_of_the_text_to_image_prefix_is_read() -> None:
    recipe = parse_recipe("backdrops: {sdxl_prefix: 'one {label}: '}")
    assert recipe.backdrops.text_to_image_prefix == "one {label}: "
    assert recipe == parse_recipe("backdrops: {text_to_image_prefix: 'one {label}: '}")
    assert "sdxl_prefix" not in to_yaml(recipe)


def test_both_names_of_the_text_to_image_prefix_are_one_too_many() -> None:
    with pytest.raises(InvalidRecipe, match=r"unknown key 'backdrops.sdxl_prefix'; did you mean 'text_to_im"):
        parse_recipe("backdrops: {sdxl_prefix: a, text_to_image_prefix: b}", "r.yaml")


@pytest.mark.parametrize(
    ("text", "budget"),
    [("true", 0.5), ("{}", 0.5), ("{budget: 1.5}", 1.5), ("false", None), ("null", None)],
)
def test_novelty_is_a_switch_or_a_budget(text: str, budget: float | None) -> None:
    recipe = parse_recipe(f"novelty: {text}")
    assert (recipe.novelty.budget if recipe.novelty else None) == budget
    assert parse_recipe(to_yaml(recipe)) == recipe


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{budget: 0}", "r.yaml: novelty.budget is 0; it must be above 0"),
        ("{budget: 9}", "r.yaml: novelty.budget is 9; it must be at most 4.0"),
        ("{budgt: 1}", "r.yaml: unknown key 'novelty.budgt'; did you mean 'budget'?"),
    ],
)
def test_a_wrong_budget_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        parse_recipe(f"novelty: {text}", "r.yaml")
    assert str(refused.value) == sentence
