"""A recipe says what is wrong with it in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.recipe import Recipe, default_recipe, parse_recipe, to_yaml
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
        ("method: 3", "r.yaml: method is 3; it must be one of inpaint, controlnet, sdxl, paste"),
        ("method: {}", "r.yaml: method is {}; it must not be empty"),
        (
            "placement: {flip: {nut: horizntal}}",
            "r.yaml: placement.flip.nut is 'horizntal'; did you mean 'horizontal'?",
        ),
        ("placement: {flip: no}", "r.yaml: placement.flip is false; it must be one of none, horizontal, any"),
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
        ("seed: 1\ncount: 2\nseed: 3", "r.yaml: key 'seed' is given twice at line 3; take one of them out"),
        ("", "r.yaml: the file is empty; recipes/ holds worked examples"),
        ("# nothing yet", "r.yaml: the file is empty; recipes/ holds worked examples"),
        ("3: x", "r.yaml: 3 is 3; a key must be a text; put it in quotes"),
        (
            "backdrops: {template: '{place}'}",
            "r.yaml: the template speaks of {place}, but backdrops.slots has no 'place'; add it",
        ),
        (
            "placement: {scale: [2, 1]}",
            "r.yaml: placement: scale is [2.0, 1.0]; it must rise and lie in 0.02 to 4",
        ),
        (
            "backdrops: {slots: {light: {dim: -1}}}",
            "r.yaml: backdrops: the weight of 'dim' in slot 'light' must be above 0",
        ),
        ("- a list", "r.yaml: a recipe is a list of keys and values; recipes/ holds worked examples"),
        ("a: [", "r.yaml: this is not YAML at line 1; expected the node content, but found '<stream end>'"),
        ("name: again", "r.yaml: name: 'again' is what single pictures are planned by; choose another"),
    ],
)
def test_what_is_wrong_is_named_with_the_mend(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        parse_recipe(text, "r.yaml")
    assert str(refused.value) == sentence
