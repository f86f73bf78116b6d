"""The seconds of a graphics card that images are declared to need."""

from __future__ import annotations

import pytest

from pipeline.domain.spec import Method
from pipeline.rendering.gpu_seconds import MOST_S, call_seconds, calls, image_seconds
from tests.rendering.jobs import spec

FULL = {"size": (1024, 1024), "steps": 30, "guidance_scale": 7.5}


def test_an_image_counts_steps_rows_pixels_and_the_controlnet() -> None:
    plain = image_seconds(spec(**FULL))
    assert plain == pytest.approx((60 * 6.76 + 2 * 4.88 + 10.47 + 2 * 0.11) / 120)
    assert 2.43 < plain < 4  # more than an A100 needs, in public measurements
    guided = image_seconds(spec(method=Method.CONTROLNET, **FULL))
    assert guided - plain == pytest.approx(60 * 3.02 / 120)
    text = image_seconds(spec(method=Method.TEXT_TO_IMAGE, **FULL))
    assert plain - text == pytest.approx(2 * 4.88 / 120)
    without_guidance = image_seconds(spec(**{**FULL, "guidance_scale": 1.0}))
    assert plain - without_guidance == pytest.approx((30 * 6.76 + 0.11) / 120)
    small = image_seconds(spec(**{**FULL, "size": (512, 512)}))
    assert small == pytest.approx((plain - 2 * 0.11 / 120) / 4 + 2 * 0.11 / 120)
    wide = image_seconds(spec(**{**FULL, "size": (1024, 2048)}))
    assert wide == pytest.approx((plain - 2 * 0.11 / 120) * 4 + 2 * 0.11 / 120)


def test_a_call_declares_its_images_and_the_start_but_never_more_than_is_allowed() -> None:
    four = [spec(seed, **FULL) for seed in range(4)]
    assert call_seconds(four[:1]) == 19
    assert call_seconds(four) == 30
    assert call_seconds([spec(seed, **FULL) for seed in range(100)]) == MOST_S


def test_a_long_run_is_cut_into_calls_that_fit_and_loses_no_image() -> None:
    specs = [spec(seed, **FULL) for seed in range(70)]
    parts = calls(specs)
    assert [rejoined for part in parts for rejoined in specs[part]] == specs
    assert len(parts) == 3
    assert all(call_seconds(specs[part]) <= MOST_S for part in parts)
    endless = spec(**{**FULL, "steps": 1500})
    assert calls([endless, endless]) == [slice(0, 1), slice(1, 2)]
    assert calls([specs[0]]) == [slice(0, 1)]
