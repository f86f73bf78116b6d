"""From the network's coarse probabilities to an outline that follows the photo's own edges."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.segmentation.background import Field

_RADIUS_SHARE = 0.02  # of the longest side: how far the outline may move
_SMOOTHNESS = 1e-4  # variance of colour (0 to 1) below which a window counts as flat


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
    side = 2 * (radius or max(round(_RADIUS_SHARE * max(values.shape)), 2)) + 1

    def mean(field: np.ndarray) -> Field:
        return cv2.blur(field, (side, side))

    guide = rgb.astype(np.float32) / 255
    guide_mean, values_mean = mean(guide), mean(values)
    joint = mean(guide * values[..., None]) - guide_mean * values_mean[..., None]
    spread = np.empty((*values.shape, 3, 3), np.float32)
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        product = mean(guide[..., i] * guide[..., j]) - guide_mean[..., i] * guide_mean[..., j]
        spread[..., i, j] = spread[..., j, i] = product
    spread += _SMOOTHNESS * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(spread, joint[..., None])[..., 0]
    offset = values_mean - (slope * guide_mean).sum(-1)
    return (mean(slope) * guide).sum(-1) + mean(offset)
