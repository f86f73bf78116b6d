"""A recipe in rounds: sizes, names, seeds, and which classes the next round draws more of."""

from __future__ import annotations

import pytest

from pipeline.domain.recipe import Recipe
from pipeline.domain.rounds import Rounds, next_weights, round_sentence
from pipeline.errors import InvalidRequest


def test_all_rounds_together_have_as_many_samples_as_the_recipe() -> None:
    rounds = Rounds(Recipe(name="r", count=11), 3)
    assert [rounds.size(place) for place in (1, 2, 3)] == [4, 4, 3]


def test_a_round_has_a_name_and_a_seed_of_its_own() -> None:
    rounds = Rounds(Recipe(name="r", count=10, seed=5), 2)
    first, second = (rounds.of_round(place, {"a": 1, "b": 1}) for place in (1, 2))
    assert (first.name, first.seed, first.classes) == ("r, round 1 of 2", 5, {"a": 3, "b": 2})
    assert second.name == "r, round 2 of 2"
    assert second.seed != first.seed
    assert len(Rounds(Recipe(name="n" * 100, count=10), 2).name(1)) == 100


def test_a_class_without_samples_is_left_out_of_a_round() -> None:
    rounds = Rounds(Recipe(name="r", count=4), 2)
    assert rounds.of_round(1, {"a": 100.0, "b": 1.0}).classes == {"a": 2}


def test_more_rounds_than_samples_are_refused() -> None:
    with pytest.raises(
        InvalidRequest,
        match=r"^5 rounds were requested for 4 samples; each round needs at least one: request f",
    ):
        Rounds(Recipe(name="r", count=4), 5)


def test_uncertain_classes_get_more_within_limits() -> None:
    plain = {"a": 1.0, "b": 1.0, "c": 2.0, "d": 1.0}
    assert next_weights(plain, {"a": 0.0, "b": 0.6, "c": 0.3}) == {"a": 0.5, "b": 2.0, "c": 2.0, "d": 1.0}
    many = {str(number): 0.0 for number in range(9)} | {"u": 1.0}
    assert next_weights(dict.fromkeys(many, 1.0), many)["u"] == 3.0


@pytest.mark.parametrize("uncertainty", [{}, {"a": 0.0, "b": 0.0}])
def test_where_nothing_is_uncertain_the_classes_keep_their_weights(uncertainty: dict[str, float]) -> None:
    assert next_weights({"a": 1.0, "b": 3.0}, uncertainty) == {"a": 1.0, "b": 3.0}


def test_a_round_is_told_in_one_sentence() -> None:
    assert round_sentence(1, {"a": 0.1, "b": 0.6}, {"a": 2, "b": 8}) == (
        "After round 1 the probe is least certain of b (60%) and most certain of a (10% uncertain), on "
        "training photos held out for validation; round 2 draws b 8, a 2."
    )
    assert (
        round_sentence(2, {"a": 0.0}, {"a": 2}) == "After round 2: no class is uncertain; round 3 draws a 2."
    )
    assert round_sentence(1, {}, {"a": 2}).startswith(
        "After round 1: too few photos of each class to estimate the uncertainty"
    )
