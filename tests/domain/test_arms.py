"""The table of uses is complete, and the names of arms are read."""

import copy
import json

import pytest

from pipeline.domain.arms import ALL_USES, ARMS, PLANNED_COMPARISONS, Arm
from pipeline.domain.methods import Method


def test_every_use_has_a_title_and_a_colour_of_its_own() -> None:
    assert len({facts.title for facts in ARMS.values()}) == len(ARMS)
    assert len({facts.colour for facts in ARMS.values()}) == len(ARMS)


def test_every_use_takes_photos_or_synthetic_images_of_some_method() -> None:
    assert all(facts.real or facts.methods for facts in ARMS.values())
    assert {method for facts in ARMS.values() for method in facts.methods} == set(Method)


def test_a_name_says_recipe_ratio_and_share() -> None:
    facts = Arm("mixed@heaps:0.5%25").facts
    assert (facts.recipe, facts.ratio, facts.share) == ("heaps", 0.5, 0.25)
    assert facts.title == "Real + synthetic, heaps, 1 : 0.5, 25 %"
    assert Arm("real%50").facts.title == "Real photos, 50 %"
    assert (Arm("mixed").facts.ratio, Arm("mixed").facts.share) == (None, 1.0)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "mixt",
        "Real",
        "real:2",
        "real@heaps",
        "paste:1",
        "mixed:0",
        "mixed:21",
        "real%0",
        "real%101",
        "mixed@",
        "a\nb",
    ],
)
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not an arm"):
        Arm(name)


def test_the_old_name_of_the_text_to_image_arm_is_still_read() -> None:
    assert Arm("sdxl") == Arm.TEXT_TO_IMAGE
    assert Arm("sdxl@heaps") == "text_to_image@heaps"


def test_an_arm_is_its_name_for_json_and_copies() -> None:
    assert json.dumps([Arm.MIXED]) == '["mixed"]'
    assert copy.deepcopy(Arm("mixed:2")).facts.ratio == 2.0


def test_planned_comparisons_are_between_uses() -> None:
    assert {arm for pair in PLANNED_COMPARISONS for arm in pair} <= set(ALL_USES)
