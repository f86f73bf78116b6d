"""Drawn backgrounds: floors, rooms and tables, as a tilted camera sees them under a lamp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from pipeline.domain.images import RGB
from pipeline.domain.look import Ground
from pipeline.starter.grounds import DRAWERS, TABLE_TOPS, WALLS, Drawer
from pipeline.starter.light import developed
from pipeline.starter.shapes import Field

DRAWN_COUNT = 52  # each of thirteen kinds on two floors and in one room; as many tables as rooms
_SEED = 4  # keeps these random numbers apart from those of the other sets
_FINER = 2  # supersampling in each direction
_USUAL_PX = 128  # side at which a tile has its natural scale
_TEXELS = (1.5, 3.0)  # of a tile, across a pixel in the middle of the image
_LEVELS = 4  # of ever coarser tiles
_GAMMA = 2.2
_SUN = (
    (1.0, 0.97, 0.92),
    (1.0, 0.86, 0.68),
    (0.88, 0.95, 1.0),
    (1.0, 1.0, 1.0),
)  # daylight, lamp, sky, neutral


class Composition(StrEnum):
    """What is built of drawn surfaces."""

    FLOOR = "floor"  # seen from above, without an edge
    ROOM = "room"  # a floor in front of a wall
    TABLE = "table"  # a table top in front of a wall out of focus


_PITCHES = {  # degrees below the horizon
    Composition.FLOOR: (42.0, 88.0),
    Composition.ROOM: (18.0, 34.0),
    Composition.TABLE: (16.0, 32.0),
}
_EDGES = {
    Composition.ROOM: (0.18, 0.42),
    Composition.TABLE: (0.15, 0.4),
}  # where the ground ends, from the top
_ORDER = (Composition.FLOOR, Composition.ROOM, Composition.FLOOR, Composition.TABLE)


@dataclass(frozen=True, slots=True)
class DrawnBackground:
    """A background (size, size, 3) uint8 and what is known of its ground."""

    rgb: RGB
    ground: Ground
    composition: Composition


def drawn_backgrounds(
    *, size_px: int, count: int = DRAWN_COUNT, seed: int = 0, first: int = 0
) -> Iterator[DrawnBackground]:
    """Draw backgrounds without any photo: half of them floors, a quarter rooms, a quarter tables; kinds take turns.

    Args:
        first: the number of the first that is drawn, from 0; those before it are left out.
    """
    for number in range(first, count):
        rng = np.random.default_rng([seed, _SEED, number])
        composition = _ORDER[number % len(_ORDER)]
        turn = number // len(_ORDER) if composition is not Composition.FLOOR else number // 2
        yield _drawn(composition, turn, size_px, rng)


def _drawn(composition: Composition, turn: int, size_px: int, rng: np.random.Generator) -> DrawnBackground:
    low, high = _PITCHES[composition]
    ground = Ground(
        pitch=round(float(rng.uniform(low, high)), 2),
        edge=round(float(rng.uniform(*_EDGES[composition])), 4) if composition in _EDGES else 0.0,
        azimuth=round(
            float(rng.uniform(0, 360) if composition is Composition.FLOOR else rng.uniform(15, 165)), 2
        ),
        elevation=round(float(rng.uniform(30, 70)), 2),
    )
    kinds = TABLE_TOPS if composition is Composition.TABLE else DRAWERS
    view = _view(ground, size_px, rng)
    light = _seen_floor(kinds[turn % len(kinds)], view, ground, rng)
    if composition in _EDGES:
        wall = _seen_wall(WALLS[int(rng.integers(len(WALLS)))], view, ground, rng)
        light = _joined(light, wall, ground, rng, blurred=composition is Composition.TABLE)
    light = light * _lamp(ground, len(light), rng)
    small = cv2.resize(light, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return DrawnBackground(developed(small), ground, composition)


@dataclass(frozen=True, slots=True)
class _View:
    """A camera over the ground; lengths are texels of a tile or pixels of the finer raster."""

    side: int  # pixels
    focal: float  # pixels
    height: float  # of the camera over the ground, texels
    pitch: float  # radians below the horizon

    def to_ground(self) -> np.ndarray:
        """Return the (3, 3) matrix from pixels to the ground: texels to the right and towards the viewer."""
        sin, cos, middle = np.sin(self.pitch), np.cos(self.pitch), (self.side - 1) / 2
        rays = np.array(
            [
                [self.height, 0, 0],
                [0, self.height * sin, -self.height * self.focal * cos],
                [0, cos, self.focal * sin],
            ]
        )
        return rays @ np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, 1.0]])

    def texels(self) -> Field:
        """Return how many texels a pixel spans in each row, as the geometric mean of both directions: (side,)."""
        rows = np.arange(self.side) - (self.side - 1) / 2
        depth = np.maximum(self.focal * np.sin(self.pitch) + rows * np.cos(self.pitch), 1e-3)
        across = self.height / depth
        along = self.height * self.focal / depth**2
        return np.sqrt(across * along).astype(np.float32)


def _view(ground: Ground, size_px: int, rng: np.random.Generator) -> _View:
    side = size_px * _FINER
    focal = float(side * rng.uniform(1.1, 2.0))
    texels = float(rng.uniform(*_TEXELS)) * _USUAL_PX / side
    pitch = float(np.radians(ground.pitch))
    return _View(side, focal, texels * focal * np.sin(pitch), pitch)


def _seen_floor(drawer: Drawer, view: _View, ground: Ground, rng: np.random.Generator) -> Field:
    """Return the (side, side, 3) linear colour of a ground; what lies beyond the horizon must not be used."""
    heading = float(rng.uniform(0, 2 * np.pi))
    azimuth = np.radians(ground.azimuth)
    cos, sin = np.cos(heading), np.sin(heading)
    travel = np.array([[cos, -sin], [sin, cos]]) @ np.array([-np.cos(azimuth), np.sin(azimuth)])
    tile = drawer(rng, float(np.arctan2(travel[1], travel[0])))
    middle = np.array(tile.shape[1::-1]) * rng.uniform(0.3, 0.7, 2)
    nearest = view.height / np.tan(
        view.pitch
    )  # where the middle of the image meets the ground, ahead of the camera
    turn = np.array([[cos, -sin, middle[0]], [sin, cos, middle[1]], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, 1, nearest], [0, 0, 1.0]]
    )
    return _sampled(tile, turn @ view.to_ground(), view.texels())


def _seen_wall(drawer: Drawer, view: _View, ground: Ground, rng: np.random.Generator) -> Field:
    """Return the (side, side, 3) linear colour of an upright wall at the ground's far edge."""
    travel = np.arctan2(0.8, -np.cos(np.radians(ground.azimuth)))
    tile = drawer(rng, float(travel))
    texels = float(view.texels()[round(ground.edge * view.side)]) * float(rng.uniform(0.5, 0.8))
    origin = np.array(tile.shape[1::-1]) * rng.uniform(0.1, 0.5, 2)
    matrix = np.array([[texels, 0, origin[0]], [0, texels, origin[1]], [0, 0, 1.0]])
    return _sampled(tile, matrix, np.full(view.side, texels, np.float32)) * np.float32(rng.uniform(0.45, 1.0))


