"""The edge pictures that guide a ControlNet."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import cv2
import numpy as np

from pipeline.domain.images import RGB, Mask, fitted
from pipeline.domain.placement import Layer
from pipeline.rendering.composite import composite

LOW_THRESHOLD, HIGH_THRESHOLD = 100, 200  # of the Canny detector, on grey levels
_GROUND_GREY = 127
_RIM_PX = 3  # edges nearer than this to an object belong to the object


def canny(rgb: RGB) -> RGB:
    """(H, W, 3) uint8: edges 255 on 0, found by `controlnet_aux.CannyDetector` at the picture's own size."""
    height, width = rgb.shape[:2]
    short = min(height, width)
    found = _detector()(
        rgb, LOW_THRESHOLD, HIGH_THRESHOLD, detect_resolution=short, image_resolution=short, output_type="np"
    )
    if found.shape[:2] != (height, width):  # the detector works in multiples of 64 px
        found = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(found > _GROUND_GREY, 255, 0).astype(np.uint8)


def object_edges(layer: Layer) -> RGB:
    """(H, W, 3) uint8: the edges inside the placed object and its outline."""
    ground = np.full_like(layer.rgb, _GROUND_GREY)
    outline = canny(np.repeat(layer.alpha[..., None], 3, axis=2))
    return np.maximum(canny(composite(layer, ground)), outline)


def control_picture(layer: Layer, *, ground: RGB | None = None, erased: Mask | None = None) -> RGB:
    """The edges of the placed object over the edges of a ground.

    Args:
        layer: the placed object, (H, W).
        ground: a picture of any size whose structure is wanted round the object, fitted to (H, W): the source
            photograph or a reference picture. None = nothing but the object.
        erased: mask of the ground's size; what it covers (the object of the source photograph) leaves no
            edges, so that no second object is drawn where the first one stood.

    Returns:
        (H, W, 3) uint8, edges 255 on 0.
    """
    own = object_edges(layer)
    if ground is None:
        return own
    size = layer.alpha.shape
    edges = canny(fitted(ground, size))
    if erased is not None:
        covered = fitted(np.repeat(erased[..., None], 3, axis=2), size)[..., 0]
        edges[_grown(covered) > 0] = 0
    near = _grown(layer.alpha) > 0
    return np.where(near[..., None], own, edges)


def _grown(mask: Mask) -> Mask:
    side = 2 * _RIM_PX + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask, disc), np.uint8)


@cache
def _detector() -> Any:
    with warnings.catch_warnings():  # the package tells of detectors that we do not use
        warnings.simplefilter("ignore")
        from controlnet_aux import CannyDetector
    return CannyDetector()
