"""The exact composite: the object's own pixels over the background that was painted around it."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.domain.placement import Layer
from pipeline.errors import SizeMismatch

OPAQUE = 255


def composite(layer: Layer, background: RGB) -> RGB:
    """Put the placed object over a background.

    Args:
        layer: (H, W, 3) straight colours and (H, W) alpha; 255 = object, 0 = background, between = blend.
        background: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8. Where alpha is 255 it equals the layer's colours exactly, where 0 the background.

    Raises:
        SizeMismatch: their heights or widths differ.
    """
    if layer.rgb.shape != background.shape:
        raise SizeMismatch(layer=layer.rgb.shape[:2], background=background.shape[:2])
    weight = layer.alpha[..., None].astype(np.uint16)
    blend = layer.rgb * weight + background * (OPAQUE - weight)  # at most 255 * 255: fits 16 bits
    return ((blend + OPAQUE // 2) // OPAQUE).astype(np.uint8)


def exact(sample: RGB, layer: Layer) -> bool:
    """Return whether a sample shows the placed object's own colours wherever its alpha is 255."""
    return unchanged_share(sample, layer) == 1.0


def unchanged_share(sample: RGB, layer: Layer) -> float:
    """Return the share of the pixels with alpha 255 that show the object's own colours; 1 where there are none."""
    kept = layer.alpha == OPAQUE
    return float((sample[kept] == layer.rgb[kept]).all(axis=1).mean()) if kept.any() else 1.0


def repaint_mask(layer: Layer, *, inset_px: int = 0) -> Mask:
    """Return the mask of what the model paints: 255 where it repaints, 0 where it sees the object.

    Args:
        layer: the placed object.
        inset_px: how far inside the opaque object the painting begins. The ring is covered by the composite;
            it keeps the model from bleeding the object's colours into the background next to it.
    """
    kept = (layer.alpha == OPAQUE).astype(np.uint8)
    if inset_px:
        side = 2 * inset_px + 1
        inner = cv2.erode(kept, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), borderValue=1)
        kept = inner if inner.any() else kept
    return ((1 - kept) * 255).astype(np.uint8)
