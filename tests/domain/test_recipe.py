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
            "r.yaml: method is 'inpant'; input should be 'inpaint', 'controlnet', 'sdxl' or 'paste'",
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
    ],
)
def test_what_is_wrong_is_named_with_the_mend(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        parse_recipe(text, "r.yaml")
    assert str(refused.value) == sentence
