"""A diagnosis that is certain widens the placement; anything else leaves it as it is."""

from __future__ import annotations

import pytest

from pipeline.domain.recipe_placement import PlacementRanges, PlacementVariant, Position
from training.proposal.widening import Diagnosis, widened

CENTRED = PlacementRanges(position=Position.CENTRED, scale=(0.4, 0.7), min_visible=0.9)


def factor(name: str, direction: str, *, p: float = 0.01, **more: object) -> dict[str, object]:
    return {
        "factor": name,
        "direction": direction,
        "effect": 0.4,
        "p": p,
        "sentence": "They are missed.",
        **more,
    }


def test_missed_small_objects_ask_for_smaller_scales() -> None:
    placement, sentences = widened(CENTRED, Diagnosis([factor("object_size", "low")]))
    assert placement == CENTRED.model_copy(update={"scale": (0.24, 0.7)})
    assert sentences == ("They are missed. So the scale begins at 0.24.",)


def test_missed_large_objects_ask_for_larger_scales() -> None:
    assert widened(CENTRED, Diagnosis([factor("object_size", "high")]))[0].scale == (0.4, 0.91)


def test_missed_objects_off_the_centre_ask_for_positions_up_to_the_edge() -> None:
    placement, sentences = widened(CENTRED, Diagnosis([factor("off_centre", "high")]))
    assert (placement.position, placement.min_visible) == (Position.UNIFORM, 0.6)
    assert sentences == (
        "They are missed. So objects lie anywhere, also at the edge with 60% of them visible.",
    )


def test_missed_photos_of_several_objects_ask_for_several() -> None:
    assert widened(CENTRED, Diagnosis([factor("objects", "high")]))[0].objects == (1, 3)


def test_each_arrangement_of_a_mix_is_widened_for_itself() -> None:
    mix = [
        PlacementVariant(name="single", scale=(0.5, 0.7)),
        PlacementVariant(name="heap", weight=2, scale=(0.25, 0.5), objects=(8, 12)),
    ]
    found = [factor("object_size", "low"), factor("objects", "high")]
    wider, sentences = widened(mix, Diagnosis(found))
    assert wider == [
        mix[0].model_copy(update={"scale": (0.3, 0.7)}),
        mix[1].model_copy(update={"scale": (0.15, 0.5)}),
    ]
    assert sentences == (
        "They are missed. So the scale begins at 0.3 in 'single'. So the scale begins at 0.15 in 'heap'.",
    )


def test_a_range_that_is_wide_enough_stays() -> None:
    wide = PlacementRanges(scale=(0.05, 1.5), min_visible=0.5, objects=(2, 6))
    both_ends = [factor("object_size", "low"), factor("object_size", "high")]
    assert widened(
        wide, Diagnosis([*both_ends, factor("off_centre", "high"), factor("objects", "high")])
    ) == (wide, ())


@pytest.mark.parametrize(
    "diagnosis",
    [
        None,
        [],
        "small objects",
        [{"factor": "object_size"}],
        [factor("object_size", "low", p=0.05)],
        [factor("light", "low")],
        [factor("off_centre", "low")],
        [factor("object_size", "low", arm="real")],
    ],
)
def test_without_a_certain_factor_of_the_arm_nothing_changes(diagnosis: object) -> None:
    assert widened(CENTRED, Diagnosis(diagnosis, arm="mixed")) == (CENTRED, ())


def test_a_factor_that_is_told_twice_counts_once() -> None:
    twice = [factor("object_size", "low", arm=""), factor("object_size", "low", arm="mixed")]
    assert widened(CENTRED, Diagnosis(twice, arm="mixed"))[0].scale == (0.24, 0.7)
