"""Light and colour of a place become words of the prompt grammar."""

from __future__ import annotations

import random

import pytest

from pipeline.domain.backdrops import BackdropGrammar, class_draws
from pipeline.domain.field_light import FieldLight, in_light_of
from pipeline.domain.field_profile import FieldProfile, profile_rows
from pipeline.domain.recipe import parse_recipe, to_yaml


def place(brightness: float, spread: float = 5, warm: float = 0, cold: float = 0) -> FieldLight:
    return FieldLight(brightness=brightness, spread=spread, contrast=20, cast=(0, 9), warm=warm, cold=cold)


@pytest.mark.parametrize(
    ("light", "words"),
    [
        (place(30), "dim light"),
        (place(70, warm=0.6, cold=0.4), "bright light, warm light"),
        (place(52, cold=1), "cold light"),
        (place(30, warm=0.5, cold=0.5), "dim light"),
        (place(52, spread=20), "dim light, bright light"),
        (place(52), "none: neither dim nor bright, neither warm nor cold"),
    ],
)
def test_rows_name_the_words_that_fit_the_light(light: FieldLight, words: str) -> None:
    rows = dict(profile_rows(FieldProfile(photos=10, light=light, licence="CC0")))
    assert (rows["words for the light"], rows["licence"]) == (words, "CC0")


LIT = (
    "backdrops:\n  template: '{surface}, {light}'\n"
    "  slots: {surface: [grass, sand], light: {dim light: 1, warm light: 2, cold light: 1, side light: 3}}\n"
    "  exclude: [{surface: grass, light: cold light}, {surface: sand, light: side light}]"
)


def test_of_the_words_for_light_those_stay_that_fit_the_place() -> None:
    lit, note = in_light_of(parse_recipe(LIT), place(70, warm=1))
    changed = parse_recipe(to_yaml(lit))
    assert changed.backdrops.slots["light"] == {"warm light": 2, "side light": 3}
    assert changed.backdrops.exclude == [{"surface": "sand", "light": "side light"}]
    assert changed.backdrops.slots["surface"] == {"grass": 1, "sand": 1}
    assert note == ""


@pytest.mark.parametrize(("brightness", "words"), [(70, "bright light"), (52, "neither dim nor bright")])
def test_words_for_a_colour_stay_where_a_profile_of_an_earlier_version_does_not_tell_it(
    brightness: float, words: str
) -> None:
    earlier = {"brightness": brightness, "spread": 5, "contrast": 20, "cast": [0, 9]}
    light = FieldLight.model_validate(earlier)
    lit, _ = in_light_of(parse_recipe(LIT), light)
    assert list(lit.backdrops.slots["light"]) == ["warm light", "cold light", "side light"]
    rows = dict(profile_rows(FieldProfile(photos=10, light=light)))
    assert rows["words for the light"] == f"{words}; learn the photos again for the colour of the light"


@pytest.mark.parametrize(
    ("backdrops", "note"),
    [
        (
            "{template: '{surface}', slots: {surface: [grass]}}",
            "the recipe has no slot 'light' for the words for the light",
        ),
        (
            "{template: '{light}', slots: {light: [dim light, cold light]}}",
            "none of the words in slot 'light' fits the light, so they stay",
        ),
        ("{template: '{light}', slots: {light: [side light]}}", ""),
    ],
)
def test_a_recipe_without_a_word_to_choose_stays_as_it_is(backdrops: str, note: str) -> None:
    recipe = parse_recipe(f"backdrops: {backdrops}")
    assert in_light_of(recipe, place(70, warm=1)) == (recipe, note)


LIGHTS = "slots: {surface: [grass, sand], place: [yard, '{room}'], room: [hall], light: [dim light, warm light, '']}"


@pytest.mark.parametrize(
    ("template", "exclude", "beside"),
    [
        (
            "{surface} {place}, {light}",
            "{surface: grass, light: warm light}, {place: yard, light: ''}",
            "with surface 'grass' and place 'yard' it excludes each one that fits: warm light, not set",
        ),
        (
            "{surface} {place}, {light}",
            "{room: hall, light: warm light}, {room: hall, light: ''}",
            "with room 'hall' it excludes each one that fits: warm light, not set",
        ),
        (
            "{surface} {place}, {light}",
            "{light: warm light}, {light: ''}",
            "it excludes each one that fits: warm light, not set",
        ),
        ("{surface} {place}, {light}", "{surface: grass, light: warm light}, {surface: sand, light: ''}", ""),
        (
            "{light}, {surface} {place}",
            "{surface: grass, light: warm light}, {surface: grass, light: ''}",
            "",
        ),
        (
            "{surface} {place}, {light}",
            "{surface: grass, light: warm light}, {place: yard, light: ''}, {surface: grass, place: yard}",
            "",
        ),
    ],
)
def test_words_that_other_values_exclude_are_not_the_only_ones_left(
    template: str, exclude: str, beside: str
) -> None:
    recipe = parse_recipe(f"backdrops: {{template: '{template}', {LIGHTS}, exclude: [{exclude}]}}")
    lit, note = in_light_of(recipe, place(70, warm=1))
    if beside:
        assert lit == recipe
        assert note == f"the recipe keeps all words in slot 'light', since {beside}"
    else:
        assert list(lit.backdrops.slots["light"]) == ["warm light", ""]
        assert note == ""
    grammar = BackdropGrammar(lit.backdrops, class_draws(lit.backdrops, random.Random(0)))
    if "{light: warm light}" not in exclude:
        assert all(grammar.choice("bolt") for _ in range(50))
