"""The table of arms is complete, and old names are read."""

import pytest

from pipeline.domain.arms import ARMS, Arm
from pipeline.domain.methods import Method
from pipeline.domain.studies import NETWORK_TITLES, Network


def test_every_arm_has_its_row_with_a_title_and_a_colour_of_its_own() -> None:
    assert set(ARMS) == set(Arm)
    assert len({facts.title for facts in ARMS.values()}) == len(Arm)
    assert len({facts.colour for facts in ARMS.values()}) == len(Arm)


def test_every_arm_takes_photos_or_synthetic_images_of_some_method() -> None:
    assert all(facts.real or facts.methods for facts in ARMS.values())
    assert {method for facts in ARMS.values() for method in facts.methods} == set(Method)


def test_the_old_name_of_the_text_to_image_arm_is_still_read() -> None:
    assert Arm("sdxl") is Arm.TEXT_TO_IMAGE
    with pytest.raises(ValueError, match="'mixt' is not a valid Arm"):
        Arm("mixt")


def test_every_network_has_a_title() -> None:
    assert set(NETWORK_TITLES) == set(Network)
