"""Draw poses from ranges so that objects stay in view and apart.

`drawn_placements` draws them freely, as plans of version 1 do; `BalancedPoses` in balance within each class.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.balance import Turns
from pipeline.domain.placement import FOCAL, Box, Placement, box_corners, homography
from pipeline.domain.recipe_placement import Flip, PlacementRanges, Position

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
_DEGREE = math.pi / 180
_BEHIND = 4.0  # depth by which distractors stand behind all objects; more than heights on the canvas differ
_HALVES: tuple[Span, Span] = ((0.0, 0.5), (0.5, 1.0))


@dataclass(slots=True)
class _Standing:
    """An object on the canvas, as the quadrilateral of its box."""

    placement: Placement | _Pose
    corners: Sequence[tuple[float, float]] | NDArray[np.float32]  # of the outline, four of x, y in pixels
    bounds: tuple[float, float, float, float]  # left, upper, right and lower end of the outline
    area: float  # px²
    seen: float  # share of the area that lies on the canvas and under no other outline
    depth: float  # what has the larger one stands in front

    @property
    def outline(self) -> NDArray[np.float32]:
        """The corners as an array (4, 2), which is built once and only for objects that may touch others."""
        if not isinstance(self.corners, np.ndarray):
            self.corners = np.array(self.corners, np.float32)
        return self.corners


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
    if isinstance(pose, Placement):
        return pose
    x, y, scale, rotation, yaw, pitch, flip = pose
    return Placement(x=x, y=y, scale=scale, rotation=rotation, yaw=yaw, pitch=pitch, flip=flip)


def _add_best(standing: list[_Standing], tries: Iterable[_Standing], ranges: PlacementRanges) -> None:
    """Add the first object that keeps the ranges beside those that stand there already, or the best one."""
    least = math.inf
    best: tuple[_Standing, list[float]] | None = None
    for new in tries:
        lack, seen = _lack(new, standing, ranges, least)
        if lack < least:
            least, best = lack, (new, seen)
        if lack == 0:
            break
    assert best is not None
    standing.append(best[0])
    for other, share in zip(standing, best[1], strict=True):
        other.seen = share


def _add_fitting(
    standing: list[_Standing], tries: Iterable[_Standing], ranges: PlacementRanges
) -> _Standing | None:
    """Add the first object that keeps the ranges beside those that stand there already, and return it."""
    for new in tries:
        lack, seen = _lack(new, standing, ranges, 0.0)
        if lack == 0:
            standing.append(new)
            for other, share in zip(standing, seen, strict=True):
                other.seen = share
            return new
    return None


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
    (left, upper), (right, lower) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
    area = max(float(abs(cv2.contourArea(outline))), 1e-6)
    seen = _common(outline, _edge(size)) / area
    return _Standing(placement, outline, (left, upper, right, lower), area, seen, placement.y)


@cache
def _edge(size: tuple[int, int]) -> NDArray[np.float32]:
    """The corners of a canvas of `size` (height, width)."""
    height, width = size
    return np.array(
        [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]], np.float32
    )


def _lack(
    new: _Standing, others: Sequence[_Standing], ranges: PlacementRanges, enough: float
) -> tuple[float, list[float]]:
    """By how much a new object violates the ranges (0 = not), and the visible shares of the others and of it.

    Args:
        enough: where the violation reaches this, it is given as infinite: what follows could only add to it.
    """
    lack, own, seen = 0.0, new.seen, []
    depth, area, (left, upper, right, lower) = new.depth, new.area, new.bounds
    overlap, visible = ranges.overlap, ranges.min_visible
    enough += 2 * 10**-_DECIMALS  # more than rounding takes away
    for other in others:
        if lack + max(0.0, visible - own) > enough:
            return math.inf, []
        x0, y0, x1, y1 = other.bounds
        if x0 > right + 1 or x1 < left - 1 or y0 > lower + 1 or y1 < upper - 1:
            seen.append(other.seen)
            continue
        common = _common(new.outline, other.outline)
        lack += max(0.0, common / min(area, other.area) - overlap)
        if depth >= other.depth:  # in front
            left_over = other.seen - common / other.area
            lack += max(0.0, visible - left_over) - max(0.0, visible - other.seen)
            seen.append(left_over)
        else:
            own -= common / area
            seen.append(other.seen)
    lack += max(0.0, visible - own)
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


class _Cell(NamedTuple):
    """What one object's pose is drawn from: a part of each range, a quarter of the canvas, and how it is mirrored."""

    tilts: Sequence[Span]  # of scale, rotation, yaw and pitch
    across: Span  # of the canvas, or of where the ranges let the centre lie: 0 is left, 1 is right
    down: Span  # 0 is the upper edge, 1 the lower one
    mirrored: bool
    turned: bool


