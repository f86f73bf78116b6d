"""Draw poses from ranges so that objects stay in view and apart.

`drawn_placements` draws them freely, as plans of version 1 do; `BalancedPoses` in balance within each class.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.balance import Turns
from pipeline.domain.placement import FOCAL, Box, Placement, box_corners, homography
from pipeline.domain.recipe import Flip, PlacementRanges, Position

_TRIES = 40
_DECIMALS = 4
_NEAR = 0.06  # how far "near" a third or the middle is, as a share of the canvas
_PARTS = 4  # equal parts of a range that a class gets equally often
_PLACED, _TILTED = (
    20,
    30,
)  # tries after which a pose leaves its quarter of the canvas, and its parts of the ranges
_TILTS = ("scale", "rotation", "yaw", "pitch")
Span = tuple[float, float]


@dataclass(slots=True)
class _Standing:
    """An object on the canvas, as the quadrilateral of its box."""

    placement: Placement | _Pose
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
        tries = (_stood(_drawn(rng, ranges, flips), box, size) for _ in range(_TRIES))
        _add_best(standing, tries, ranges)
    return [_placement(other.placement) for other in standing]


def _placement(pose: Placement | _Pose) -> Placement:
    return pose if isinstance(pose, Placement) else Placement(**pose._asdict())


def _add_best(standing: list[_Standing], tries: Iterable[_Standing], ranges: PlacementRanges) -> None:
    """Add the first object that keeps the ranges beside those that stand there already, or the best one."""
    best: tuple[float, _Standing, list[float]] | None = None
    for new in tries:
        lack, seen = _lack(new, standing, ranges)
        if best is None or lack < best[0]:
            best = (lack, new, seen)
        if lack == 0:
            break
    assert best is not None
    standing.append(best[1])
    for other, share in zip(standing, best[2], strict=True):
        other.seen = share


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
        rotation = _half_turned(rotation)
    return Placement(
        x=x,
        y=y,
        scale=scale,
        rotation=rotation,
        yaw=yaw,
        pitch=pitch,
        flip=mirrored and flips is not Flip.NONE,
    )


def _half_turned(rotation: float) -> float:
    return round(rotation + (180 if rotation <= 0 else -180), _DECIMALS)


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
    area = max(float(abs(cv2.contourArea(outline))), 1e-6)
    return _Standing(placement, outline, area, _common(outline, _edge(size)) / area)


@cache
def _edge(size: tuple[int, int]) -> NDArray[np.float32]:
    """The corners of a canvas of `size` (height, width)."""
    height, width = size
    return np.array(
        [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]], np.float32
    )


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


class _Pose(NamedTuple):
    """A pose of which only the last one becomes a `Placement`, which checks its values."""

    x: float
    y: float
    scale: float
    rotation: float
    yaw: float
    pitch: float
    flip: bool


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one object's pose is drawn from: a part of each range, a quarter of the canvas, and how it is mirrored."""

    scale: Span
    rotation: Span
    yaw: Span
    pitch: Span
    across: Span  # of the canvas, or of where the ranges let the centre lie: 0 is left, 1 is right
    down: Span  # 0 is the upper edge, 1 the lower one
    mirrored: bool
    turned: bool


class BalancedPoses:
    """Draws the number of objects and their poses so that every class gets each part of each range equally often.

    The parts are the quarters of the canvas, equal parts of scale, rotation, yaw and pitch, mirrored or not. An object
    that finds no room in its parts takes other ones: the ranges that a recipe names come before the balance.

    Args:
        stream: gives a separate source of chance for each purpose.
    """

    def __init__(self, ranges: PlacementRanges, stream: Callable[[str], random.Random]) -> None:
        low, high = ranges.objects
        self._ranges, self._stream = ranges, stream
        self._parts = {"objects": high - low + 1, "quarter": 4, "flip": 4, **dict.fromkeys(_TILTS, _PARTS)}
        self._turns: dict[tuple[str, str], Turns[int]] = {}

    def number(self, label: str) -> int:
        """Return how many objects the next sample of a class has."""
        return self._ranges.objects[0] + self._part("objects", label)

    def placements(
        self, rng: random.Random, label: str, boxes: Sequence[Box], size: tuple[int, int]
    ) -> list[Placement]:
        """Draw a placement for each object; arguments and result as those of `drawn_placements`."""
        flips = self._ranges.flips(label)
        standing: list[_Standing] = []
        for box in boxes:
            cell = self._cell(label)
            poses = (
                _drawn_in(rng, self._widened(cell, attempt), self._ranges, flips) for attempt in range(_TRIES)
            )
            _add_best(standing, (_stood_fast(pose, box, size) for pose in poses), self._ranges)
        return [_placement(other.placement) for other in standing]

    def _cell(self, label: str) -> _Cell:
        tilts = {name: _span(getattr(self._ranges, name), self._part(name, label)) for name in _TILTS}
        down, across = divmod(self._part("quarter", label), 2)
        turned, mirrored = divmod(self._part("flip", label), 2)
        return _Cell(
            **tilts,
            across=(across / 2, (across + 1) / 2),
            down=(down / 2, (down + 1) / 2),
            mirrored=bool(mirrored),
            turned=bool(turned),
        )

    def _part(self, name: str, label: str) -> int:
        turns = self._turns.get((name, label))
        if turns is None:
            turns = Turns(range(self._parts[name]), self._stream(f"pose {name} {label}"))
            self._turns[name, label] = turns
        return turns.next()

    def _widened(self, cell: _Cell, attempt: int) -> _Cell:
        """Return the cell of a try: the later, the fewer parts bind."""
        if attempt >= _PLACED:
            cell = replace(cell, across=(0.0, 1.0), down=(0.0, 1.0))
        if attempt >= _TILTED:
            cell = replace(cell, **{name: getattr(self._ranges, name) for name in _TILTS})
        return cell