def _sampled(tile: Field, to_tile: np.ndarray, texels: Field) -> Field:
    """Look up a tile, mirrored beyond its borders, at the coarseness that each row needs; linear colours."""
    linear = np.clip(tile, 0, 1).astype(np.float32) ** np.float32(_GAMMA)
    level = np.clip(np.log2(np.maximum(texels, 1.0)), 0, _LEVELS - 1)
    side = len(texels)
    seen = np.zeros((side, side, 3), np.float32)
    for number in range(_LEVELS):
        share = np.clip(1 - np.abs(level - number), 0, 1)
        if share.any():
            scale = 0.5**number
            coarse = cv2.resize(linear, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            matrix = np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5], [0, 0, 1]]) @ to_tile
            seen += share[:, None, None] * cv2.warpPerspective(
                coarse, matrix, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT_101,
            )  # fmt: skip
    return seen


def _joined(floor: Field, wall: Field, ground: Ground, rng: np.random.Generator, *, blurred: bool) -> Field:
    """Put a wall behind the far edge of a ground; the corner between them is darker, a table's edge is not."""
    side = len(floor)
    slope = float(rng.normal(0, 0.015))
    steps = np.arange(side, dtype=np.float32)
    below = steps[:, None] - (ground.edge * side + slope * (steps[None, :] - side / 2))
    if blurred:
        wall = cv2.GaussianBlur(wall, (0, 0), side * float(rng.uniform(0.02, 0.06)))
        soft = side * float(rng.uniform(0.004, 0.012))
        far = cv2.GaussianBlur(floor, (0, 0), side * 0.008)
        focus = np.clip(below / (side * 0.25), 0, 1)[..., None]
        floor = floor * focus + far * (1 - focus)
    else:
        soft, dark = side * 0.003, float(rng.uniform(0.15, 0.5))
        floor = floor * (1 - dark * np.exp(-np.maximum(below, 0) / (side * 0.06)))[..., None]
        wall = wall * (1 - dark * np.exp(-np.maximum(-below, 0) / (side * 0.06)))[..., None]
    share = np.clip(below / (2 * soft) + 0.5, 0, 1)[..., None]
    return np.asarray(wall * (1 - share) + floor * share, np.float32)


def _lamp(ground: Ground, side: int, rng: np.random.Generator) -> Field:
    """Return the (side, side, 3) light on everything: its colour, its strength, and how it falls off."""
    azimuth = np.radians(ground.azimuth)
    steps = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    towards = steps[None, :] * np.cos(azimuth) - steps[:, None] * np.sin(azimuth)
    falloff = 1 + float(rng.uniform(0.1, 0.7)) * towards
    colour = np.array(_SUN[int(rng.integers(len(_SUN)))], np.float32) * np.float32(rng.uniform(0.55, 1.25))
    return np.asarray(falloff[..., None] * colour, np.float32)
