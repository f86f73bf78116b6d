"""The edge images that guide a ControlNet."""

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
_GREY = 127  # background behind the object; threshold between edge and no edge
_RIM_PX = 3  # edges nearer than this to an object belong to the object
_LEAST_PX = 33  # the detector rounds sides to multiples of 64 px: those of 32 px and less to none


def canny(rgb: RGB) -> RGB:
    """Detect edges at the image's own size with `controlnet_aux.CannyDetector` (Canny 1986).

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8: 255 on edges, 0 elsewhere.
    """
    height, width = rgb.shape[:2]
    short = max(min(height, width), _LEAST_PX)
    edges = _detector()(
        rgb, LOW_THRESHOLD, HIGH_THRESHOLD, detect_resolution=short, image_resolution=short, output_type="np"
    )
    if edges.shape[:2] != (height, width):  # the detector works in multiples of 64 px
        edges = cv2.resize(edges, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(edges > _GREY, 255, 0).astype(np.uint8)


def object_edges(layer: Layer) -> RGB:
    """Detect the edges inside the placed object, and its outline: (H, W, 3) uint8, 255 on edges."""
    background = np.full_like(layer.rgb, _GREY)
    outline = canny(np.repeat(layer.alpha[..., None], 3, axis=2))
    return np.maximum(canny(composite(layer, background)), outline)


def control_image(layer: Layer, *, background: RGB | None = None, erased: Mask | None = None) -> RGB:
    """Draw the edges of the placed object over the edges of a background.

    Args:
        layer: the placed object, (H, W).
        background: an image of any size whose structure is wanted around the object, fitted to (H, W): the source
            photo or a reference image. None = the object alone.
        erased: mask of the size of `background`; what it covers (the object of the source photo) leaves no edges, so
            that no second object is drawn where the first one stood.

    Returns:
        (H, W, 3) uint8, edges 255 on 0.
    """
    of_object = object_edges(layer)
    if background is None:
        return of_object
    size = layer.alpha.shape
    edges = canny(fitted(background, size))
    if erased is not None:
        covered = fitted(np.repeat(erased[..., None], 3, axis=2), size)[..., 0]
        edges[_grown(covered) > 0] = 0
    near = _grown(layer.alpha) > 0
    return np.where(near[..., None], of_object, edges)


def _grown(mask: Mask) -> Mask:
    side = 2 * _RIM_PX + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask, disc), np.uint8)


@cache
def _detector() -> Any:
    with warnings.catch_warnings():  # the package warns of detectors that are not used here
        warnings.simplefilter("ignore")
        from controlnet_aux import CannyDetector
    return CannyDetector()
