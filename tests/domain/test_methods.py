"""The table of methods, and the names that earlier versions wrote."""

from __future__ import annotations

import json

import pytest

from pipeline.domain.methods import METHODS, Method, present_name
from pipeline.domain.placement import Placement
from pipeline.domain.recipe import parse_recipe
from pipeline.domain.spec import ObjectSpec, SampleSpec


def test_every_method_has_a_row() -> None:
    assert list(METHODS) == list(Method)


def test_the_old_name_of_text_to_image_is_read_everywhere() -> None:
    assert Method("sdxl") is Method.TEXT_TO_IMAGE
    assert parse_recipe("method: sdxl").methods == {Method.TEXT_TO_IMAGE: 1.0}
    assert parse_recipe("method: {sdxl: 2, paste: 1}\nbackdrops: {folder: x}").methods == {
        Method.TEXT_TO_IMAGE: 2.0,
        Method.PASTE: 1.0,
    }
    assert (present_name("sdxl"), present_name("inpaint"), present_name("photo")) == (
        "text_to_image",
        "inpaint",
        "photo",
    )


def test_an_unknown_name_is_no_method() -> None:
    with pytest.raises(ValueError, match="'sdxxl' is not a valid Method"):
        Method("sdxxl")


def test_the_id_of_a_text_to_image_sample_is_hashed_with_the_old_name() -> None:
    sample = SampleSpec(
        label="bolt",
        objects=(ObjectSpec(photo_id="photo", cutout_id="cut-out", placement=Placement()),),
        prompt="a bolt on gravel",
        negative_prompt=None,
        slots=(),
        method=Method.TEXT_TO_IMAGE,
        model="nano",
        revision="r1",
        size=(64, 64),
        steps=2,
        guidance_scale=2.0,
        seed=7,
    )
    assert sample.id == "7709ffefdcef459edbb3"
    assert json.loads(sample.to_json())["method"] == "sdxl"
    assert SampleSpec.from_json(sample.to_json()) == sample
    assert SampleSpec.from_json(sample.to_json()).method is Method.TEXT_TO_IMAGE
