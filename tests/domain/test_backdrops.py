"""Slot values come in balance, obey exclusions, and never name the class."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.backdrops import (
    BackdropGrammar,
    BalancedDraw,
    class_draws,
    excluding_choice,
    names_class,
    prompt,
)
from pipeline.domain.recipe_backdrops import Backdrops
from pipeline.errors import InvalidRecipe


@settings(max_examples=80, deadline=None)
@given(
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    draws=st.integers(1, 120),
    seed=st.integers(0, 1000),
)
def test_every_count_is_within_one_of_its_share(weights: list[int], draws: int, seed: int) -> None:
    draw = BalancedDraw({index: float(weight) for index, weight in enumerate(weights)}, random.Random(seed))
    counts: Counter[int | None] = Counter()
    for number in range(1, draws + 1):
        counts[draw.draw()] += 1
        for index, weight in enumerate(weights):
            assert abs(counts[index] - number * weight / sum(weights)) <= 1 + 1e-9


def test_two_slots_of_one_length_do_not_march_in_step() -> None:
    rng = random.Random(0)
    first, second = (BalancedDraw(dict.fromkeys("abcd", 1.0), rng) for _ in range(2))
    pairs = {(first.draw(), second.draw()) for _ in range(64)}
    assert len(pairs) > 10


def test_an_excluded_combination_never_comes() -> None:
    backdrops = Backdrops(
        template="{ground} {weather}",
        slots={"ground": ["snow", "sand"], "weather": ["hot", "cold"]},
        exclude=[{"ground": "snow", "weather": "hot"}],
    )
    grammar = BackdropGrammar(backdrops, class_draws(backdrops, random.Random(1)))
    prompts = [grammar.prompt(grammar.choice("bolt")) for _ in range(40)]
    assert "snow hot" not in prompts
    assert {"snow cold", "sand hot", "sand cold"} == set(prompts)


def test_a_choice_that_leaves_a_slot_no_value_is_found_among_many_exclusions() -> None:
    slots = {name: [f"{name}{number}" for number in range(14)] for name in ("surface", "place")}
    light = [f"light{number}" for number in range(8)]
    exclude = [{"light": word, slot: value} for word in light[:-1] for slot in slots for value in slots[slot]]
    backdrops = Backdrops(
        template="{surface} {place} {light}",
        slots=slots | {"light": light},
        exclude=[*exclude, {"light": light[-1], "surface": "surface13"}],
    )
    assert excluding_choice(backdrops, "light") == {"surface": "surface13"}


@pytest.mark.parametrize(
    ("other", "found"), [("rain", None), ("damp", {"room": "attic", "air": "damp"}), ("cosy", None)]
)
def test_values_that_never_come_together_leave_a_slot_its_values(
    other: str, found: dict[str, str] | None
) -> None:
    slots = {
        "scene": ["hall, {room}, {air}", "yard, {weather}"],
        "room": ["attic", "cellar"],
        "air": ["damp", "dry"],
        "weather": ["rain", "sun"],
        "mood": ["cosy", "stern"],
        "light": ["warm light", "side light"],
    }
    slot = next(slot for slot, values in slots.items() if other in values)
    template = "{scene}, {light}, {mood}"  # the mood comes after the light
    exclude = [{"room": "attic", "light": "warm light"}, {slot: other, "light": "side light"}]
    assert excluding_choice(Backdrops(template=template, slots=slots, exclude=exclude), "light") == found


def test_a_classes_own_words_never_appear() -> None:
    backdrops = Backdrops(template="{ground}", slots={"ground": ["a box of nuts", "gravel"]})
    nuts, bolts = (BackdropGrammar(backdrops, class_draws(backdrops, random.Random(1))) for _ in range(2))
    assert {nuts.prompt(nuts.choice("wing_nut")) for _ in range(20)} == {"gravel"}
    assert {bolts.prompt(bolts.choice("bolt")) for _ in range(20)} == {"a box of nuts", "gravel"}


def test_a_class_without_any_value_left_is_named() -> None:
    backdrops = Backdrops(template="{ground}", slots={"ground": ["nuts"]})
    with pytest.raises(InvalidRecipe, match="slot 'ground' has no value left for class 'nut'"):
        BackdropGrammar(backdrops, class_draws(backdrops, random.Random(1))).choice("nut")


def test_a_slot_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidRecipe, match="no 'light'"):
        Backdrops(template="{light}")


NESTED = Backdrops(
    template="{light} {place}",
    slots={
        "place": {"{ground} floor": 2, "{ground} floor before a {wall} wall": 1},
        "light": ["dim", "warm"],
        "wall": {"brick": 2, "wood": 1, "plaster": 1},
        "ground": ["sand", "moss"],
    },
)


def test_only_slots_that_the_prompt_holds_are_chosen_in_reading_order() -> None:
    grammar = BackdropGrammar(NESTED, class_draws(NESTED, random.Random(3)))
    for choice in (grammar.choice("bolt") for _ in range(30)):
        walled = "wall" in dict(choice)["place"]
        assert [slot for slot, _ in choice] == ["light", "place", "ground", *(["wall"] if walled else [])]
        assert "{" not in grammar.prompt(choice)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), draws=st.integers(1, 90))
def test_a_nested_slot_is_in_balance_over_the_prompts_that_show_it(seed: int, draws: int) -> None:
    grammar = BackdropGrammar(NESTED, class_draws(NESTED, random.Random(seed)))
    walls = Counter(
        dict(choice)["wall"] for choice in (grammar.choice("bolt") for _ in range(draws)) if len(choice) == 4
    )
    for wall, share in {"brick": 0.5, "wood": 0.25, "plaster": 0.25}.items():
        assert abs(walls[wall] - walls.total() * share) <= 1


def test_the_name_of_a_slot_is_no_word_of_the_prompt() -> None:
    grammar = BackdropGrammar(NESTED, class_draws(NESTED, random.Random(3)))
    assert "floor" in grammar.prompt(grammar.choice("ground"))


@pytest.mark.parametrize(
    ("template", "slots", "sentence"),
    [
        (
            "{ground}",
            {"ground": ["sand"], "light": ["dim"]},
            "backdrops.slots.light is never used; name {light} in the template or take it out",
        ),
        (
            "{ground}",
            {"ground": ["{wall} floor"]},
            "slot 'ground' names {wall}, but backdrops.slots has no 'wall'; add it",
        ),
        (
            "{ground}",
            {"ground": ["old {ground}"]},
            "backdrops.slots.ground leads back to itself (ground → ground); take one of them out",
        ),
        (
            "{place}",
            {"place": ["{ground}"], "ground": ["sand", "{wall}"], "wall": ["{ground}"]},
            "backdrops.slots.ground leads back to itself (ground → wall → ground); take one of them out",
        ),
    ],
)
def test_slots_that_do_not_hold_together_are_refused(
    template: str, slots: dict[str, list[str]], sentence: str
) -> None:
    with pytest.raises(InvalidRecipe) as refused:
        Backdrops(template=template, slots=slots)
    assert str(refused.value) == sentence


def test_slots_inside_values_are_filled_and_empty_ones_leave_no_comma() -> None:
    choice = (("place", "{surface} floor"), ("surface", "moss"), ("light", ""), ("colour", ""))
    assert prompt("{colour} {place}, {light}, dry", choice) == "moss floor, dry"


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("tomatoes", "tomato"), ("glass boxes", "box"), ("Two Berries", "berry"), ("a shoe rack", "shoes"),
        ("old shoes", "shoe"), ("fine axes", "axe"), ("two buses", "bus"), ("lenses", "lens"), ("cookies", "cookie"),
        ("fallen leaves", "leaf"), ("kitchen knives", "knife"), ("grünes öl", "Öl"), ("Öl", "O\u0308l"),
        ("ねじ", "ねじ"),
    ],
)  # fmt: skip
def test_plurals_are_the_same_word(value: str, label: str) -> None:
    assert names_class(value, label)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("gearbox grease", "gear"),
        ("glass", "gla"),
        ("stone caves", "cafe"),
        ("für Gäste", "Tür"),
        ("Müll", "Öl"),
    ],
)
def test_other_words_are_not_the_class(value: str, label: str) -> None:
    assert not names_class(value, label)
