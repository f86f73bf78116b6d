"""The light of a photo, and images seen in another light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask, thumbnail

_PHOTO_PX = 256  # longest side at which a photo's colour is estimated
_NORM = 6  # of the shades of grey
_CLIPPED = 250
_WARMEST = 0.15  # largest change of red and blue, as a logarithm
_BRIGHTEST = 0.25  # largest change of brightness, as a logarithm
_SHARE = 0.25  # of the difference in brightness that is taken away: dark objects lie on bright floors, too
_GAMMA = 2.2
_LEAST_PIXELS = 50


@dataclass(frozen=True, slots=True)
class Light:
    """What is estimated of the light in an image; both are logarithms of linear values."""

    warmth: float  # of red over blue
    brightness: float  # mean over what it falls on


def light_of(photo: RGB, bright: RGB, where: NDArray[np.bool_]) -> Light:
    """Estimate the light in a photo.

    The colour is that of the shades of grey (Finlayson & Trezzi 2004, a Minkowski norm of 6), of which only the
    difference of red and blue counts: daylight and lamps differ along it, grass and skies less so.

    Args:
        photo: (H, W, 3) uint8, whose colour of light is estimated.
        bright: (h, w, 3) uint8, whose brightness counts.
        where: (h, w), the pixels of `bright` that count, at least one.
    """
    pixels = photo.reshape(-1, 3)
    usable = pixels[pixels.max(axis=1) < _CLIPPED]
    linear = _linear(usable if len(usable) >= _LEAST_PIXELS else pixels)
    red, _, blue = np.mean(linear**_NORM, axis=0) ** (1 / _NORM)
    return Light(
        warmth=math.log((float(red) + 1e-3) / (float(blue) + 1e-3)),
        brightness=math.log(float(_linear(bright[where]).mean()) + 1e-3),
    )


def relit(image: RGB, own: Light, wanted: Light) -> RGB:
    """Return an image (H, W, 3) with the colour of another light, and nearer to its brightness.

    In linear light, red and blue change by at most 16 % each, the brightness by at most 28 %.
    """
    warmth = float(np.clip((wanted.warmth - own.warmth) / 2, -_WARMEST, _WARMEST))
    brighter = float(np.clip(_SHARE * (wanted.brightness - own.brightness), -_BRIGHTEST, _BRIGHTEST))
    gains = np.exp(np.array([brighter + warmth, brighter, brighter - warmth]) / _GAMMA)
    levels = np.arange(256)[:, None] * gains  # a factor of linear values is another factor of stored ones
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)


def object_light(photo: RGB, colours: RGB, alpha: Mask) -> Light:
    """Estimate the light of a placed object: the colour from its whole photo, the brightness from the object.

    The brightness is that of the opaque pixels; where an object is so thin that there are none, of those that are
    mostly object, or else partly. That of an object that is not seen is its photo's.
    """
    small = thumbnail(photo, _PHOTO_PX)
    for least in (255, 128, 1):
        seen = alpha >= least
        if seen.any():
            return light_of(small, colours, seen)
    return light_of(small, small, np.ones(small.shape[:2], bool))


def background_light(background: RGB, alpha: Mask) -> Light:
    """Estimate the light of a background from what an object of this alpha leaves free."""
    free = alpha == 0
    return light_of(background, background, free if free.any() else np.ones_like(free))


def _linear(pixels: RGB) -> NDArray[np.float32]:
    return np.asarray((pixels.astype(np.float32) / 255) ** _GAMMA, np.float32)