def _span(span: Span, part: int) -> Span:
    step = (span[1] - span[0]) / _PARTS
    return span[0] + part * step, span[0] + (part + 1) * step


def _drawn_in(rng: random.Random, cell: _Cell, ranges: PlacementRanges, flips: Flip) -> _Pose:
    def between(span: Span) -> float:
        return round(span[0] + (span[1] - span[0]) * rng.random(), _DECIMALS)

    x, y = (_coordinate(ranges.position, span, rng.random()) for span in (cell.across, cell.down))
    scale, rotation = between(cell.scale), between(cell.rotation)
    yaw, pitch = between(cell.yaw), between(cell.pitch)
    if flips is Flip.ANY and cell.turned:
        rotation = _half_turned(rotation)
    mirrored = cell.mirrored and flips is not Flip.NONE
    return _Pose(x, y, scale, rotation, yaw, pitch, mirrored)


def _coordinate(position: Position, span: Span, chance: float) -> float:
    share = span[0] + (span[1] - span[0]) * chance  # 0 to 1, from one edge to the other
    match position:
        case Position.THIRDS:
            near, within = divmod(min(share * 2, 2 - 1e-9), 1.0)
            share = (1 + near) / 3 + _NEAR * (2 * within - 1)
        case Position.CENTRED:
            share = 0.5 + _NEAR * (2 * share - 1)
    return round(share, _DECIMALS)


def _stood_fast(placement: _Pose, box: Box, size: tuple[int, int]) -> _Standing:
    """Return what `_stood` returns, up to the rounding of numbers, in a tenth of the time."""
    corners = box_outline(placement, box, size)
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    doubled = sum(xs[at - 1] * ys[at] - xs[at] * ys[at - 1] for at in range(4))
    outline, area = np.array(corners, np.float32), max(abs(doubled) / 2, 1e-6)
    height, width = size
    inside = min(xs) >= -0.5 and min(ys) >= -0.5 and max(xs) <= width - 0.5 and max(ys) <= height - 0.5
    return _Standing(placement, outline, area, 1.0 if inside else _common(outline, _edge(size)) / area)


def box_outline(placement: Placement | _Pose, box: Box, size: tuple[int, int]) -> list[tuple[float, float]]:
    """Return the corners of a photo box on the canvas: those of `box_corners` with the `homography`, without arrays."""
    wide, high = box[2] - box[0], box[3] - box[1]
    long = max(wide, high)
    roll, yaw, pitch = (math.radians(angle) for angle in (placement.rotation, placement.yaw, placement.pitch))
    cr, sr, cy, sy = math.cos(roll), math.sin(roll), math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    across, right = cr * cy + sr * sp * sy, sr * cp
    below, down = cr * sp * sy - sr * cy, cr * cp
    height, width = size
    x, y = placement.x * width - 0.5, placement.y * height - 0.5
    size_px = placement.scale * min(height, width) * FOCAL
    half, tall = (-wide if placement.flip else wide) / long / 2, high / long / 2
    corners = []
    for u, v in ((-half, -tall), (half, -tall), (half, tall), (-half, tall)):
        reach = size_px / (cp * sy * u - sp * v + FOCAL)
        corners.append((x + reach * (across * u + right * v), y + reach * (below * u + down * v)))
    return corners