class _ClassTurns(NamedTuple):
    """What the poses of one class are drawn from, each in turn."""

    objects: Turns[int]
    quarter: Turns[int]
    flip: Turns[int]
    tilts: tuple[Turns[Span], ...]  # parts of the ranges of scale, rotation, yaw and pitch


@dataclass(frozen=True, slots=True)
class Room:
    """A canvas of `size` (height, width) with objects, behind which other things are to stand."""

    size: tuple[int, int]
    objects: Sequence[tuple[Placement, Box]]  # each with the extent of the object in its photo
    edge: float = 0.0  # above it nothing has its centre; a height from the top, as a share of the canvas

    def lowered(self, y: float) -> float:
        """Return a height on the canvas, 0 to 1, as the same height on the part below the edge."""
        return round(self.edge + (1 - self.edge) * y, _DECIMALS)


class BalancedPoses:
    """Draws the number of objects and their poses so that every class gets each part of each range equally often.

    The parts are the quarters of the canvas, equal parts of scale, rotation, yaw and pitch, mirrored or not. An object
    that finds no room in its parts takes other ones: the ranges that a recipe names come before the balance.

    Args:
        stream: gives a separate source of chance for each purpose.
    """

    def __init__(self, ranges: PlacementRanges, stream: Callable[[str], random.Random]) -> None:
        self._ranges, self._stream = ranges, stream
        self._turns: dict[str, _ClassTurns] = {}  # class → its turns
        self._spans = {
            name: [_span(getattr(ranges, name), part) for part in range(_PARTS)] for name in _TILTS
        }

    def number(self, _rng: random.Random, label: str) -> int:
        """Return how many objects the next sample of a class has."""
        return self._turns_of(label).objects.next()

    def placements(
        self, rng: random.Random, label: str, boxes: Sequence[Box], size: tuple[int, int]
    ) -> list[Placement]:
        """Draw a placement for each object; arguments and result as those of `drawn_placements`."""
        flips = self._ranges.flips(label)
        standing: list[_Standing] = []
        for box in boxes:
            poses = self._tries(rng.random, self._cell(label), flips)
            _add_best(standing, (_stood_fast(pose, box, size) for pose in poses), self._ranges)
        return [_placement(other.placement) for other in standing]

    def behind(
        self, rng: random.Random, label: str, things: Sequence[tuple[Box, Flip]], room: Room
    ) -> list[Placement | None]:
        """Draw placements of things that stand behind and beside the objects of a sample.

        None is larger than the largest object. The share of one that others cover, and that of the smaller of two boxes
        that overlap, keep to the ranges.

        Args:
            label: the class of the sample, within which poses are in balance.
            things: the box of each in its cut-out, and how it may be mirrored.

        Returns:
            None for a thing that finds no room.
        """
        standing = [_stood_fast(placement, box, room.size) for placement, box in room.objects]
        largest = max(placement.scale for placement, _ in room.objects)
        placements: list[Placement | None] = []
        for box, flips in things:
            poses = (
                pose._replace(scale=min(pose.scale, largest), y=room.lowered(pose.y))
                for pose in self._tries(rng.random, self._cell(label), flips)
            )
            tries = (replace(_stood_fast(pose, box, room.size), depth=pose.y - _BEHIND) for pose in poses)
            fitting = _add_fitting(standing, tries, self._ranges)
            placements.append(_placement(fitting.placement) if fitting else None)
        return placements

    def _tries(self, chance: Callable[[], float], cell: _Cell, flips: Flip) -> Iterator[_Pose]:
        """Draw poses: the later, the fewer parts bind."""
        position = self._ranges.position
        for attempt in range(_TRIES):
            if attempt == _PLACED:
                cell = cell._replace(across=(0.0, 1.0), down=(0.0, 1.0))
            elif attempt == _TILTED:
                cell = cell._replace(tilts=[getattr(self._ranges, name) for name in _TILTS])
            yield _drawn_in(chance, cell, position, flips)

    def _cell(self, label: str) -> _Cell:
        turns = self._turns_of(label)
        tilts = [of_range.next() for of_range in turns.tilts]
        down, across = divmod(turns.quarter.next(), 2)
        turned, mirrored = divmod(turns.flip.next(), 2)
        return _Cell(tilts, _HALVES[across], _HALVES[down], bool(mirrored), bool(turned))

    def _turns_of(self, label: str) -> _ClassTurns:
        turns = self._turns.get(label)
        if turns is None:
            low, high = self._ranges.objects

            def chance(name: str) -> random.Random:
                return self._stream(f"pose {name} {label}")

            turns = self._turns[label] = _ClassTurns(
                objects=Turns(range(low, high + 1), chance("objects")),
                quarter=Turns(range(4), chance("quarter")),
                flip=Turns(range(4), chance("flip")),
                tilts=tuple(Turns(spans, chance(name)) for name, spans in self._spans.items()),
            )
        return turns


