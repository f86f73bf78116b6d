"""Fine detail of a background: given back from the picture under it, or matched to an object's photo."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.placement import Layer
from pipeline.rendering.composite import OPAQUE

_GLOW = 2.0  # how far an object glows, in `finest_px`
_RIM_PX = 3  # pixels beside an outline tell of the cut, not of the photo
_LEAST_PIXELS = 150  # of an object or background that can be judged
_NEAR_PX, _FAR_PX = 1.0, 2.0  # standard deviations of the two blurs that the width of edges is read from
_STRONG = 0.9  # quantile of the gradients that count as edges
_EDGE = 6.0  # grey levels per pixel that an edge has at least, after the first blur; shading has less
_LEAST_EDGE_PIXELS = 20
_SHARPEST = 0.9  # quantile of these edges that tell how sharp an image can be
_QUIET = 0.2  # quantile of the local noise: what is left of it where there is no texture
_WINDOW_PX = 7
_LEAST_BLUR_PX, _LARGEST_BLUR_PX = 0.5, 1.0  # of a background
_LARGEST_GRAIN = 8.0  # grey levels
_GRAIN_PX = 0.45  # standard deviation of a grain: a sensor's noise after demosaicing


def with_detail_of(
    picture: RGB, painted: RGB, share: float, *, finest_px: float, beside: Mask | None = None
) -> RGB:
    """Replace a share of the fine detail of a painted image by that of the picture under it.

    Beside the object the same share of everything is the picture's, since a VAE lets the object glow into its
    surroundings.

    Args:
        picture, painted: (H, W, 3) uint8.
        share: 0 = the painted detail alone, 1 = the picture's alone.
        finest_px: standard deviation of the blur whose difference is the detail: about what the VAE cannot show.
        beside: the object's alpha (H, W).
    """
    detail = [
        image - _blurred(image, finest_px)
        for image in (picture.astype(np.float32), painted.astype(np.float32))
    ]
    back = detail[0] - detail[1]
    if beside is not None and beside.any():
        distance = cv2.distanceTransform((beside == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
        near = np.exp(-((distance / (_GLOW * finest_px)) ** 2))[..., None]
        back = near * (picture.astype(np.float32) - painted) + (1 - near) * back
    return _rounded(painted + share * back)


def matched_detail(background: RGB, layer: Layer, *, objects: Mask | None = None, seed: int) -> RGB:
    """Blur a background that is sharper than the placed object, and give it the grain that the object's photo has.

    What is blurred cannot be made sharp, so a background that is less sharp stays so. Where the object or the rest of
    the background is too small to judge, nothing changes; where either has no edges, nothing is blurred.

    Args:
        background: (H, W, 3) uint8.
        objects: alpha of those placed objects that it is matched to; None for all.
        seed: of the grain.
    """
    matched = layer.alpha if objects is None else objects
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RIM_PX + 1,) * 2)
    inside = cv2.erode((matched == OPAQUE).astype(np.uint8), kernel, borderValue=0) > 0
    outside = layer.alpha == 0
    if min(int(inside.sum()), int(outside.sum())) < _LEAST_PIXELS:
        return background
    wanted, own = _fineness(layer.rgb, inside), _fineness(background, outside)
    blur_px = 0.0
    if wanted.blur_px is not None and own.blur_px is not None:
        blur_px = math.sqrt(max(0.0, wanted.blur_px**2 - own.blur_px**2))
    if blur_px >= _LEAST_BLUR_PX:
        background = _rounded(_blurred(background.astype(np.float32), min(blur_px, _LARGEST_BLUR_PX)))
        own = _fineness(background, outside)
    grain = math.sqrt(max(0.0, min(wanted.grain, _LARGEST_GRAIN) ** 2 - own.grain**2))
    return _rounded(background + grain * _grain(background.shape[:2], seed)) if grain else background


@dataclass(frozen=True, slots=True)
class _Fineness:
    """How fine a part of an image is."""

    blur_px: float | None  # standard deviation of the blur of its sharpest edges; 0 = a step, None = no edges
    grain: float  # standard deviation of its noise, grey levels


def _fineness(rgb: RGB, where: NDArray[np.bool_]) -> _Fineness:
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return _Fineness(_edge_blur(grey, where), _noise(grey, where))


def _edge_blur(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> float | None:
    """Read the blur of edges from how much another blur flattens them (after Zhuo & Sim 2011)."""
    near, far = (_slope(_blurred(grey, sigma))[where] for sigma in (_NEAR_PX, _FAR_PX))
    edges = near >= max(float(np.quantile(near, _STRONG)), _EDGE)
    if int(edges.sum()) < _LEAST_EDGE_PIXELS:
        return None
    ratio = float(np.quantile(near[edges] / np.maximum(far[edges], 1e-3), _SHARPEST)) ** 2
    ratio = min(max(ratio, 1 + 1e-3), (_FAR_PX / _NEAR_PX) ** 2)
    return math.sqrt(max(0.0, (_FAR_PX**2 - ratio * _NEAR_PX**2) / (ratio - 1)))


def _slope(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down) / 8, np.float32)  # Sobel's kernel weighs 8 pixel steps


def _noise(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    """Estimate the noise of the quietest parts (Immerkær 1996, within windows)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    spread = np.abs(cv2.filter2D(grey, cv2.CV_32F, kernel)) * math.sqrt(math.pi / 2) / 6
    local = cv2.blur(spread, (_WINDOW_PX, _WINDOW_PX))
    return float(np.quantile(local[where], _QUIET))


def _grain(size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Draw (H, W, 3) noise, mostly of brightness, that `_noise` measures as about 1."""
    rng = np.random.default_rng([seed, 1])
    noise = 0.95 * rng.standard_normal((*size, 1)) + 0.3 * rng.standard_normal((*size, 3))
    soft = _blurred(noise.astype(np.float32), _GRAIN_PX)
    grey = np.asarray(cv2.cvtColor(soft, cv2.COLOR_RGB2GRAY), np.float32)
    measured = _noise(grey, np.ones(size, bool))
    return np.asarray(soft / max(measured, 1e-6), np.float32)


def _blurred(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _rounded(image: NDArray[np.floating]) -> RGB:
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)
