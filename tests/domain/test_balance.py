"""What a sample is made of tells nothing about its class: plans draw in balance within each class."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.balance import ClassBalance, Deck, Turns
from pipeline.domain.contexts import ContextTable, context_tables, contexts_of, mutual_information
from pipeline.domain.plan import ModelFacts, PlanInputs, plan
from pipeline.domain.recipe import Recipe, default_recipe, parse_recipe
from pipeline.domain.spec import Method, SampleSpec
from pipeline.starter.parts import Kind
from tests.toy_photos import usable_photo

RECIPES = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.yaml"))
MODEL = ModelFacts(name="nano", revision="abc", size=128, steps=10, guidance_scale=2.5)
STARTER = [
    usable_photo(id=f"{kind}{number}", label=str(kind), box=(10, 12, 60 + 8 * number, 80))
    for kind in Kind
    for number in range(6)
]
BACKGROUNDS = [f"p{number}" for number in range(12)]
NUMBER = 1_200


def planned(recipe: Recipe, *, version: int = 2, count: int = NUMBER, **changes: object) -> list[SampleSpec]:
    inputs = PlanInputs(
        recipe, STARTER, model=MODEL, backdrop_ids=BACKGROUNDS, count=count, version=version, **changes
    )
    return plan(inputs)


def bits(pairs: Iterable[tuple[str, object]]) -> float:
    return mutual_information(
        (label, str(value), number) for (label, value), number in Counter(pairs).items()
    )


def contexts(spec: SampleSpec, slots: Iterable[str]) -> dict[str, object]:
    """What one sample is made of; a slot that its prompt does not hold is a value of its own."""
    pose = spec.front.placement
    return {
        **{slot: dict(spec.slots).get(slot, "absent") for slot in slots},
        "arrangement": dict(spec.slots).get("arrangement"),
        "method": spec.method,
        "background": spec.backdrop_id,
        "objects": len(spec.objects),
    } | {"side": (pose.x > 0.5, pose.y > 0.5)}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_no_slot_value_tells_the_class_in_a_plan_of_a_shipped_recipe(recipe: Path) -> None:
    parsed = parse_recipe(recipe.read_text(), recipe.name)
    specs = planned(parsed)
    made = [(spec.label, contexts(spec, parsed.backdrops.slots)) for spec in specs]
    told = {name: bits((label, values[name]) for label, values in made) for name in made[0][1]}
    assert {name: round(value, 4) for name, value in told.items() if value > 0.01} == {}
    assert set(Counter(label for label, _ in made).values()) == {NUMBER // len(Kind)}


def test_half_of_the_default_recipe_are_single_objects_a_third_few_and_a_sixth_heaps() -> None:
    specs = planned(default_recipe(), count=600)
    cells = Counter((spec.label, dict(spec.slots)["arrangement"]) for spec in specs)
    share = 600 // len(Kind)
    assert cells == {
        (str(kind), name): share * weight // 6
        for kind in Kind
        for name, weight in (("single", 3), ("few", 2), ("heap", 1))
    }
    assert {len(spec.objects) for spec in specs} == {1, 2, 3, 4, 5, 8, 9, 10, 11, 12}


def test_plans_of_the_earlier_version_did_tell_it() -> None:
    recipe = default_recipe()
    surfaces = [(spec.label, dict(spec.slots).get("surface", "")) for spec in planned(recipe, version=1)]
    assert bits(surfaces) > 0.03


TWELVE = parse_recipe(
    "{seed: 3, backdrops: {template: '{floor}', slots: {floor: [a1, b2, c3, d4, e5, f6, g7, h8, i9, j0, k1, l2]}}}"
)


@pytest.mark.parametrize("count", [120, 60, 36])
def test_every_cell_is_alike_and_the_margins_hold_before_the_turns_are_complete(count: int) -> None:
    specs = planned(TWELVE, count=count)
    cells = Counter((spec.label, spec.slots[0][1]) for spec in specs)
    margins = Counter(spec.slots[0][1] for spec in specs)
    share = count / len(Kind) / 12
    assert all(int(share) <= cells[kind, value] <= int(share) + 1 for kind in Kind for value in margins)
    assert len(margins) == 12
    assert max(margins.values()) - min(margins.values()) <= 2


def test_methods_and_backgrounds_are_alike_in_every_class() -> None:
    recipe = parse_recipe("{method: {inpaint: 1, paste: 3}, seed: 5, placement: {scale: [0.2, 0.4]}}")
    specs = planned(recipe, count=240)
    assert set(Counter((spec.label, spec.method) for spec in specs).values()) == {12, 36}
    pasted = Counter((spec.label, spec.backdrop_id) for spec in specs if spec.method is Method.PASTE)
    assert set(pasted.values()) == {3}
    assert len(pasted) == len(Kind) * len(BACKGROUNDS)


@pytest.mark.parametrize("name", ["scale", "rotation", "yaw", "pitch"])
def test_each_part_of_a_range_comes_equally_often_in_every_class(name: str) -> None:
    recipe = parse_recipe(
        "{seed: 5, placement: {scale: [0.2, 0.4], rotation: [-180, 180], min_visible: 0.5, flip: horizontal}}"
    )
    low, high = getattr(recipe.placement, name)
    specs = planned(recipe, count=200)
    parts = Counter(
        (spec.label, int((getattr(spec.front.placement, name) - low) / (high - low) * 4 - 1e-9))
        for spec in specs
    )
    assert parts == {(str(kind), part): 10 for kind in Kind for part in range(4)}
    flips = Counter((spec.label, spec.front.placement.flip) for spec in specs)
    assert flips == {(str(kind), flip): 20 for kind in Kind for flip in (False, True)}


def test_objects_keep_the_ranges_although_their_poses_are_in_balance() -> None:
    recipe = parse_recipe("{placement: {objects: [2, 4], scale: [0.3, 0.5], overlap: 0.4, min_visible: 0.6}}")
    numbers = Counter((spec.label, len(spec.objects)) for spec in planned(recipe, count=60))
    assert numbers == {(str(kind), number): 4 for kind in Kind for number in (2, 3, 4)}


def test_a_larger_count_only_adds_samples_in_balance() -> None:
    assert planned(TWELVE, count=90)[:60] == planned(TWELVE, count=60)


def test_samples_that_are_there_already_are_made_up_for() -> None:
    kept = [spec for spec in planned(TWELVE, count=240) if spec.slots != (("floor", "a1"),)]
    more = planned(TWELVE, count=240 - len(kept), kept=kept, seed=9)
    assert {spec.slots for spec in more} == {(("floor", "a1"),)}
    assert {spec.id for spec in more}.isdisjoint(spec.id for spec in kept)
    cells = Counter((spec.label, spec.slots) for spec in (*kept, *more))
    assert set(cells.values()) == {4}


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    labels=st.lists(st.sampled_from("abcde"), min_size=1, max_size=150),
    seed=st.integers(0, 1000),
)
def test_every_class_gets_every_value_in_its_share(weights: list[int], labels: list[str], seed: int) -> None:
    shares = {index: weight / sum(weights) for index, weight in enumerate(weights)}
    draw = ClassBalance({index: float(weight) for index, weight in enumerate(weights)}, random.Random(seed))
    counts: Counter[tuple[str, int | None]] = Counter()
    draws: Counter[str] = Counter()
    for label in labels:
        counts[label, draw.draw(label)] += 1
        draws[label] += 1
        for index, share in shares.items():
            assert abs(counts[label, index] - draws[label] * share) < 1.5
    for index, share in shares.items():
        everywhere = sum(counts[label, index] for label in draws)
        assert abs(everywhere - len(labels) * share) <= 3


def test_a_value_that_a_class_never_gets_leaves_its_share_to_the_others() -> None:
    draw = ClassBalance({"a": 2.0, "b": 1.0, "c": 1.0}, random.Random(0), lambda label: {"a"} & {label})
    drawn = Counter((label, draw.draw(label)) for _ in range(40) for label in ("a", "x"))
    assert drawn == {("a", "b"): 20, ("a", "c"): 20, ("x", "a"): 20, ("x", "b"): 10, ("x", "c"): 10}
    assert draw.draw("a", {"b", "c"}) is None


def test_a_deck_gives_each_class_every_value_once_a_turn_and_uses_all_alike() -> None:
    deck = Deck(range(10), ["a", "b"], random.Random(1))
    drawn = {label: [deck.draw(label) for _ in range(20)] for label in ("a", "b")}
    assert all(sorted(values[:10]) == list(range(10)) for values in drawn.values())
    assert sorted(drawn["a"][:5] + drawn["b"][:5]) == list(range(10))
    deck.count("a", drawn["a"][0])
    assert drawn["a"][0] not in [deck.draw("a") for _ in range(9)]


def test_turns_give_every_value_before_one_comes_again_and_none_twice_in_a_sample() -> None:
    turns = Turns("abcde", random.Random(2))
    samples = [turns.draw(3) for _ in range(10)]
    assert all(len(set(sample)) == 3 for sample in samples)
    assert set(Counter(value for sample in samples for value in sample).values()) == {6}
    assert sorted(Counter(turns.draw(7)).values()) == [1, 1, 1, 2, 2]


def test_the_bits_that_a_context_shares_with_the_class() -> None:
    pairs = [("nut", [("floor", "sand")]), ("bolt", [("floor", "moss")])] * 8
    (table,) = context_tables(contexts_of(pairs))
    assert (table.bits, table.labels, table.values) == (1.0, ("bolt", "nut"), ("moss", "sand"))
    assert table.rows == [("moss", [8, 0]), ("sand", [0, 8])]
    assert table.chance == pytest.approx(1 / (2 * 16 * 0.693147), rel=1e-5)
    even = ContextTable("floor", {"nut": {"sand": 3, "moss": 3}, "bolt": {"sand": 5, "moss": 5}})
    assert even.bits == pytest.approx(0.0, abs=1e-12)
    assert context_tables(contexts_of([("nut", [("floor", "sand")])])) == []


def test_a_value_that_is_not_suitable_keeps_its_place() -> None:
    deck = Deck(range(6), ["a"], random.Random(1))
    order = [deck.draw("a") for _ in range(6)]
    drawn = [deck.draw("a", unsuitable={order[0], order[1]})]
    drawn += [deck.draw("a") for _ in range(5)]
    assert drawn == [order[2], order[0], order[1], *order[3:]]


def test_where_no_value_is_suitable_the_next_one_is_drawn() -> None:
    deck = Deck(range(3), ["a"], random.Random(1))
    order = [deck.draw("a") for _ in range(3)]
    assert [deck.draw("a", unsuitable=set(range(3))) for _ in range(3)] == order
