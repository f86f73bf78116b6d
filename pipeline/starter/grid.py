"""Where a part lies in the image, and which of its points a tilted camera sees."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.starter.shapes import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A square raster over the ground, seen by an orthographic camera that is tilted from the vertical.

    World frame: u to the right, w up the image along the ground, z up from the ground; a unit is
    `unit_px` pixels.
    """

    side_px: int
    unit_px: float  # pixels in one unit
    turn: float  # radians, counter-clockwise, of the part on the ground
    centre: tuple[float, float]  # (x, y) of the part's origin in pixels
    tilt: float  # radians from the vertical; 0 looks straight down

    def ground(self) -> tuple[Field, Field]:
        """Return world (u, w) of the ground under every pixel, relative to the part's origin: 2 × (side, side)."""
        steps = np.arange(self.side_px, dtype=np.float32)
        u = (steps - self.centre[0]) / self.unit_px
        w = -(steps - self.centre[1]) / (self.unit_px * np.cos(self.tilt))
        return np.meshgrid(u.astype(np.float32), w.astype(np.float32))

    def part(self) -> tuple[Field, Field]:
        """Return the part's own (x, y) under every pixel: 2 × (side, side)."""
        u, w = self.ground()
        cos, sin = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        return u * cos + w * sin, w * cos - u * sin

    def world(self, points: Field) -> Field:
        """Return world (u, w, z) of points (N, 3) that are given in the part's own frame."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        x, y, z = points.T
        return np.stack([x * cos - y * sin, x * sin + y * cos, z], 1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the camera sees in every pixel: all (side, side), normals (side, side, 3)."""

    inside: np.ndarray  # bool: the part, not the ground
    normal: Field  # unit, world frame
    row: np.ndarray  # row of the ground raster whose column of air carries the point
    wall: Field  # 0 on top faces; towards 1 at the foot of a side wall


def normals(height: Field, grid: Grid) -> Field:
    """Return (side, side, 3) unit normals of a height field in world frame."""
    along_row, along_column = np.gradient(height)
    slope_u = along_column * grid.unit_px
    slope_w = -along_row * grid.unit_px * np.cos(grid.tilt)
    length = np.sqrt(slope_u**2 + slope_w**2 + 1)
    return np.stack([-slope_u / length, -slope_w / length, 1 / length], -1).astype(np.float32)


def seen_relief(height: Field, grid: Grid) -> Seen:
    """March every camera ray down through a height field: the first point met is seen."""
    side = grid.side_px
    rise_px = float(np.sin(grid.tilt)) * grid.unit_px  # rows that a point moves up per unit of height
    lift = np.zeros((side, side), np.int32)
    for rows in range(1, int(float(height.max()) * rise_px + 1e-3) + 1):
        lift[: side - rows][height[rows:] >= rows / rise_px - 1e-5] = rows
    row = np.arange(side)[:, None] + lift
    column = np.broadcast_to(np.arange(side), row.shape)
    top = height[row, column]
    depth = top - lift / max(rise_px, 1e-6)
    wall = np.clip(depth / np.maximum(top, 1e-3), 0, 1) * (depth * rise_px > 1.0)
    smooth = cv2.GaussianBlur(height, (0, 0), 0.8)
    return Seen(top > 0, normals(smooth, grid)[row, column], row, wall.astype(np.float32))


def seen_tube(points: Field, radius: float, grid: Grid) -> tuple[Seen, Field]:
    """Render a tube along dense points (N, 3) of the part's frame, as the camera sees it, and its height field.

    Spheres are stamped into a depth buffer, so that the silhouette is exact under any tilt.
    """
    side, world = grid.side_px, grid.world(points)
    cos, sin = np.cos(grid.tilt), np.sin(grid.tilt)
    depth = world[:, 2] * cos - world[:, 1] * sin
    screen_y = grid.centre[1] - (world[:, 1] * cos + world[:, 2] * sin) * grid.unit_px
    screen_x = grid.centre[0] + world[:, 0] * grid.unit_px
    nearest = _stamped(screen_x, screen_y, depth, radius, grid)
    inside = nearest > -np.inf
    flat = np.where(inside, nearest, nearest[inside].min() - radius).astype(np.float32)
    upright = Grid(side_px=side, unit_px=grid.unit_px, turn=0, centre=grid.centre, tilt=0)
    facing = normals(flat, upright)  # camera frame: turn it back by the tilt
    turned = np.stack(
        [
            facing[..., 0],
            facing[..., 1] * cos - facing[..., 2] * sin,
            facing[..., 1] * sin + facing[..., 2] * cos,
        ],
        -1,
    )
    foot_y = grid.centre[1] - world[:, 1] * cos * grid.unit_px
    caster = _stamped(screen_x, foot_y, world[:, 2], radius, grid)
    screen_v = (grid.centre[1] - np.arange(side, dtype=np.float32)[:, None]) / grid.unit_px
    above_ground = np.where(inside, flat * cos + screen_v * sin, 0)
    foot = np.rint(np.arange(side)[:, None] + above_ground * sin * grid.unit_px).astype(np.int32)
    row = np.clip(foot, 0, side - 1)
    seen = Seen(inside, turned.astype(np.float32), row, np.zeros((side, side), np.float32))
    return seen, np.where(caster > -np.inf, caster, 0).astype(np.float32)


def _stamped(xs: Field, ys: Field, depths: Field, radius: float, grid: Grid) -> Field:
    buffer = np.full((grid.side_px, grid.side_px), -np.inf, np.float32)
    reach = int(np.ceil(radius * grid.unit_px)) + 1
    offsets = np.arange(-reach, reach + 1)
    for x, y, depth in zip(xs, ys, depths, strict=True):
        column, row = round(float(x)), round(float(y))
        if not (reach <= column < grid.side_px - reach and reach <= row < grid.side_px - reach):
            continue
        squared = ((offsets + column - x) ** 2)[None, :] + ((offsets + row - y) ** 2)[:, None]
        bulge = radius**2 - squared / grid.unit_px**2
        patch = buffer[row - reach : row + reach + 1, column - reach : column + reach + 1]
        np.maximum(patch, np.where(bulge > 0, depth + np.sqrt(np.maximum(bulge, 0)), -np.inf), out=patch)
    return buffer
