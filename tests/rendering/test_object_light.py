"""Another light changes the colours of an object as the spec says, and nothing else."""

from __future__ import annotations

import numpy as np

from pipeline.domain.look import ObjectLightSpec
from pipeline.domain.placement import Cutout
from pipeline.rendering.object_light import lit

GREY = Cutout(rgb=np.full((4, 4, 3), 100, np.uint8), alpha=np.full((4, 4), 255, np.uint8))


def test_brightness_multiplies_all_channels_and_what_is_too_bright_is_cut() -> None:
    assert lit(GREY, ObjectLightSpec(brightness=1.3)).rgb[0, 0].tolist() == [130, 130, 130]
    light = Cutout(rgb=np.full((4, 4, 3), 200, np.uint8), alpha=GREY.alpha)
    assert lit(light, ObjectLightSpec(brightness=1.5)).rgb.max() == 255


def test_a_warm_light_has_more_red_and_less_blue() -> None:
    warm, cold = (lit(GREY, ObjectLightSpec(colour=colour)).rgb[0, 0].tolist() for colour in (0.2, -0.2))
    assert (warm, cold) == ([120, 100, 80], [80, 100, 120])


def test_light_that_changes_nothing_changes_nothing() -> None:
    same = lit(GREY, ObjectLightSpec())
    assert np.array_equal(same.rgb, GREY.rgb)
    assert np.array_equal(same.alpha, GREY.alpha)
