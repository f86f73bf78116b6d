"""Automatic scores of an image, and the quality gates that keep samples out of the data set.

Every score is a pure function of pixels and lies in 0 to 1; whether high or low is good depends on the score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.errors import SizeMismatch

Scores = dict[str, float]

_SENTENCE = re.compile(r"(?P<gate>\w+) (?P<value>\S+), limit (?P<limit>\S+)")
_INSIDE = 127  # a mask above this is object
_BLACK, _WHITE = 2, 253
_SHARP = 20.0  # standard deviation of the Laplacian, in grey levels, that counts as 0.63 sharp
_NEAR_PX = 3.5  # how far the surroundings of a seam reach on either side of the object's outline
_NOISE = 4.0  # grey levels per pixel that are not visible as a seam
_RIM_PX = 2.0  # how far a halo reaches beyond the outline
_BACKGROUND_PX = 6.0  # how far the object and the background beside a halo reach
_FULL_HALO = 64.0  # grey levels that count as a halo of 1
_FRINGE_PX = 2  # width of the background right along the object
_BEYOND_PX = (4, 9)  # the background that it is compared with
_MARGIN_PX = 16  # more than any of these scores sees beyond the object


class Direction(StrEnum):
    """On which side of its limit a score is good."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on one score."""

    name: str
    limit: float
    direction: Direction = Direction.AT_MOST

    def holds(self, score: float) -> bool:
        """Whether a score passes."""
        return score <= self.limit if self.direction is Direction.AT_MOST else score >= self.limit


@dataclass(frozen=True, slots=True)
class GateFailure:
    """A quality gate that a sample failed; `str()` is the sentence that people read."""

    gate: str  # name of the score
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.gate} {self.value:.2f}, limit {self.limit:.2f}"

    @classmethod
    def parse(cls, sentence: str) -> GateFailure:
        """Return the failure that `str()` wrote, as libraries of earlier versions store it.

        Raises:
            ValueError: the sentence is not one of `str()`.
        """
        match = _SENTENCE.fullmatch(sentence)
        if match is None:
            raise ValueError(f"'{sentence}' is not a gate failure such as 'seam 0.41, limit 0.30'")
        return cls(match["gate"], float(match["value"]), float(match["limit"]))


SCORE_NAMES = ("sharpness", "clipped", "contrast", "seam", "halo", "fringe", "object_share", "novelty")
"""Every score that a sample may have; novelty is computed when it is stored, against the others of its class."""

DEFAULT_GATES = (
    Gate("seam", 0.75),
    Gate("halo", 0.35),
    Gate("fringe", 0.85),
    Gate("clipped", 0.60),
    Gate("contrast", 0.08, Direction.AT_LEAST),
    Gate("object_share", 0.01, Direction.AT_LEAST),
)


def scores(rgb: RGB, alpha: Mask) -> Scores:
    """Compute all scores of an image; those of the object and its outline only where there is an object.

    Args:
        rgb: (H, W, 3) uint8, the finished image.
        alpha: (H, W) 255 = object, 0 = background, between = blended; 0 everywhere where no object was placed.

    Raises:
        SizeMismatch: the two differ in size.
    """
    if rgb.shape[:2] != alpha.shape:
        raise SizeMismatch(image=rgb.shape[:2], mask=alpha.shape)
    values = {"sharpness": sharpness(rgb), "clipped": clipped(rgb), "contrast": contrast(rgb)}
    if alpha.any():
        near = _near_object(alpha)  # what lies further off says nothing about the outline
        values |= {score.__name__: score(rgb[near], alpha[near]) for score in (seam, halo, fringe)}
        values["object_share"] = object_share(alpha)
    return {name: round(value, 6) for name, value in values.items()}


def gates_failed(
    values: Mapping[str, float], gates: Iterable[Gate] = DEFAULT_GATES
) -> tuple[GateFailure, ...]:
    """Return the gates that the scores fail, in the order of the gates; a score that is missing passes."""
    return tuple(
        GateFailure(gate.name, values[gate.name], gate.limit)
        for gate in gates
        if gate.name in values and not gate.holds(values[gate.name])
    )


def least_margin(values: Mapping[str, float], gates: Iterable[Gate] = DEFAULT_GATES) -> float:
    """Return how far the closest gate is from failing, relative to its limit: below 0 it fails, 1 = far from all gates.

    (limit - score) / limit for a gate "at most", (score - limit) / limit for one "at least", at most 1. The review
    queue begins with the lowest.
    """
    margins = [
        (values[gate.name] - gate.limit) / gate.limit * (1 if gate.direction is Direction.AT_LEAST else -1)
        for gate in gates
        if gate.name in values
    ]
    return min([*margins, 1.0])


