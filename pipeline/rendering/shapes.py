"""Draw the neutral shapes among distractors: boxes, discs and rods of a plain material in one light."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.distractor_draws import shape_box
from pipeline.domain.distractors import ShapeSpec
from pipeline.domain.placement import Cutout

_ELEVATION = 55.0  # of the light over the ground, degrees
_SOFT_PX = 0.25  # how far inside its box the outline lies, so that the outermost pixels are soft, but object
_AMBIENT = 0.45  # share of the light that comes from everywhere
_SHEEN = 0.25  # brightness of the highlight on a rounded rim
_GLOSS = 24  # the higher, the smaller the highlight
_MOTTLES = ((6, 0.5), (16, 0.3), (48, 0.2))  # cells along the long side, share of the contrast
_LARGE_PX = 512  # larger images show more than the pixels of `shape_box`
_STREAK = 6  # how much longer than wide the mottles of every second shape are

Field = NDArray[np.float32]


def shape_cutout(shape: ShapeSpec, canvas: tuple[int, int]) -> Cutout:
    """Return a shape as a cut-out; its alpha ends softly within one pixel.

    Args:
        canvas: (height, width) of the image that it is for. The cut-out has the size of `shape_box`, or twice that for
            an image in which it would look soft.
    """
    times = 2 if max(canvas) > _LARGE_PX else 1
    width, height = (times * side for side in shape_box(shape)[2:])
    inner = _distance_inside(shape, (height, width))
    light = _light(shape, inner)
    paint = np.array(shape.colour, np.float32) * (light * _mottled(shape, (height, width)))[..., None]
    rgb = np.clip(np.rint(paint + 255 * _SHEEN * _highlight(shape, inner)[..., None]), 0, 255)
    alpha = np.rint(np.clip(inner + 0.5, 0, 1) * 255)
    return Cutout(rgb=rgb.astype(np.uint8), alpha=alpha.astype(np.uint8))


def _distance_inside(shape: ShapeSpec, size: tuple[int, int]) -> Field:
    """How far each pixel lies inside the outline, in pixels; negative outside."""
    height, width = size
    rows, columns = np.indices(size, np.float32)
    half_wide, half_high = width / 2 - _SOFT_PX, height / 2 - _SOFT_PX
    radius = max(shape.roundness, 2 / height) * min(half_wide, half_high)
    across = np.abs(columns - (width - 1) / 2) - (half_wide - radius)
    down = np.abs(rows - (height - 1) / 2) - (half_high - radius)
    beyond = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    return np.asarray(radius - beyond - np.minimum(np.maximum(across, down), 0), np.float32)


def _normals(shape: ShapeSpec, inner: Field) -> tuple[Field, Field, Field]:
    """The surface's normals: x right, y down, z towards the viewer. The rim is a quarter of a circle, the top flat."""
    rim_px = max(shape.relief * min(inner.shape) / 2, 1.0)
    depth = np.clip(inner / rim_px, 0, 1)
    height = rim_px * np.sqrt(np.maximum(1 - (1 - depth) ** 2, 0))
    smooth = cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.5)
    down, across = np.gradient(smooth)
    length = np.sqrt(across**2 + down**2 + 1)
    return (
        np.asarray(-across / length, np.float32),
        np.asarray(-down / length, np.float32),
        np.asarray(1 / length, np.float32),
    )


def _direction(shape: ShapeSpec) -> tuple[float, float, float]:
    """The way to the light in the frame of the cut-out, which is turned with the shape when it is placed."""
    azimuth = math.radians(shape.azimuth - shape.placement.rotation)
    elevation = math.radians(_ELEVATION)
    flat = math.cos(elevation)
    return flat * math.cos(azimuth), -flat * math.sin(azimuth), math.sin(elevation)


def _light(shape: ShapeSpec, inner: Field) -> Field:
    """The light on each pixel; 1 on a flat top."""
    x, y, z = _normals(shape, inner)
    to_x, to_y, to_z = _direction(shape)
    straight = np.maximum(x * to_x + y * to_y + z * to_z, 0) / to_z
    return np.asarray(_AMBIENT + (1 - _AMBIENT) * straight, np.float32)


def _highlight(shape: ShapeSpec, inner: Field) -> Field:
    """The light that the surface mirrors to the viewer, beyond what a flat top does, 0 to 1 (Blinn 1977)."""
    x, y, z = _normals(shape, inner)
    to_x, to_y, to_z = _direction(shape)
    half = math.sqrt(to_x**2 + to_y**2 + (to_z + 1) ** 2)
    facing = np.maximum((x * to_x + y * to_y + z * (to_z + 1)) / half, 0)
    return np.asarray(np.maximum(facing**_GLOSS - ((to_z + 1) / half) ** _GLOSS, 0), np.float32)


def _mottled(shape: ShapeSpec, size: tuple[int, int]) -> Field:
    """Factors about 1 that make the material uneven, coarse and fine."""
    rng = np.random.default_rng([shape.seed, 4])
    streak = _STREAK if shape.seed % 2 else 1
    noise = np.zeros(size, np.float32)
    height, width = size
    for cells, share in _MOTTLES:
        rows = max(2, round(cells * height / width))
        coarse = rng.standard_normal((rows, max(2, cells // streak))).astype(np.float32)
        noise += share * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(1 + shape.texture * noise, np.float32)
