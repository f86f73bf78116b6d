"""Renders a test object in another place: its own photo without it, other backgrounds, other positions and sizes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.warping import Box
from pipeline.segmentation.matting import foreground_colours

_HOLE_PX = 3  # beyond the object's soft edge, that is filled in as well
_INPAINT_PX = 5  # neighbourhood of the filling
_BLUR_SHARE = 1 / 8  # of the photo's side: sigma of a plain background

Alpha = NDArray[np.float32]  # (S, S), 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneObject:
    """An object cut out of a test photo of side S.

    `colours` (S, S, 3) float32 are multiplied by `alpha` (S, S), 0 to 1. `background` (S, S, 3) uint8 is the photo with
    the object filled in, `plain` the same blurred until no object could be told. `hole` (S, S) bool marks what was
    filled in.
    """

    label: int
    colours: NDArray[np.float32]
    alpha: Alpha
    background: RGB
    plain: RGB
    hole: NDArray[np.bool_]


def scene_object(rgb: RGB, alpha: Mask, label: int) -> SceneObject:
    """Separate the object of a photo (S, S, 3) from its background by its mask (S, S) uint8, 255 = object."""
    kernel = np.ones((2 * _HOLE_PX + 1, 2 * _HOLE_PX + 1), np.uint8)
    hole = cv2.dilate((alpha > 0).astype(np.uint8), kernel) > 0
    share = (alpha / 255).astype(np.float32)
    return SceneObject(
        label=label,
        colours=(foreground_colours(rgb, alpha) * share[..., None]).astype(np.float32),
        alpha=share,
        background=np.asarray(cv2.inpaint(rgb, hole.astype(np.uint8), _INPAINT_PX, cv2.INPAINT_NS), np.uint8),
        plain=plain_background(rgb, hole),
        hole=hole,
    )


def plain_background(rgb: RGB, hole: NDArray[np.bool_]) -> RGB:
    """Blur the background of a photo (S, S, 3) strongly, without what lies in the hole (S, S)."""
    weights = (~hole).astype(np.float32)
    sigma = _BLUR_SHARE * len(rgb)
    colours = cv2.GaussianBlur(rgb.astype(np.float32) * weights[..., None], (0, 0), sigma)
    total = cv2.GaussianBlur(weights, (0, 0), sigma)
    mean = (rgb.astype(np.float32) * weights[..., None]).sum(axis=(0, 1)) / max(float(weights.sum()), 1.0)
    blurred = np.where(total[..., None] > 1e-3, colours / np.maximum(total, 1e-3)[..., None], mean)
    return np.asarray(np.clip(np.rint(blurred), 0, 255), np.uint8)


def in_front_of(item: SceneObject, background: RGB) -> RGB:
    """Paste an object, where its photo shows it, onto a background (S, S, 3)."""
    return _pasted(item.colours, item.alpha, background)


def moved(item: SceneObject, *, side_share: float, at: tuple[float, float]) -> RGB:
    """Paste an object onto its plain background in another size and place.

    Args:
        side_share: longest side of the object, as a share of the image's side, at most 1.
        at: how far to the right and down, each 0 to 1: at the left and upper border, or at the right and lower one.

    Returns:
        (S, S, 3) uint8; the whole object lies inside.
    """
    side = len(item.alpha)
    x0, y0, x1, y1 = object_box(item.alpha)
    scale = side_share * side / max(x1 - x0, y1 - y0)
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    colours, alpha = (
        np.asarray(cv2.resize(layer[y0:y1, x0:x1], size, interpolation=how), np.float32)
        for layer in (item.colours, item.alpha)
    )
    left, top = round(at[0] * (side - size[0])), round(at[1] * (side - size[1]))
    place = slice(top, top + size[1]), slice(left, left + size[0])
    image = item.plain.copy()
    image[place] = _pasted(colours, alpha, image[place])
    return image


def object_box(alpha: NDArray[np.float32] | Mask) -> Box:
    """The box around all pixels of a mask (S, S) above 0."""
    left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    return left, top, left + width, top + height


def _pasted(colours: NDArray[np.float32], alpha: Alpha, background: RGB) -> RGB:
    blended = colours + (1 - alpha[..., None]) * background
    return np.asarray(np.clip(np.rint(blended), 0, 255), np.uint8)