def sharpness(rgb: RGB) -> float:
    """0 for a flat or fully blurred image, near 1 for fine detail: 1 - exp(-σ / 20), σ of the Laplacian of grey."""
    spread = float(cv2.Laplacian(_grey(rgb), cv2.CV_32F).std())
    return 1.0 - float(np.exp(-spread / _SHARP))


def clipped(rgb: RGB) -> float:
    """Share of the pixels that are black or white in all channels: lost to under- or over-exposure."""
    red, green, blue = cv2.split(np.ascontiguousarray(rgb))
    dark = np.maximum(np.maximum(red, green), blue) <= _BLACK
    light = np.minimum(np.minimum(red, green), blue) >= _WHITE
    return float((dark | light).mean())


def contrast(rgb: RGB) -> float:
    """Brightness between the 1st and the 99th percentile, as a share of the whole range."""
    low, high = np.percentile(_grey(rgb), (1, 99))
    return float(high - low) / 255


def object_share(alpha: Mask) -> float:
    """Share of the image that the object covers."""
    return float(alpha.mean(dtype=np.float64)) / 255


def seam(rgb: RGB, alpha: Mask) -> float:
    """How much the outline of the object looks cut: 0 = not at all, near 1 = all change happens within one pixel.

    Steps between neighbouring pixels that lie on either side of the outline (c, mean over all such pairs) are compared
    with the steps along the outline's normal up to 3.5 px beside it (n): (c - n) / (c + n + 4 grey levels). A camera
    or a good blend spreads the change from object to background over some pixels, so that n is like c; a hard cut does
    not. Texture raises both alike, and the contrast between object and background cancels out.
    """
    inside = alpha > _INSIDE
    if inside.all() or not inside.any():
        return 0.0
    distance = _signed_distance(inside)
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
    inside = alpha > _INSIDE
    if inside.all() or not inside.any():
        return 0.0
    distance, grey = _signed_distance(inside), _grey(rgb)
    depth = np.abs(distance)
    beside = (depth > _RIM_PX) & (depth <= _BACKGROUND_PX)
    within, has_within = _local_mean(grey, beside & inside)
    around, has_around = _local_mean(grey, beside & ~inside)
    excess = np.zeros(grey.shape, np.float32)
    for ring in (depth < _RIM_PX / 2, (depth >= _RIM_PX / 2) & (depth < _RIM_PX)):
        at, known = _local_mean(grey, ring & ~inside)
        beyond = np.maximum(at - np.maximum(within, around), np.minimum(within, around) - at)
        excess = np.maximum(excess, np.where(known, beyond, 0.0))
    judged = (depth < _RIM_PX) & ~inside & has_within & has_around
    return min(1.0, float(excess[judged].mean()) / _FULL_HALO) if judged.any() else 0.0


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
    grey = _grey(rgb)
    slope = np.zeros(grey.shape, np.float32)
    slope[:, 1:] += np.abs(np.diff(grey, axis=1)) * (background[:, 1:] & background[:, :-1])
    slope[1:] += np.abs(np.diff(grey, axis=0)) * (background[1:] & background[:-1])
    near, far = float(slope[along].mean()), float(slope[beyond].mean())
    return max(0.0, (near - far) / (near + far + 1.0))


def _near_object(alpha: Mask) -> tuple[slice, slice]:
    """Rows and columns of the object with all the background that the scores of its outline look at."""
    bounds = []
    for axis in (1, 0):
        occupied = np.flatnonzero(alpha.any(axis=axis))
        bounds.append(slice(max(0, int(occupied[0]) - _MARGIN_PX), int(occupied[-1]) + 1 + _MARGIN_PX))
    return bounds[0], bounds[1]


def _grey(rgb: RGB) -> NDArray[np.float32]:
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).astype(np.float32)


def _signed_distance(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Pixels to the outline: positive in the object, negative outside; ±0.5 in the pixels next to it."""
    inner = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    outer = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.where(inside, inner - 0.5, 0.5 - outer).astype(np.float32)


def _pairs(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values of neighbouring pixels along an axis."""
    return (values[:-1], values[1:]) if axis == 0 else (values[:, :-1], values[:, 1:])


def _local_mean(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> tuple[np.ndarray, NDArray[np.bool_]]:
    """Mean of the chosen pixels within a window round each pixel, and where the window holds any."""
    side = 2 * int(_BACKGROUND_PX) + 1
    chosen = where.astype(np.float32)
    count = cv2.boxFilter(chosen, cv2.CV_32F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    total = cv2.boxFilter(
        grey * chosen, cv2.CV_32F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return total / np.maximum(count, 1.0), count > 0.5
