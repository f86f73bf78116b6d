"""Acceptance by ingredient, and what it advises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipeline.domain.acceptance import (
    Acceptance,
    Advice,
    Change,
    Outcome,
    Tally,
    acceptance,
    advice,
    changed,
)
from pipeline.domain.placement import Placement
from pipeline.domain.recipe import default_recipe, parse_recipe, to_yaml
from pipeline.domain.spec import Method, ObjectSpec, SampleSpec
from pipeline.errors import InvalidRequest

RECIPE = """
name: words
backdrops:
  template: "{surface}, {camera}"
  slots: {surface: {grass: 2, sand: 1}, camera: {"": 1, far away: 1}}
  exclude: [{surface: sand, camera: far away}]
"""


def outcome(seed: int, accepted: bool, *, scale: float = 0.5, **slots: str) -> Outcome:
    spec = SampleSpec(
        label="bolt",
        objects=(ObjectSpec(photo_id="s", cutout_id="c", placement=Placement(scale=scale)),),
        prompt="grass",
        negative_prompt=None,
        slots=tuple(sorted(slots.items())),
        method=Method.INPAINT,
        model="nano",
        revision="r",
        size=(64, 64),
        steps=1,
        guidance_scale=1.0,
        seed=seed,
    )
    return spec, accepted


@pytest.mark.parametrize(("accepted", "decided"), [(0, 1), (0, 10), (3, 10), (7, 9), (10, 10), (412, 1000)])
def test_the_interval_is_scipys_wilson_interval(accepted: int, decided: int) -> None:
    # `domain` imports no scipy, so the closed form stands there; this holds it to the library's
    expected = binomtest(accepted, decided).proportion_ci(confidence_level=0.95, method="wilson")
    assert Tally(accepted, decided).interval == pytest.approx((expected.low, expected.high), abs=1e-7)


def test_of_several_objects_the_pose_of_the_front_one_counts() -> None:
    rows = []
    for number in range(4):
        spec, accepted = outcome(number, number < 2)
        back = ObjectSpec(photo_id="b", cutout_id="d", placement=Placement(scale=0.9))
        front = ObjectSpec(photo_id="s", cutout_id="c", placement=Placement(scale=0.2 + 0.3 * (number > 1)))
        rows.append((replace(spec, objects=(back, front)), accepted))
    assert acceptance(rows).poses == {"scale": {"0.2 to 0.3": Tally(2, 2), "0.4 to 0.5": Tally(0, 2)}}


def some(value: str, accepted: int, decided: int) -> list[Outcome]:
    return [outcome(index, index < accepted, surface=value) for index in range(decided)]


@given(st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_shrinks_with_more_decisions(pair: tuple[int, int]) -> None:
    tally = Tally(*pair)
    low, high = tally.interval
    assert 0 <= low <= high <= 1
    if tally.decided:
        assert low <= tally.rate + 1e-12
        assert tally.rate <= high + 1e-12
        wide = Tally(tally.accepted * 10, tally.decided * 10).interval
        assert wide[1] - wide[0] < high - low


def test_the_interval_is_wilsons() -> None:
    low, high = Tally(8, 10).interval  # R: binom::binom.wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)


def test_tallies_are_counted_by_slot_method_class_and_pose() -> None:
    rows = [*some("grass", 3, 4), outcome(9, False, scale=0.8, surface="sand", camera="far away")]
    found = acceptance(rows)
    assert found.total == Tally(3, 5)
    assert found.slots == {
        "camera": {"far away": Tally(0, 1)},
        "surface": {"grass": Tally(3, 4), "sand": Tally(0, 1)},
    }
    assert found.methods == {"inpaint": Tally(3, 5)}
    assert found.classes == {"bolt": Tally(3, 5)}
    assert found.poses == {"scale": {"0.5 to 0.6": Tally(3, 4), "0.7 to 0.8": Tally(0, 1)}}


def test_nothing_decided_gives_nothing() -> None:
    assert acceptance([]) == Acceptance(total=Tally(0, 0))
    assert advice(acceptance([])) == []


def test_values_apart_from_the_others_are_advised_on_and_few_decisions_are_not() -> None:
    rows = [*some("grass", 38, 40), *some("sand", 12, 40), *some("snow", 24, 40), *some("ice", 0, 9)]
    told = [(one.change, one.value) for one in advice(acceptance(rows))]
    assert told == [(Change.DROP, "sand"), (Change.MORE, "grass")]
    halved = advice(acceptance([*some("grass", 90, 100), *some("sand", 60, 100)]))
    assert [(one.change, one.value) for one in halved] == [(Change.HALVE, "sand"), (Change.MORE, "grass")]
    assert halved[0].sentence == "halve surface: sand; 60 of 100 accepted, 90% of the others"


def test_a_change_alters_weights_and_what_excluded_a_dropped_value_goes() -> None:
    recipe = parse_recipe(RECIPE)
    tally = Tally(1, 10)
    drop = Advice(Change.DROP, "camera", "far away", tally, tally)
    new = changed(recipe, [Advice(Change.MORE, "surface", "sand", tally, tally), drop])
    assert new.backdrops.slots == {"surface": {"grass": 2, "sand": 2}, "camera": {"": 1}}
    assert new.backdrops.exclude == []
    assert parse_recipe(to_yaml(new)) == new
    assert changed(recipe, [Advice(Change.HALVE, "light", "dim", tally, tally)]) == recipe


@pytest.mark.parametrize(("change", "limit"), [(Change.MORE, 1e6), (Change.HALVE, 1e-6)])
def test_a_change_that_is_applied_again_and_again_keeps_the_weight_within_its_range(
    change: Change, limit: float
) -> None:
    recipe, tally = parse_recipe(RECIPE), Tally(1, 10)
    for _ in range(30):
        recipe = changed(recipe, [Advice(change, "surface", "sand", tally, tally)])
    assert recipe.backdrops.slots["surface"]["sand"] == limit


def test_an_arrangement_can_be_drawn_less_or_not_at_all() -> None:
    recipe, tally = (
        parse_recipe("placement: [{name: single, weight: 3}, {name: heap, objects: [8, 12]}]"),
        Tally(1, 9),
    )
    halved = changed(recipe, [Advice(Change.HALVE, "arrangement", "single", tally, tally)])
    assert halved.arrangement_weights == {"single": 1.5, "heap": 1.0}
    dropped = changed(recipe, [Advice(Change.DROP, "arrangement", "heap", tally, tally)])
    assert dropped.arrangements == {"single": recipe.arrangements["single"]}
    drops = [Advice(Change.DROP, "arrangement", name, tally, tally) for name in ("single", "heap")]
    with pytest.raises(InvalidRequest, match="'arrangement' would be left without"):
        changed(recipe, drops)


def test_the_last_value_of_a_slot_cannot_be_dropped() -> None:
    tally = Tally(1, 10)
    drops = [Advice(Change.DROP, "surface", value, tally, tally) for value in ("grass", "sand")]
    with pytest.raises(InvalidRequest, match="'surface' would be left without"):
        changed(parse_recipe(RECIPE), drops)


def test_any_value_of_the_default_recipe_can_be_dropped_and_what_only_it_named_goes_too() -> None:
    default, tally = default_recipe(), Tally(1, 20)
    for slot, values in default.backdrops.slots.items():
        for value in values:
            kept = changed(default, [Advice(Change.DROP, slot, value, tally, tally)]).backdrops.slots
            assert value not in kept[slot]
    two_walls = next(place for place in default.backdrops.slots["place"] if "{wall}" in place)
    assert (
        "wall"
        not in changed(default, [Advice(Change.DROP, "place", two_walls, tally, tally)]).backdrops.slots
    )
