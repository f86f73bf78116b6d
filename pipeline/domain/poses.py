"""Draw poses from ranges so that objects stay in view and apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.placement import Box, Placement, box_corners, homography
from pipeline.domain.recipe import Flip, PlacementRanges, Position

_TRIES = 40
_DECIMALS = 4
_NEAR = 0.06  # how far "near" a third or the middle is, as a share of the canvas


@dataclass(slots=True)
class _Standing:
    """An object on the canvas, as the quadrilateral of its box."""

    placement: Placement
    outline: NDArray[np.float32]  # (4, 2) x, y in pixels
    area: float  # px²
    seen: float  # share of the area that lies on the canvas and under no other outline


def drawn_placements(
    rng: random.Random,
    ranges: PlacementRanges,
    boxes: Sequence[Box],
    size: tuple[int, int],
    *,
    flips: Flip = Flip.NONE,
) -> list[Placement]:
    """Draw a placement for each object, in the order of the boxes; the best of 40 tries where the ranges leave no room.

    An object lower on the canvas is nearer and covers those above it; with equal y the later covers the earlier.
    Visible and covered shares are those of the objects' boxes.

    Args:
        rng: only `random()` is called.
        boxes: the extent of each object in its photo.
        size: (height, width) of the canvas.
        flips: how this class may be mirrored.
    """
    standing: list[_Standing] = []
    for box in boxes:
        best: tuple[float, _Standing, list[float]] | None = None
        for _ in range(_TRIES):
            new = _stood(_drawn(rng, ranges, flips), box, size)
            lack, seen = _lack(new, standing, ranges)
            if best is None or lack < best[0]:
                best = (lack, new, seen)
            if lack == 0:
                break
        assert best is not None
        standing.append(best[1])
        for other, share in zip(standing, best[2], strict=True):
            other.seen = share
    return [other.placement for other in standing]


def foot(placement: Placement, box: Box, size: tuple[int, int]) -> float:
    """Return where an object's box ends below, from the top of the canvas, as a share of the canvas; 4 decimals."""
    lowest = float(box_corners(box, homography(placement, box, size))[:, 1].max())
    return round(lowest / size[0], _DECIMALS)


def _drawn(rng: random.Random, ranges: PlacementRanges, flips: Flip) -> Placement:
    x, y = _centre(rng, ranges.position)

    def between(span: tuple[float, float]) -> float:
        return round(span[0] + (span[1] - span[0]) * rng.random(), _DECIMALS)

    scale, rotation = between(ranges.scale), between(ranges.rotation)
    yaw, pitch = between(ranges.yaw), between(ranges.pitch)
    mirrored, turned = rng.random() < 0.5, rng.random() < 0.5
    if flips is Flip.ANY and turned:  # mirrored top to bottom = left to right and half a turn
        rotation = round(rotation + (180 if rotation <= 0 else -180), _DECIMALS)
    return Placement(
        x=x,
        y=y,
        scale=scale,
        rotation=rotation,
        yaw=yaw,
        pitch=pitch,
        flip=mirrored and flips is not Flip.NONE,
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


def _stood(placement: Placement, box: Box, size: tuple[int, int]) -> _Standing:
    """An object on an otherwise empty canvas."""
    outline = box_corners(box, homography(placement, box, size))
    height, width = size
    edge = np.array(
        [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]], np.float32
    )
    area = max(float(abs(cv2.contourArea(outline))), 1e-6)
    return _Standing(placement, outline, area, _common(outline, edge) / area)


def _lack(new: _Standing, others: Sequence[_Standing], ranges: PlacementRanges) -> tuple[float, list[float]]:
    """By how much a new object violates the ranges (0 = not), and the visible shares of the others and of it."""
    lack, own, seen = 0.0, new.seen, []
    for other in others:
        common = _common(new.outline, other.outline)
        lack += max(0.0, common / min(new.area, other.area) - ranges.overlap)
        in_front = new.placement.y >= other.placement.y
        own -= 0.0 if in_front else common / new.area
        seen.append(other.seen - (common / other.area if in_front else 0.0))
        lack += max(0.0, ranges.min_visible - seen[-1]) - max(0.0, ranges.min_visible - other.seen)
    lack += max(0.0, ranges.min_visible - own)
    return round(lack, _DECIMALS), [*seen, own]  # rounded, so that it is the same on every machine


def _common(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(cv2.intersectConvexConvex(first, second)[0])
