"""Automatic scores of an image, and the quality gates that keep samples out of the data set.

Every score is a pure function of pixels and lies in 0 to 1; whether high or low is good depends on the score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask, grey
from pipeline.domain.outline_scores import INSIDE, REACH_PX, band, fringe, halo, rim, seam, signed_distance
from pipeline.errors import SizeMismatch

Scores = dict[str, float]

LIMITS = Path(__file__).with_name("gate_limits.json")  # written by `python -m benchmarks.gates --write`
_SENTENCE = re.compile(r"(?P<gate>\w+) (?P<value>\S+), limit (?P<limit>\S+)")
_BLACK, _WHITE = 2, 253
_SHARP = 20.0  # standard deviation of the Laplacian, in grey levels, that counts as 0.63 sharp
_CLEAR_PX = 3.0  # what lies nearer to the outline tells of the cut, not of object or background
_LEAST_PIXELS = 150  # of an object or background whose sharpness can be told
_FINE_PX = (0.8, 1.6)  # standard deviations of the blurs that part fine detail from coarse
_STEP = 0.3  # grey levels: the noise of rounding to whole ones


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
    is_graded: bool = True  # whether a passing score is the better, the further it is from the limit

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
        subject = _MEASURED.get(self.gate, self.gate)
        value, limit = _percent(self.value), _percent(self.limit)
        if value == limit:
            value = _percent(self.value, digits=2)
        return f"{subject}: {value}, limit {limit}"

    @classmethod
    def parse(cls, sentence: str) -> GateFailure:
        """Return the failure that a sentence such as "seam 0.41, limit 0.30" of earlier versions tells.

        Raises:
            ValueError: the sentence is another one.
        """
        match = _SENTENCE.fullmatch(sentence)
        if match is None:
            raise ValueError(f"'{sentence}' is not a gate failure such as 'seam 0.41, limit 0.30'")
        return cls(match["gate"], float(match["value"]), float(match["limit"]))


_MEASURED = {
    "sharpness": "Sharpness",
    "clipped": "Over- or under-exposed",
    "contrast": "Contrast",
    "seam": "Outline looks cut",
    "halo": "Halo around the object",
    "fringe": "Fringe around the object",
    "object_share": "Part of the image that the object covers",
    "novelty": "Unlike the other images of the class",
    "over_exposed": "Over-exposed",  # of the background
    "under_exposed": "Under-exposed",
    "rim": "Outline with a light rim",
    "sharpness_gap": "Object sharper than its background",
    "visible": "Visible part of the object",
    "exact": "Unchanged pixels of the object",
    "expansion": "Object continued in the background",
    "second_object": "Another object of the class in the background",
    "recognised": "Recognised as its class",
    "duplicate": "Near-duplicate of another image",
    "band": "Band around the object",
}
"""What each score measures, as messages say it: every score that a sample may have."""

SCORE_NAMES = tuple(_MEASURED)  # in the order in which they came into use: releases keep it
MEASURED_LATER = ("expansion", "second_object", "recognised", "duplicate")
"""Scores that need networks; they are computed on request, for samples that are rendered already."""

_AT_LEAST = ("exact", "visible", "object_share", "contrast", "sharpness", "recognised")  # the others: at most
_NOT_GRADED = ("exact", "visible", "duplicate")
_STRICT = ("sharpness_gap",)


def default_direction(name: str) -> Direction:
    """On which side of a limit a score is good."""
    return Direction.AT_LEAST if name in _AT_LEAST else Direction.AT_MOST


def _gates() -> tuple[Gate, ...]:
    limits: dict[str, float] = json.loads(LIMITS.read_text(encoding="utf-8"))
    return tuple(
        Gate(
            name,
            limit,
            default_direction(name),
            is_graded=name not in _NOT_GRADED,
        )
        for name, limit in limits.items()
    )


_ALL_GATES = _gates()
DEFAULT_GATES = tuple(gate for gate in _ALL_GATES if gate.name not in _STRICT)
STRICT_GATES = tuple(gate for gate in _ALL_GATES if gate.name in _STRICT)
"""Gates that apply on request only: a model whose decoder blurs fails them with most of its images."""


def _percent(share: float, digits: int = 0) -> str:
    return f"{share * 100:.{digits}f} %"


def scores(rgb: RGB, alpha: Mask, *, objects: Mask | None = None) -> Scores:
    """Compute all scores of an image; those of the object and its outline only where there is an object.

    Args:
        rgb: (H, W, 3) uint8, the finished image.
        alpha: (H, W) 255 = object, 0 = background, between = blended; 0 everywhere where no object was placed.
        objects: the part of `alpha` whose share of the image and whose sharpness count, where distractors were placed
            as well: their outlines must be clean, too.

    Raises:
        SizeMismatch: the two differ in size.
    """
    if rgb.shape[:2] != alpha.shape:
        raise SizeMismatch(image=rgb.shape[:2], mask=alpha.shape)
    dark, light = _black_and_white(rgb)
    free = alpha == 0  # an object is as its photo has it
    counted = free if free.any() else np.ones_like(free)
    values = {
        "sharpness": sharpness(rgb),
        "clipped": float((dark | light).mean()),
        "over_exposed": float(light[counted].mean()),
        "under_exposed": float(dark[counted].mean()),
        "contrast": contrast(rgb),
    }
    if alpha.any():
        near = _near_object(alpha)  # what lies further off says nothing about the outline
        values |= {score.__name__: score(rgb[near], alpha[near]) for score in (seam, halo, rim, fringe, band)}
        counted_objects = alpha if objects is None else objects
        values["object_share"] = object_share(counted_objects)
        gap = sharpness_gap(rgb, alpha, objects=counted_objects)
        values |= {} if gap is None else {"sharpness_gap": gap}
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
        if gate.name in values and gate.is_graded
    ]
    return min([*margins, 1.0])


def sharpness(rgb: RGB) -> float:
    """0 for a flat or fully blurred image, near 1 for fine detail: 1 - exp(-σ / 20), σ of the Laplacian of grey."""
    spread = float(cv2.Laplacian(grey(rgb), cv2.CV_32F).std())
    return 1.0 - float(np.exp(-spread / _SHARP))


def sharpness_gap(rgb: RGB, alpha: Mask, *, objects: Mask | None = None) -> float | None:
    """How much sharper the object is than its background, 0 to 1; None where either is too small to tell.

    A CNN that sees sharp objects on soft backgrounds alone learns that everything sharp is the object. How sharp a part
    is tells the ratio of its finest detail (what a blur of 0.8 px takes away) to the next coarser one (what a blur of
    1.6 px takes away besides): a blur lowers it much, a weaker texture does not. The difference of the ratios more than
    3 px inside the object and more than 3 px outside; 0 where the background is the sharper one.

    Args:
        objects: the part of `alpha` that is compared with the background; None for all of it.
    """
    distance = signed_distance(alpha > INSIDE)
    within, around = distance > _CLEAR_PX, distance < -_CLEAR_PX
    if objects is not None:
        within &= objects > INSIDE
    if min(np.count_nonzero(within), np.count_nonzero(around)) < _LEAST_PIXELS:
        return None
    tone = grey(rgb)
    soft, softer = (cv2.GaussianBlur(tone, (0, 0), sigma) for sigma in _FINE_PX)
    fine, coarse = tone - soft, soft - softer
    ratios = [float(fine[part].std()) / (float(coarse[part].std()) + _STEP) for part in (within, around)]
    return float(np.clip(ratios[0] - ratios[1], 0.0, 1.0))


def clipped(rgb: RGB) -> float:
    """Share of the pixels that are black or white in all channels: lost to under- or over-exposure."""
    dark, light = _black_and_white(rgb)
    return float((dark | light).mean())


def _black_and_white(rgb: RGB) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pixels are black and which are white in all channels; (H, W) each."""
    red, green, blue = cv2.split(np.ascontiguousarray(rgb))
    dark = np.maximum(np.maximum(red, green), blue) <= _BLACK
    return dark, np.minimum(np.minimum(red, green), blue) >= _WHITE


def contrast(rgb: RGB) -> float:
    """Brightness between the 1st and the 99th percentile, as a share of the whole range."""
    low, high = np.percentile(grey(rgb), (1, 99))
    return float(high - low) / 255


def object_share(alpha: Mask) -> float:
    """Share of the image that the object covers."""
    return float(alpha.mean(dtype=np.float64)) / 255


def _near_object(alpha: Mask) -> tuple[slice, slice]:
    """Rows and columns of the object with all the background that the scores of its outline look at."""
    bounds = []
    for axis in (1, 0):
        occupied = np.flatnonzero(alpha.any(axis=axis))
        bounds.append(slice(max(0, int(occupied[0]) - REACH_PX), int(occupied[-1]) + 1 + REACH_PX))
    return bounds[0], bounds[1]
