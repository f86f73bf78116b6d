"""The five kinds of machine parts: random members of each kind as relief over a raster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pipeline.starter.grid import Grid, Seen, seen_relief, seen_tube
from pipeline.starter.shapes import Field, box, disc, polygon, rounded, smoothstep, toothed

_GONE = np.float32(0)
_WIRE_SOLIDITY = 0.6


class Kind(StrEnum):
    """The kinds of parts in the starter set."""

    BOLT = "bolt"
    GEAR = "gear"
    NUT = "nut"
    SPRING = "spring"
    WASHER = "washer"


@dataclass(frozen=True, slots=True)
class Shape:
    """A part on a raster: all (side, side)."""

    seen: Seen
    height: Field  # over the ground; casts the shadow
    grain: Field  # coordinate across which tool marks run
    accent: Field  # 1 where the part is of its second material (a nylon ring)
    solidity: float = 1.0  # share of light that the part keeps off the ground; wire lets some through


def part_shape(kind: Kind, grid: Grid, rng: np.random.Generator) -> Shape:
    """Draw a random member of a kind, placed on a raster."""
    return _MAKERS[kind](grid, rng)


def _relief_shape(
    height: Field, grid: Grid, grain: Field, accent: Field | None = None, lift: float = 0.0
) -> Shape:
    seen = seen_relief(height, grid)
    columns = np.broadcast_to(np.arange(grid.side_px), seen.row.shape)
    marks = np.zeros_like(height) if accent is None else accent[seen.row, columns]
    return Shape(
        seen, np.where(height > 0, height + np.float32(lift), _GONE), grain[seen.row, columns], marks
    )


def _bolt(grid: Grid, rng: np.random.Generator) -> Shape:
    x, y = grid.part()
    radius = rng.uniform(0.19, 0.27)
    head_long = radius * rng.uniform(1.1, 1.5)
    neck = -1 + head_long
    shank = neck + (0.95 - neck) * rng.choice([0.0, 0.0, 0.3, 0.5])
    across = np.clip(y / radius, -1, 1)
    turns = rng.uniform(13, 19)
    phase = x * turns / 2 + np.arcsin(across) / (2 * np.pi)
    ridge = np.abs(2 * (phase - np.floor(phase)) - 1)
    depth = np.where(x > shank, radius * 0.2 * ridge, 0)
    taper = np.clip((x - 0.93) / 0.07, 0, 1) * radius * 0.3
    local = radius - depth - taper
    in_shaft = (x > neck - 0.02) & (x < 1.0) & (np.abs(y) < local)
    shaft = np.where(in_shaft, np.sqrt(np.maximum(local**2 - y**2, 0)) + 0.01, 0)
    head = _bolt_head(x + 1, y, radius, head_long, rng)
    height = np.maximum(shaft, head).astype(np.float32)
    return _relief_shape(height, grid, x, lift=radius)


def _bolt_head(x: Field, y: Field, radius: float, long: float, rng: np.random.Generator) -> Field:
    style, wide = rng.integers(3), radius * rng.uniform(1.7, 1.95)
    along = (x > 0) & (x < long)
    if style == 2:  # cylinder head with a knurl
        wide *= 0.92
        knurl = 1 - 0.03 * (np.sin(np.arcsin(np.clip(y / wide, -1, 1)) * 36) > 0)
        dome = np.sqrt(np.maximum((wide * knurl) ** 2 - y**2, 0))
        edge = np.minimum(1, np.sqrt(np.clip(x / (0.25 * long), 0, 1)) * 0.25 + 0.75)
        return np.where(along & (np.abs(y) < wide * edge), dome * edge, 0)
    turn = rng.uniform(-0.4, 0.4)
    corners = turn + np.arange(6) * np.pi / 3
    top = np.full_like(y, np.inf)
    for corner in corners:  # the hexagonal bar seen from above: the lowest of its planes
        normal_y, normal_z = np.cos(corner), np.sin(corner)
        if normal_z > 0.05:
            top = np.minimum(top, (wide * 0.87 - y * normal_y) / normal_z)
    chamfer = wide * (1 - 0.14 * np.clip(1 - x / (0.3 * long), 0, 1))
    round_limit = np.sqrt(np.maximum(chamfer**2 - y**2, 0))
    body = np.where(along & (np.abs(y) < chamfer), np.minimum(top, round_limit), 0)
    if style == 1:  # flange
        flange = (x > long * 0.78) & (x < long) & (np.abs(y) < wide * 1.22)
        body = np.maximum(body, np.where(flange, np.sqrt(np.maximum((wide * 1.22) ** 2 - y**2, 0)), 0))
    return np.maximum(body, 0)


def _nut(grid: Grid, rng: np.random.Generator) -> Shape:
    x, y = grid.part()
    radius = np.hypot(x, y)
    sides = 4 if rng.random() < 0.2 else 6
    apothem = 0.72 if sides == 4 else 0.86
    tall, bore = rng.uniform(0.45, 0.7), apothem * rng.uniform(0.5, 0.6)
    outline = polygon(x, y, apothem, sides)
    height = rounded(outline, tall, 0.03)
    height = np.where(height > 0, np.minimum(height, tall - np.maximum(radius - apothem * 1.0, 0) * 0.7), 0)
    style = rng.integers(3) if sides == 6 else 0
    accent = np.zeros_like(height)
    if style == 1:  # flange under the nut
        height = np.maximum(height * (outline < -0.1), rounded(disc(x, y, 0.99), 0.16, 0.08))
        height = np.maximum(height, rounded(polygon(x, y, 0.74, 6), tall, 0.03))
        bore *= 0.86
    if style == 2:  # self-locking: a collar with a nylon ring
        collar = np.maximum(radius - apothem * 0.9, bore * 0.92 - radius)
        height = np.maximum(height, rounded(collar, tall + 0.14, 0.06))
        accent = ((radius < bore * 1.32) & (radius > bore * 0.9)).astype(np.float32)
        height -= 0.05 * accent
        bore *= 0.92
    countersink = np.maximum(bore * 1.16 - radius, 0) * 1.0
    height = np.where(radius > bore, height - countersink * (1 - accent), 0).astype(np.float32)
    return _relief_shape(height, grid, x if rng.random() < 0.5 else radius, accent)


def _washer(grid: Grid, rng: np.random.Generator) -> Shape:
    x, y = grid.part()
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    style = rng.integers(4)
    bore = rng.uniform(0.26, 0.36) if style == 1 else rng.uniform(0.46, 0.6)
    ring = np.maximum(radius - 0.99, bore - radius)
    if style == 2:  # spring washer: split, one end raised
        turn = np.mod(angle - 0.25 * (radius - 0.8), 2 * np.pi) / (2 * np.pi)
        gap = 0.045 - np.minimum(turn, 1 - turn) * 2 * np.pi * radius
        height = rounded(np.maximum(np.maximum(radius - 0.97, bore * 1.15 - radius), gap), 0.17, 0.03)
        height = np.where(height > 0, height + 0.14 * turn, 0)
    elif style == 3:  # cup washer: a cone
        height = rounded(ring, 0.12, 0.04)
        height = np.where(height > 0, height + 0.3 * np.clip(1 - radius, 0, 1), 0)
    else:
        height = rounded(ring, rng.uniform(0.1, 0.17), 0.05)
    grain = x if rng.random() < 0.4 else radius
    return _relief_shape(height.astype(np.float32), grid, grain)


def _gear(grid: Grid, rng: np.random.Generator) -> Shape:
    x, y = grid.part()
    radius = np.hypot(x, y)
    teeth = int(rng.integers(11, 29))
    root = 1 - 4.4 / (teeth + 2)
    root = max(root, 0.66)
    thick, bore = rng.uniform(0.2, 0.34), rng.uniform(0.14, 0.22)
    hub, rim = bore + rng.uniform(0.1, 0.16), root - rng.uniform(0.09, 0.14)
    outline = toothed(x, y, root=root, tip=0.99, teeth=teeth, thickness=rng.uniform(0.46, 0.54))
    height = rounded(outline, thick, 0.025)
    style = rng.integers(4)
    if style:  # a thinner web between hub and rim
        web = smoothstep(hub, hub + 0.03, radius) * (1 - smoothstep(rim - 0.03, rim, radius))
        height = height - web * thick * 0.45
    if style >= 2:  # holes or spokes through the web
        number = int(rng.integers(4, 7))
        height = np.where(_openings(x, y, (hub, rim), number, spokes=style == 3) < 0, 0, height)
    height = np.maximum(height, rounded(disc(x, y, hub), thick * rng.uniform(1.0, 1.6), 0.03))
    keyway = box(x - bore, y, bore * 0.35, bore * 0.28)
    height = np.where(np.minimum(disc(x, y, bore), keyway) < 0, 0, height).astype(np.float32)
    return _relief_shape(height, grid, radius if rng.random() < 0.7 else x)


def _openings(x: Field, y: Field, band: tuple[float, float], number: int, *, spokes: bool) -> Field:
    inner, outer = band[0] + 0.05, band[1] - 0.05
    middle, sector = (inner + outer) / 2, np.float32(2 * np.pi / number)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    folded = angle - sector * np.round(angle / sector)
    if spokes:
        gap = np.abs(radius - middle) - (outer - inner) / 2
        return np.maximum(gap, (np.abs(folded) - sector / 2) * radius + 0.075)
    hole = min((outer - inner) / 2, middle * float(np.sin(np.pi / number)) * 0.8)
    return np.hypot(radius * np.cos(folded) - middle, radius * np.sin(folded)) - np.float32(hole)


def _spring(grid: Grid, rng: np.random.Generator) -> Shape:
    radius, wire = rng.uniform(0.3, 0.46), rng.uniform(0.065, 0.09)
    turns = float(rng.integers(5, 9)) + rng.uniform(0, 1)
    long = 1.0 - wire
    coil = radius - wire
    angle = np.linspace(0, turns * 2 * np.pi, int(turns * 70))
    share = angle / angle[-1]
    pitch_share = np.clip((share * turns - 0.8) / (turns - 1.6), 0, 1)  # the end turns are closed
    x = -long + 2 * long * (0.93 * pitch_share + 0.07 * share)
    taper = 1.0 - (rng.uniform(0.25, 0.45) * share if rng.random() < 0.25 else 0 * share)
    tube = np.stack([x, coil * taper * np.sin(angle), radius + coil * taper * np.cos(angle)], 1)
    seen, caster = seen_tube(tube.astype(np.float32), wire, grid)
    grain = grid.part()[0]
    return Shape(seen, caster, grain, np.zeros_like(grain), _WIRE_SOLIDITY)


_MAKERS: dict[Kind, Callable[[Grid, np.random.Generator], Shape]] = {
    Kind.BOLT: _bolt,
    Kind.GEAR: _gear,
    Kind.NUT: _nut,
    Kind.SPRING: _spring,
    Kind.WASHER: _washer,
}
