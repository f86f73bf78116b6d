"""A background takes on the light of an object's photo, within limits; on request the object that of the background."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from pipeline.domain.look import LightMatch
from pipeline.domain.spec import Method
from pipeline.rendering import light
from pipeline.rendering.composite import exact
from pipeline.rendering.finishing import finished
from pipeline.rendering.light import Light, background_light, light_of, object_light, relit
from tests.rendering.jobs import job, noise, soft_square

EVERYWHERE = np.ones((8, 8), bool)


def tone(red: int, green: int, blue: int) -> np.ndarray:
    return np.tile(np.array([red, green, blue], np.uint8), (8, 8, 1))


def test_warm_light_has_more_red_than_blue() -> None:
    warm, cold, grey = (
        light_of(rgb, rgb, EVERYWHERE).warmth
        for rgb in (tone(200, 150, 100), tone(100, 150, 200), tone(150, 150, 150))
    )
    assert warm > 0 > cold
    assert abs(grey) < 1e-6
    assert abs(warm + cold) < 1e-6


def test_an_image_in_its_own_light_does_not_change() -> None:
    light = background_light(noise(3), soft_square())
    assert np.array_equal(relit(noise(3), light, light), noise(3))


def test_a_warmer_light_raises_red_and_lowers_blue_within_its_limit() -> None:
    seen = relit(tone(100, 100, 100), Light(0.0, 0.0), Light(5.0, 0.0))[0, 0]
    assert seen.tolist() == [107, 100, 93]  # exp(0.15 / 2.2)


def test_brightness_follows_by_a_quarter_within_its_limit() -> None:
    little, much = (relit(tone(100, 100, 100), Light(0, 0), Light(0, log))[0, 0, 0] for log in (0.4, 9.0))
    assert (little, much) == (105, 112)  # exp(0.1 / 2.2), exp(0.25 / 2.2)


def test_the_light_of_a_photo_does_not_depend_on_its_size() -> None:
    rng = np.random.default_rng(0)
    small = cv2.GaussianBlur(rng.integers(0, 250, (128, 128, 3), np.uint8), (0, 0), 4)
    large = cv2.resize(small, (1280, 1280), interpolation=cv2.INTER_LINEAR)
    (of_small, of_large) = (object_light(photo, small, small[..., 0] | 255) for photo in (small, large))
    assert of_large.brightness == of_small.brightness
    assert abs(of_large.warmth - of_small.warmth) < 0.01


@pytest.mark.parametrize("level", [254, 128, 100, 1])
def test_an_object_without_an_opaque_pixel_has_its_own_brightness(level: int) -> None:
    colours, alpha = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)
    colours[4], alpha[4] = 180, level
    wire = object_light(tone(180, 180, 180), colours, alpha)
    assert wire == object_light(tone(180, 180, 180), colours, np.where(alpha, 255, 0).astype(np.uint8))


def test_an_object_that_is_not_seen_has_the_brightness_of_its_photo() -> None:
    nothing = np.zeros((8, 8), np.uint8)
    unseen = object_light(tone(180, 180, 180), tone(0, 0, 0), nothing)
    assert unseen == light_of(tone(180, 180, 180), tone(180, 180, 180), EVERYWHERE)


def test_a_large_photo_is_made_smaller_before_its_light_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Mock(wraps=light_of)
    monkeypatch.setattr(light, "light_of", measured)
    object_light(np.full((1500, 2000, 3), 90, np.uint8), tone(1, 2, 3), np.full((8, 8), 255, np.uint8))
    assert measured.call_args.args[0].shape == (192, 256, 3)


def test_the_background_changes_and_the_object_stays_exact() -> None:
    plain = job(0, Method.PASTE)
    warm = object_light(tone(220, 150, 60), plain.layer.rgb, plain.layer.alpha)
    matched = replace(plain, spec=replace(plain.spec, match_light=LightMatch.BACKGROUND), light=warm)
    image, before = finished(matched, noise(3)), finished(plain, noise(3))
    empty = plain.layer.alpha == 0
    assert exact(image, plain.layer)
    assert image[empty][:, 0].mean() > before[empty][:, 0].mean()
    assert image[empty][:, 2].mean() < before[empty][:, 2].mean()


def test_on_request_the_object_changes_and_the_background_stays() -> None:
    plain = job(0, Method.PASTE)
    warm = object_light(tone(220, 150, 60), plain.layer.rgb, plain.layer.alpha)
    matched = replace(plain, spec=replace(plain.spec, match_light=LightMatch.OBJECT), light=warm)
    image = finished(matched, noise(3))
    empty = plain.layer.alpha == 0
    assert np.array_equal(image[empty], noise(3)[empty])
    assert not exact(image, plain.layer)
    assert not matched.spec.keeps_object
