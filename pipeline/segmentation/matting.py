"""Soft edges and clean colours: alpha in a narrow band along an outline, colours without the old background."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

import cv2
import numpy as np

from pipeline.segmentation.background import Field
from pipeline.segmentation.outline import depth

_MATTE_PX = 640  # longest side at which alpha is solved
_BAND_SHARE, _BAND_LEAST_PX, _BAND_MOST_PX = 0.008, 1.5, 4.0
_CERTAIN = 0.04  # alpha nearer than this to 0 or 1 is taken as such
_MARGIN_PX = 12


def soft_alpha(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Give the outline of a binary mask soft alpha.

    Closed-form matting (Levin, Lischinski & Weiss 2008) inside a band along the outline is averaged with the
    outline's own smooth edge, which keeps alpha in place where object and background have the same colour.

    Args:
        rgb: (H, W, 3) uint8 photo.
        mask: (H, W) bool.

    Returns:
        (H, W) uint8: 255 = object, 0 = background.
    """
    if not mask.any() or mask.all():
        return np.where(mask, 255, 0).astype(np.uint8)
    height, width = mask.shape
    scale = min(1.0, _MATTE_PX / max(height, width))
    if scale < 1:
        size = (round(width * scale), round(height * scale))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        cover = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(_alpha(small, cover > 0.5), (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        alpha = _alpha(rgb, mask)
    alpha = np.clip((alpha - _CERTAIN) / (1 - 2 * _CERTAIN), 0, 1)
    return np.rint(alpha * 255).astype(np.uint8)


def _alpha(rgb: np.ndarray, mask: np.ndarray) -> Field:
    from pymatting import estimate_alpha_cf

    band = float(np.clip(_BAND_SHARE * max(mask.shape), _BAND_LEAST_PX, _BAND_MOST_PX))
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.45 * band)
    inward = depth(mask)
    spine = (inward >= cv2.dilate(inward, np.ones((3, 3), np.uint8))) & (inward > 1.2)
    trimap = np.full(mask.shape, 0.5)
    trimap[depth(~mask) > band] = 0
    trimap[(inward > band) | spine] = 1
    alpha = smooth.copy()
    window = _window(mask)
    part = trimap[window]
    if (part == 0).any() and (part == 1).any() and (part == 0.5).any():
        with redirect_stdout(
            StringIO()
        ):  # pymatting prints advice where its preconditioner needs another try
            solved = estimate_alpha_cf(rgb[window] / 255.0, part)
        alpha[window] = 0.5 * smooth[window] + 0.5 * np.clip(solved, 0, 1)
    alpha[trimap == 0], alpha[trimap == 1] = 0, 1
    return alpha.astype(np.float32)


def foreground_colours(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Estimate the object's own colours along its soft edge, where the photo mixes them with the background.

    Multi-level foreground estimation (Germer et al. 2020).

    Args:
        rgb: (H, W, 3) uint8 photo.
        alpha: (H, W) uint8.

    Returns:
        (H, W, 3) uint8; equals the photo where alpha is 255.
    """
    opaque = alpha == 255
    if opaque.all() or not alpha.any():
        return rgb.copy()
    from pymatting import estimate_foreground_ml

    window = _window(alpha > 0)
    colours = rgb.copy()
    estimated = estimate_foreground_ml(rgb[window] / 255.0, alpha[window] / 255.0)
    colours[window] = np.clip(np.rint(estimated * 255), 0, 255).astype(np.uint8)
    colours[opaque] = rgb[opaque]
    return colours


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns round everything in a mask, with a margin."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (
        slice(max(int(rows[0]) - _MARGIN_PX, 0), int(rows[-1]) + _MARGIN_PX + 1),
        slice(max(int(columns[0]) - _MARGIN_PX, 0), int(columns[-1]) + _MARGIN_PX + 1),
    )
