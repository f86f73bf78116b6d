"""Poses drawn from ranges so that objects stay in view and apart."""

from __future__ import annotations

import random
from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.domain.placement import Box, Placement, box_corners, homography
from pipeline.domain.recipe import PlacementRanges, Position

_TRIES = 40
_DECIMALS = 4
_NEAR = 0.06  # how far "near" a third or the middle is, as a share of the canvas


def drawn_placements(
    rng: random.Random, ranges: PlacementRanges, boxes: Sequence[Box], size: tuple[int, int], *, flips: bool
) -> list[Placement]:
    """A placement for each object, back to front; the best of 40 tries where the ranges leave no room.

    Args:
        rng: only `random()` is called.
        boxes: the extent of each object in its photo.
        size: (height, width) of the canvas.
        flips: whether this class may be mirrored.
    """
    placed: list[Placement] = []
    outlines: list[np.ndarray] = []
    for box in boxes:
        candidates = []
        for _ in range(_TRIES):
            placement = _drawn(rng, ranges, flips=flips)
            outline = box_corners(box, homography(placement, box, size))
            lack = max(0.0, ranges.min_visible - _inside(outline, size))
            lack += sum(max(0.0, _shared(outline, other) - ranges.overlap) for other in outlines)
            candidates.append((lack, len(candidates), placement, outline))
            if lack == 0:
                break
        _, _, placement, outline = min(candidates, key=lambda one: one[:2])
        placed.append(placement)
        outlines.append(outline)
    return placed


def _drawn(rng: random.Random, ranges: PlacementRanges, *, flips: bool) -> Placement:
    x, y = _centre(rng, ranges.position)

    def between(span: tuple[float, float]) -> float:
        return round(span[0] + (span[1] - span[0]) * rng.random(), _DECIMALS)

    return Placement(
        x=x,
        y=y,
        scale=between(ranges.scale),
        rotation=between(ranges.rotation),
        yaw=between(ranges.yaw),
        pitch=between(ranges.pitch),
        flip=rng.random() < 0.5 and flips,
    )


def _centre(rng: random.Random, position: Position) -> tuple[float, float]:
    first, second = rng.random(), rng.random()
    match position:
        case Position.UNIFORM:
            x, y = first, second
        case Position.THIRDS:
            x = (1 if rng.random() < 0.5 else 2) / 3 + _NEAR * (2 * first - 1)
            y = (1 if rng.random() < 0.5 else 2) / 3 + _NEAR * (2 * second - 1)
        case Position.CENTRED:
            x, y = 0.5 + _NEAR * (2 * first - 1), 0.5 + _NEAR * (2 * second - 1)
    return round(x, _DECIMALS), round(y, _DECIMALS)


def _inside(outline: np.ndarray, size: tuple[int, int]) -> float:
    """Share of an outline's area that lies on the canvas."""
    height, width = size
    edge = np.array(
        [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]], np.float32
    )
    return _common(outline, edge) / max(_area(outline), 1e-6)


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    """Common area as a share of the smaller outline."""
    return _common(first, second) / max(min(_area(first), _area(second)), 1e-6)


def _common(first: np.ndarray, second: np.ndarray) -> float:
    return float(cv2.intersectConvexConvex(first, second)[0])


def _area(outline: np.ndarray) -> float:
    return float(abs(cv2.contourArea(outline)))
