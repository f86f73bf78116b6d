"""Scores of an object's outline in an image: seam, halo, rim, fringe, band. Each is 0 where nothing is wrong."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask, grey

INSIDE = 127  # a mask above this is object
REACH_PX = 16  # more than any of these scores sees beyond the object
_NEAR_PX = 3.5  # how far the surroundings of a seam reach on either side of the object's outline
_NOISE = 4.0  # grey levels per pixel that are not visible as a seam
_HALO_PX = 2.0  # how far a halo reaches beyond the outline
_BACKGROUND_PX = 6.0  # how far the object and the background beside a halo reach
_FULL_HALO = 64.0  # grey levels that count as a halo of 1
_RIM_PX = 3  # width of a rim within the outline; one pixel more may lie outside
_RIM_BESIDE_PX = 8.0  # how far the object and the background beside a rim reach
_LIGHTER = 24.0  # grey levels by which a rim is lighter than both
_FRINGE_PX = 2  # width of the background right along the object
_BEYOND_PX = (4, 9)  # the background that it is compared with
_BAND_PX = (3, 12)  # how far from the outline a band may end
_BAND_NOISE = 3.0  # grey levels per pixel that are not visible as the end of a band
_LEAST_PAIRS = 60  # of neighbouring pixels at one distance, to tell what they have in common


def seam(rgb: RGB, alpha: Mask) -> float:
    """How much the outline of the object looks cut: 0 = not at all, near 1 = all change happens within one pixel.

    Steps between neighbouring pixels that lie on either side of the outline (c, mean over all such pairs) are compared
    with the steps along the outline's normal up to 3.5 px beside it (n): (c - n) / (c + n + 4 grey levels). A camera
    or a good blend spreads the change from object to background over some pixels, so that n is like c; a hard cut does
    not. Texture raises both alike, and the contrast between object and background cancels out.
    """
    inside = alpha > INSIDE
    if inside.all() or not inside.any():
        return 0.0
    distance = signed_distance(inside)
    image = rgb.astype(np.float32)
    crossing = beside = crossing_weight = beside_weight = 0.0
    for axis in (0, 1):
        steps = np.abs(np.diff(image, axis=axis))
        step = np.maximum(np.maximum(steps[..., 0], steps[..., 1]), steps[..., 2])  # faster than max(axis=2)
        first, second = _pairs(distance, axis)
        middle = np.abs(first + second) / 2
        crosses = (first < 0) != (second < 0)
        # only the part of a step along the outline's normal counts; away from the outline a distance changes by 1
        normal = np.where((middle <= _NEAR_PX) & ~crosses, np.abs(second - first), 0.0)
        crossing += float(step[crosses].sum())
        crossing_weight += float(crosses.sum())
        beside += float((step * normal).sum())
        beside_weight += float(normal.sum())
    at, near = crossing / max(crossing_weight, 1.0), beside / max(beside_weight, 1.0)
    return max(0.0, (at - near) / (at + near + _NOISE))


def halo(rgb: RGB, alpha: Mask) -> float:
    """A bright or dark rim between object and background: 0 = none, 1 = 64 grey levels or more beyond both.

    The mean brightness of the first and of the second pixel outside the outline is compared with that of the object
    and of the background 2 to 6 px beside it; what is above the brighter or below the darker of the two is halo. The
    stronger pixel counts; mean over the outline. The rim inside is the object's own and may be shaded.
    """
    inside = alpha > INSIDE
    if inside.all() or not inside.any():
        return 0.0
    distance, tone = signed_distance(inside), grey(rgb)
    depth, side = np.abs(distance), 2 * int(_BACKGROUND_PX) + 1
    beside = (depth > _HALO_PX) & (depth <= _BACKGROUND_PX)
    within, has_within = _local_mean(tone, beside & inside, side)
    around, has_around = _local_mean(tone, beside & ~inside, side)
    excess = np.zeros(tone.shape, np.float32)
    for ring in (depth < _HALO_PX / 2, (depth >= _HALO_PX / 2) & (depth < _HALO_PX)):
        at, known = _local_mean(tone, ring & ~inside, side)
        beyond = np.maximum(at - np.maximum(within, around), np.minimum(within, around) - at)
        excess = np.maximum(excess, np.where(known, beyond, 0.0))
    judged = (depth < _HALO_PX) & ~inside & has_within & has_around
    return min(1.0, float(excess[judged].mean()) / _FULL_HALO) if judged.any() else 0.0


def rim(rgb: RGB, alpha: Mask) -> float:
    """A light line along the outline, such as the photo's own white board leaves: share of the outline that has one.

    A pixel of the outline has a rim where one of the rings from 3 px inside to 1 px outside it is 24 grey levels
    lighter than the object 3 to 8 px inside and than the background up to 8 px outside. Where the object or the
    background is light, a rim of a white board does not show, and counts as none.
    """
    inside = alpha > INSIDE
    if inside.all() or not inside.any():
        return 0.0
    distance, tone = signed_distance(inside), grey(rgb)
    side = int(1.5 * _RIM_BESIDE_PX) | 1
    within, has_within = _local_mean(tone, (distance > _RIM_PX) & (distance <= _RIM_BESIDE_PX), side)
    around, has_around = _local_mean(tone, (distance < -1) & (distance >= -_RIM_BESIDE_PX), side)
    outline = (np.abs(distance) < 1) & has_within & has_around
    if not outline.any():
        return 0.0
    darkest = np.maximum(within, around) + _LIGHTER
    lighter = np.zeros(tone.shape, np.bool_)
    for depth in range(-1, _RIM_PX):
        ring, known = _local_mean(tone, (distance > depth) & (distance < depth + 1), 5)
        lighter |= known & (ring > darkest)
    return float(lighter[outline].mean())


def fringe(rgb: RGB, alpha: Mask) -> float:
    """How much steeper the background is right along the object than a little further away: 0 = not, near 1 = fringe.

    (r - n) / (r + n + 1), not below 0, for r the mean gradient of the background within 2 px of the object and n that
    at 4 to 9 px. Remains of the photo's own background raise it; so do contact shadows and blur, so the limit is wide.
    The step from object to background itself does not count: objects have edges.
    """
    background = alpha == 0
    distance = cv2.distanceTransform(background.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    along = (distance > 0) & (distance <= _FRINGE_PX)
    beyond = (distance >= _BEYOND_PX[0]) & (distance <= _BEYOND_PX[1])
    if not along.any() or not beyond.any():
        return 0.0
    tone = grey(rgb)
    slope = np.zeros(tone.shape, np.float32)
    slope[:, 1:] += np.abs(np.diff(tone, axis=1)) * (background[:, 1:] & background[:, :-1])
    slope[1:] += np.abs(np.diff(tone, axis=0)) * (background[1:] & background[:-1])
    near, far = float(slope[along].mean()), float(slope[beyond].mean())
    return max(0.0, (near - far) / (near + far + 1.0))


def band(rgb: RGB, alpha: Mask) -> float:
    """How clearly a band of other brightness around the object ends in the background: 0 = no band, 1 = a hard end.

    At every distance of 3 to 12 px from the outline, the mean step outwards (m, signed, so that texture cancels out) is
    compared with the mean size of the steps there (a): (|m| - r) / (a + 3 grey levels), for r the usual |m| of the
    distances beside it, which a soft shadow or glow raises. The largest counts.
    """
    inside = alpha > INSIDE
    if inside.all() or not inside.any():
        return 0.0
    mean, size = _steps_outwards(signed_distance(inside), grey(rgb))
    ends = [
        (mean[at] - np.median([*mean[at - 2 : at - 1], *mean[at + 2 : at + 4]])) / (size[at] + _BAND_NOISE)
        for at in range(_BAND_PX[0], _BAND_PX[1] + 1)
    ]
    return float(np.clip(max(ends), 0.0, 1.0))


def _steps_outwards(
    distance: NDArray[np.float32], tone: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Size of the mean step, and mean size of the steps, of the background at 0, 1, 2 … px; 0 where there are few."""
    total, sizes, count = (np.zeros(REACH_PX) for _ in range(3))
    for axis in (0, 1):
        first, second = _pairs(distance, axis)
        here, there = _pairs(tone, axis)
        middle = np.rint(-(first + second) / 2).astype(np.intp)
        outside = (first < 0) & (second < 0) & (middle < REACH_PX)
        normal, at = (first - second)[outside], middle[outside]
        step = (there - here)[outside] * np.sign(normal)
        weight = np.abs(normal)
        for sums, values in ((total, step * weight), (sizes, np.abs(step) * weight), (count, weight)):
            sums += np.bincount(at, values, REACH_PX)
    told = count >= _LEAST_PAIRS
    return (
        np.where(told, np.abs(total) / np.maximum(count, 1.0), 0.0),
        np.where(told, sizes / np.maximum(count, 1.0), 0.0),
    )


def signed_distance(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels to the outline: positive in the object, negative outside; ±0.5 in the pixels next to it."""
    inner = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    outer = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.where(inside, inner - 0.5, 0.5 - outer).astype(np.float32)


def _pairs(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values of neighbouring pixels along an axis."""
    return (values[:-1], values[1:]) if axis == 0 else (values[:, :-1], values[:, 1:])


def _local_mean(
    tone: NDArray[np.float32], where: NDArray[np.bool_], side: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Mean of the chosen pixels within a window of `side` px round each pixel, and where the window holds any."""
    chosen = where.astype(np.float32)
    count, total = (
        cv2.boxFilter(values, cv2.CV_32F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for values in (chosen, tone * chosen)
    )
    return np.asarray(total / np.maximum(count, 1.0), np.float32), np.asarray(count > 0.5)
