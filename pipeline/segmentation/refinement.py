"""From the network's coarse probabilities to an outline that follows the photo's own edges."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.segmentation.background import Field

_RADIUS_SHARE = 0.02  # of the longest side: how far the outline may move
_SMOOTHNESS = 1e-4  # variance of colour (0 to 1) below which a window counts as flat
_STRIP_ROWS = 256  # filtered at once, so that the memory does not grow with the height of the photo

Planes = list[Field]


def guided(rgb: np.ndarray, values: Field, radius: int | None = None) -> Field:
    """Let a map follow the edges of a photo: the guided filter (He, Sun & Tang 2010, eq. 14, 15 and 20).

    Unlike GrabCut it has no colour model of the whole object, so it does not take a soft shadow for a part of it.

    Args:
        rgb: (H, W, 3) uint8, the guide.
        values: (H, W) float32.
        radius: of the window, in pixels; None for 2 % of the longest side.

    Returns:
        (H, W) float32.
    """
    radius = radius or max(round(_RADIUS_SHARE * max(values.shape)), 2)
    height = values.shape[0]
    result = np.empty(values.shape, np.float32)
    for top in range(0, height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, height)
        first, last = max(top - 2 * radius, 0), min(bottom + 2 * radius, height)  # a window of windows
        strip = _guided_strip(rgb[first:last], values[first:last], radius)
        result[top:bottom] = strip[top - first : bottom - first]
    return result


def _guided_strip(rgb: np.ndarray, values: Field, radius: int) -> Field:
    side = 2 * radius + 1

    def mean(field: np.ndarray) -> Field:
        return cv2.blur(field, (side, side))

    guide = [channel.astype(np.float32) / 255 for channel in cv2.split(rgb)]
    guide_mean, values_mean = [mean(channel) for channel in guide], mean(values)
    joint = [
        mean(channel * values) - channel_mean * values_mean
        for channel, channel_mean in zip(guide, guide_mean, strict=True)
    ]
    spread = {
        (i, j): mean(guide[i] * guide[j]) - guide_mean[i] * guide_mean[j]
        for i in range(3)
        for j in range(i + 1)
    }
    for i in range(3):
        spread[i, i] += _SMOOTHNESS
    slope = _solved(spread, joint)
    offset = values_mean - sum(a * channel_mean for a, channel_mean in zip(slope, guide_mean, strict=True))
    return sum((mean(a) * channel for a, channel in zip(slope, guide, strict=True)), mean(offset))


def _solved(spread: dict[tuple[int, int], Field], joint: Planes) -> Planes:
    """Solve a symmetric, positive 3×3 system in every pixel by elimination (LDLᵀ), which is stable in float32.

    Args:
        spread: (row, column) → (H, W), the lower triangle.
        joint: the three right sides.
    """
    first = spread[0, 0]
    lower_1, lower_2 = spread[1, 0] / first, spread[2, 0] / first
    second = spread[1, 1] - lower_1 * spread[1, 0]
    mixed = spread[2, 1] - lower_1 * spread[2, 0]
    third = spread[2, 2] - lower_2 * spread[2, 0] - mixed * mixed / second
    right_1 = joint[1] - lower_1 * joint[0]
    right_2 = joint[2] - lower_2 * joint[0] - mixed / second * right_1
    z = right_2 / third
    y = (right_1 - mixed * z) / second
    x = (joint[0] - spread[1, 0] * y - spread[2, 0] * z) / first
    return [x, y, z]
