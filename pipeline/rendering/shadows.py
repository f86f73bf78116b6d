"""The shadow of an object on the ground that it lies on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.look import ShadowSpec

_GAMMA = 2.2
_STEPS = 12  # of the sweep of an object along its shadow
_CONTACT_SHARE = 0.09  # how far the darkness of contact reaches, as a share of the object's size
_CONTACT = 0.85  # how dark it is beside the thrown shadow
_FADES = 0.35  # how much lighter a shadow is at its end
_LONGEST = 0.9  # shadow, as a share of the object's size
_EDGE_PX = 1.5  # over which a shadow ends at the far edge of the ground


def with_shadow(picture: RGB, masks: Sequence[Mask], shadow: ShadowSpec) -> RGB:
    """Darken a background where objects keep the light away.

    An object is taken for a slab that lies on the ground: its outline, swept along the light's way over the ground and
    foreshortened by the camera's pitch, with a softer edge the further it is thrown; around the outline, where little
    of the sky is seen, the ground is darker as well.

    Args:
        picture: (H, W, 3) uint8.
        masks: the visible part of each object, (H, W) uint8.
    """
    light = np.ones(picture.shape[:2], np.float32)
    for mask in masks:
        np.minimum(light, 1 - shadow.darkness * _shade(mask, shadow), out=light)
    rows = np.arange(len(light), dtype=np.float32) + 0.5
    on_ground = np.clip((rows - shadow.edge * len(rows)) / _EDGE_PX, 0, 1)[:, None] if shadow.edge else 1.0
    light = 1 - (1 - light) * on_ground
    linear = (picture.astype(np.float32) / 255) ** np.float32(_GAMMA) * light[..., None]
    return np.rint(linear ** np.float32(1 / _GAMMA) * 255).astype(np.uint8)


def _shade(mask: Mask, shadow: ShadowSpec) -> NDArray[np.float32]:
    """The share of the light that one object takes from each pixel, 0 to 1 before `darkness`."""
    cover = mask.astype(np.float32) / 255
    size_px = math.sqrt(float(cover.sum(dtype=np.float64)))
    if size_px < 1:
        return np.zeros_like(cover)
    across, down = _throw(shadow, size_px)
    length = math.hypot(across, down)
    thrown = np.zeros_like(cover)
    steps = max(1, min(_STEPS, math.ceil(length)))
    for step in range(steps + 1):
        share = step / steps
        moved = np.array([[1, 0, across * share], [0, 1, down * share]], np.float32)
        part = cv2.warpAffine(cover, moved, cover.shape[::-1])
        part = cv2.GaussianBlur(part, (0, 0), 0.6 + 0.22 * length * share) * (1 - _FADES * share)
        np.maximum(thrown, part, out=thrown)
    reach = max(0.8, _CONTACT_SHARE * size_px)
    low = reach * 0.6 * math.cos(math.radians(shadow.pitch))  # what stands is darkest at its foot
    below = cv2.warpAffine(cover, np.array([[1, 0, 0], [0, 1, low]], np.float32), cover.shape[::-1])
    contact = _CONTACT * cv2.GaussianBlur(below, (0, 0), reach)
    return np.asarray(1 - (1 - thrown) * (1 - contact), np.float32)


def _throw(shadow: ShadowSpec, size_px: float) -> tuple[float, float]:
    """How far the top of an object throws its shadow: pixels to the right and down."""
    azimuth, elevation, pitch = (
        math.radians(angle) for angle in (shadow.azimuth, shadow.elevation, shadow.pitch)
    )
    reach = min(shadow.height / max(math.tan(elevation), 1e-6), _LONGEST) * size_px
    return -math.cos(azimuth) * reach, math.sin(azimuth) * reach * math.sin(pitch)
