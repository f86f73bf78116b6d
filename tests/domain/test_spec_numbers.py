"""Whatever numbers a spec is made with, its JSON can be read again."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pipeline.domain.placement import Placement
from pipeline.domain.spec import Method, ObjectSpec, SampleSpec
from pipeline.errors import InvalidRequest


def spec_of(placement: Placement, guidance_scale: float = 5.0) -> SampleSpec:
    return SampleSpec(
        label="bolt",
        objects=(ObjectSpec(photo_id="photo", cutout_id="cutout", placement=placement),),
        prompt="",
        negative_prompt=None,
        slots=(),
        method=Method.PASTE,
        model="none",
        revision="",
        size=(32, 32),
        steps=1,
        guidance_scale=guidance_scale,
        seed=0,
        backdrop_id="background",
    )


@pytest.mark.parametrize(
    ("number", "plain"), [(np.float32(0.5), 0.5), (np.float64(0.5), 0.5), (np.int64(1), 1), (1, 1)]
)
def test_numbers_of_numpy_are_written_as_plain_ones(number: float, plain: float) -> None:
    spec, same = (spec_of(Placement(x=each, scale=each)) for each in (number, plain))
    assert json.loads(spec.to_json())["objects"][0]["placement"]["x"] == plain
    assert SampleSpec.from_json(spec.to_json()) == spec == same


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_guidance_scale_that_json_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(InvalidRequest, match=f"the guidance scale is {value}; it must be a finite number"):
        spec_of(Placement(), guidance_scale=value)
