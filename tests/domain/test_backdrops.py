"""Slot values come in balance, obey exclusions, and never name the class."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.backdrops import BackdropGrammar, BalancedDraw, names_class, prompt
from pipeline.domain.recipe import Backdrops
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
    grammar = BackdropGrammar(backdrops, random.Random(1))
    prompts = [grammar.prompt(grammar.choice("bolt")) for _ in range(40)]
    assert "snow hot" not in prompts
    assert {"snow cold", "sand hot", "sand cold"} == set(prompts)


def test_a_classes_own_words_never_appear() -> None:
    backdrops = Backdrops(template="{ground}", slots={"ground": ["a box of nuts", "gravel"]})
    nuts, bolts = (BackdropGrammar(backdrops, random.Random(1)) for _ in range(2))
    assert {nuts.prompt(nuts.choice("wing_nut")) for _ in range(20)} == {"gravel"}
    assert {bolts.prompt(bolts.choice("bolt")) for _ in range(20)} == {"a box of nuts", "gravel"}


def test_a_class_without_any_value_left_is_named() -> None:
    backdrops = Backdrops(template="{ground}", slots={"ground": ["nuts"]})
    with pytest.raises(InvalidRecipe, match="slot 'ground' has no value left for class 'nut'"):
        BackdropGrammar(backdrops, random.Random(1)).choice("nut")


def test_a_slot_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidRecipe, match="no 'light'"):
        BackdropGrammar(Backdrops(template="{light}"), random.Random(1))


def test_slots_inside_values_are_filled_and_empty_ones_leave_no_comma() -> None:
    choice = (("place", "{surface} floor"), ("surface", "moss"), ("light", ""), ("colour", ""))
    assert prompt("{colour} {place}, {light}, dry", choice) == "moss floor, dry"


@pytest.mark.parametrize(
    ("value", "label"), [("tomatoes", "tomato"), ("glass boxes", "box"), ("Two Berries", "berry")]
)
def test_plurals_are_the_same_word(value: str, label: str) -> None:
    assert names_class(value, label)


def test_other_words_are_not_the_class() -> None:
    assert not names_class("gearbox grease", "gear")
