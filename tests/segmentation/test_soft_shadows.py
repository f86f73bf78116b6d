"""Soft shadows beside objects: darker than the ground round it, of the same colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.segmentation.soft_shadows import soft_shadow

SIZE = (160, 220)


def ground(tint: tuple[float, float, float] = (1.0, 0.95, 0.85)) -> np.ndarray:
    """(H, W, 3) float32: of one colour, lighter to the right, with grain."""
    rng = np.random.default_rng(0)
    light = np.linspace(110, 170, SIZE[1])[None, :] + rng.normal(0, 5, SIZE)
    return np.asarray(light[..., None] * np.array(tint), np.float32)


def square(left: int, top: int, side: int) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def grown(mask: np.ndarray, pixels: int = 5) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def photo(mask: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The ground times factors (H, W) or (H, W, 3), with a red object."""
    factors = factors if factors.ndim == 3 else factors[..., None]
    seen = np.where(mask[..., None], np.array([200.0, 30.0, 30.0]), ground() * factors)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def thrown(mask: np.ndarray, darkness: float = 0.4) -> np.ndarray:
    """The light (H, W) that an object's soft shadow to the right leaves."""
    moved = np.roll(mask.astype(np.float32), 14, axis=1)
    return 1 - darkness * cv2.GaussianBlur(moved, (0, 0), 3)


def test_a_shadow_is_found_and_nothing_else() -> None:
    mask = square(80, 60, 40)
    light = thrown(mask)
    shadow = soft_shadow(photo(mask, light), mask, grown(mask))
    deep, none = (light < 0.75) & ~grown(mask, 3), (light > 0.99) & ~mask
    assert shadow[deep].mean() > 0.95
    assert shadow[none].mean() < 0.002
    assert not (shadow & mask).any()


@pytest.mark.parametrize(
    "name", ["without a shadow", "dark in another colour", "apart from the object", "a dark half"]
)
def test_what_is_no_shadow_of_the_object_is_not_found(name: str) -> None:
    mask = square(80, 60, 40)
    factors = np.ones((*SIZE, 3), np.float32)
    match name:
        case "dark in another colour":
            factors[60:100, 120:134] = (0.45, 0.6, 0.95)
        case "apart from the object":
            factors[20:40, 180:210] = 0.6
        case "a dark half":
            factors[100:] = 0.55
    assert soft_shadow(photo(mask, factors), mask, grown(mask)).sum() < 40


def test_without_an_object_or_ground_there_is_no_shadow() -> None:
    empty, all_of_it = np.zeros(SIZE, bool), np.ones(SIZE, bool)
    picture = photo(empty, np.ones(SIZE, np.float32))
    assert not soft_shadow(picture, empty, empty).any()
    assert not soft_shadow(picture, all_of_it, all_of_it).any()