def _span(span: Span, part: int) -> Span:
    step = (span[1] - span[0]) / _PARTS
    return span[0] + part * step, span[0] + (part + 1) * step


def _drawn_in(chance: Callable[[], float], cell: _Cell, position: Position, flips: Flip) -> _Pose:
    tilts, (left, right), (upper, lower), mirrored, turned = cell
    x, y = left + (right - left) * chance(), upper + (lower - upper) * chance()  # 0 to 1, between the edges
    if position is not Position.UNIFORM:
        x, y = _near(position, x), _near(position, y)
    (s0, s1), (r0, r1), (y0, y1), (p0, p1) = tilts
    scale = round(s0 + (s1 - s0) * chance(), _DECIMALS)
    rotation = round(r0 + (r1 - r0) * chance(), _DECIMALS)
    yaw = round(y0 + (y1 - y0) * chance(), _DECIMALS)
    pitch = round(p0 + (p1 - p0) * chance(), _DECIMALS)
    if turned and flips is Flip.ANY:
        rotation = _half_turned(rotation)
    flip = mirrored and flips is not Flip.NONE
    return _Pose(round(x, _DECIMALS), round(y, _DECIMALS), scale, rotation, yaw, pitch, flip)


def _near(position: Position, share: float) -> float:
    """Move a coordinate, 0 to 1, to one of the thirds or the middle."""
    if position is Position.CENTRED:
        return 0.5 + _NEAR * (2 * share - 1)
    near, within = divmod(min(share * 2, 2 - 1e-9), 1.0)
    return (1 + near) / 3 + _NEAR * (2 * within - 1)


def _stood_fast(placement: Placement | _Pose, box: Box, size: tuple[int, int]) -> _Standing:
    """Return what `_stood` returns, up to the rounding of numbers, in a tenth of the time."""
    corners = box_outline(placement, box, size)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    doubled = dx * ay - ax * dy + (ax * by - bx * ay) + (bx * cy - cx * by) + (cx * dy - dx * cy)
    bounds = min(ax, bx, cx, dx), min(ay, by, cy, dy), max(ax, bx, cx, dx), max(ay, by, cy, dy)
    standing = _Standing(placement, corners, bounds, max(abs(doubled) / 2, 1e-6), 1.0, placement.y)
    height, width = size
    inside = (
        bounds[0] >= -0.5 and bounds[1] >= -0.5 and bounds[2] <= width - 0.5 and bounds[3] <= height - 0.5
    )
    if not inside:
        standing.seen = _common(standing.outline, _edge(size)) / standing.area
    return standing


def box_outline(placement: Placement | _Pose, box: Box, size: tuple[int, int]) -> list[tuple[float, float]]:
    """Return the corners of a photo box on the canvas: those of `box_corners` with the `homography`, without arrays."""
    wide, high = box[2] - box[0], box[3] - box[1]
    long = max(wide, high)
    sin, cos = math.sin, math.cos
    roll, yaw, pitch = placement.rotation * _DEGREE, placement.yaw * _DEGREE, placement.pitch * _DEGREE
    cr, sr, cy, sy, cp, sp = cos(roll), sin(roll), cos(yaw), sin(yaw), cos(pitch), sin(pitch)
    height, width = size
    x, y = placement.x * width - 0.5, placement.y * height - 0.5
    size_px = placement.scale * min(height, width) * FOCAL
    half, tall = (-wide if placement.flip else wide) / long / 2, high / long / 2
    # the corners are (±half, ±tall) on the object's plane: their products differ in sign only
    across, right = (cr * cy + sr * sp * sy) * half, sr * cp * tall
    below, down = (cr * sp * sy - sr * cy) * half, cr * cp * tall
    away, up = cp * sy * half, sp * tall
    px, py, qx, qy = across + right, below + down, across - right, below - down
    first, third = size_px / (up - away + FOCAL), size_px / (away - up + FOCAL)
    second, fourth = size_px / (away + up + FOCAL), size_px / (-away - up + FOCAL)
    return [
        (x - first * px, y - first * py),
        (x + second * qx, y + second * qy),
        (x + third * px, y + third * py),
        (x - fourth * qx, y - fourth * qy),
    ]
