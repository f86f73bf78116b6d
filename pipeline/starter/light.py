"""Light: where it comes from, how metal mirrors it and how it falls on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.starter.grid import Grid, Seen
from pipeline.starter.shapes import Field, smoothstep

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """One large lamp and the light of everything around it; linear, 1 = white paper in full light."""

    azimuth: float  # radians, counter-clockwise from the right; where the light comes from
    elevation: float  # radians over the ground
    colour: Colour
    strength: float
    sky: Colour  # light from straight above
    horizon: Colour  # light from the side
    softness: float  # 0 = a hard shadow; 1 = a wide lamp

    @property
    def direction(self) -> Field:
        """Return the (3,) unit vector towards the lamp, world frame."""
        flat = np.cos(self.elevation)
        parts = (flat * np.cos(self.azimuth), flat * np.sin(self.azimuth), np.sin(self.elevation))
        return np.array(parts, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How a metal looks."""

    tint: Colour  # share of light mirrored, per channel
    gloss: float  # 0 = blasted, 1 = polished
    marks: float  # strength of tool marks
    grime: float = 0.0  # share of rust and dirt


def shadow(height: Field, receiver: Field, grid: Grid, lamp: Lamp) -> Field:
    """Compute (side, side) in 0..1 over the ground raster: how much of the lamp points at `receiver` height miss."""
    half = cv2.resize(height, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    base = cv2.resize(receiver, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    unit = grid.unit_px / 2
    climb = float(np.tan(lamp.elevation)) / unit  # height per pixel of way towards the lamp
    way = np.array([np.cos(lamp.azimuth), -np.sin(lamp.azimuth) * np.cos(grid.tilt)])
    covered = np.zeros_like(half)
    steps = int(min(half.max() / climb, half.shape[0] * 0.6)) + 1
    penumbra = (0.04 + 0.5 * lamp.softness) / unit
    for step in range(0 if receiver is not height else 1, steps + 1):
        shift = np.array([[1, 0, -way[0] * step], [0, 1, -way[1] * step]], np.float32)
        ahead = cv2.warpAffine(half, shift, half.shape[::-1])
        blocked = (ahead - base - climb * step) / (penumbra * (step + 2)) + 0.35
        np.maximum(covered, np.clip(blocked, 0, 1) * (ahead > base), out=covered)
    soft = cv2.GaussianBlur(covered, (0, 0), 0.7 + 2.0 * lamp.softness)
    return cv2.resize(soft, height.shape[::-1], interpolation=cv2.INTER_LINEAR)


def enclosure(height: Field, receiver: Field, grid: Grid) -> Field:
    """Compute (side, side) in 0..1: how much sky points at `receiver` height lose to what is near (0 in the open)."""
    small = cv2.resize(height, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(small, (0, 0), 0.05 * grid.unit_px / 4 + 0.3)
    far = cv2.GaussianBlur(small, (0, 0), 0.22 * grid.unit_px / 4)
    around = np.maximum(near, far)
    around = cv2.resize(around, height.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip((around - receiver) * 1.6, 0, 0.85).astype(np.float32)


def lit_ground(albedo: Field, cover: Field, closed: Field, lamp: Lamp) -> Field:
    """Compute (side, side, 3) linear light that comes from the ground; `albedo` likewise."""
    key = np.array(lamp.colour, np.float32) * (lamp.strength * np.sin(lamp.elevation))
    ambient = 0.65 * np.array(lamp.sky, np.float32) + 0.35 * np.array(lamp.horizon, np.float32)
    light = key * (1 - cover[..., None]) + ambient * (1 - closed[..., None])
    return albedo * light


def mirrored(direction: Field, lamp: Lamp, ground: Colour, gloss: float) -> Field:
    """Compute (…, 3) light that metal reflects in a direction (…, 3): sky, lamp, a dark screen opposite, the ground."""
    z = direction[..., 2]
    key = np.array(lamp.colour, np.float32) * lamp.strength
    sky, horizon = np.array(lamp.sky, np.float32), np.array(lamp.horizon, np.float32)
    up = smoothstep(-0.05, 0.95, z)[..., None]
    light = horizon * (1 - up) + sky * up
    towards = direction @ lamp.direction
    width = 0.06 + 0.5 * (1 - gloss)
    lobe = smoothstep(0.86 - width, 0.86 + width * 0.4, towards)[..., None]
    light = light + key * lobe * (0.4 + 0.6 * gloss)
    away = np.array([-np.cos(lamp.azimuth), -np.sin(lamp.azimuth), 0.45], np.float32)
    screen = smoothstep(0.75 - width, 1.0, direction @ (away / np.linalg.norm(away)))[..., None]
    light = light * (1 - 0.6 * screen)
    side = np.array([-np.sin(lamp.azimuth), np.cos(lamp.azimuth), 0.35], np.float32)
    strip = smoothstep(0.80 - width / 2, 0.86 + width / 3, np.abs(direction @ (side / np.linalg.norm(side))))
    light = light + 0.35 * strip[..., None] * horizon
    below = (1 - smoothstep(-0.15, 0.05, z))[..., None]
    return light * (1 - below) + np.array(ground, np.float32) * 0.55 * below


def cropped(seen: Seen, window: tuple[slice, slice]) -> Seen:
    """Cut out the part of the view inside a window of rows and columns."""
    return Seen(seen.inside[window], seen.normal[window], seen.row[window], seen.wall[window])


def lit_metal(seen: Seen, finish: Finish, lamp: Lamp, *, view: Field, ground: Colour, dark: Field) -> Field:
    """Compute (side, side, 3) linear light from metal.

    Args:
        view: (side, side, 3) unit vectors towards the camera.
        ground: mean light of the ground, which low faces mirror.
        dark: (side, side) share of light lost to shadow and enclosure, as the points are seen.
    """
    normal = seen.normal
    facing = (normal * view).sum(-1)
    reflected = 2 * facing[..., None] * normal - view
    tint = np.array(finish.tint, np.float32)
    fresnel = (1 - np.clip(facing, 0, 1)[..., None]) ** 4
    mirror = mirrored(reflected, lamp, ground, finish.gloss) * (tint + (1 - tint) * 0.6 * fresnel)
    key = np.array(lamp.colour, np.float32) * lamp.strength
    diffuse = tint * (0.22 * key * np.clip(normal @ lamp.direction, 0, 1)[..., None] + 0.05)
    light = mirror * (0.62 + 0.2 * finish.gloss) + diffuse
    return light * (1 - 0.8 * dark)[..., None] * (1 - 0.55 * seen.wall)[..., None]


def developed(light: Field) -> np.ndarray:
    """Develop linear light into an (H, W, 3) uint8 image: a soft shoulder at the top, then gamma 2.2."""
    shoulder = np.where(light < 0.7, light, 0.7 + 0.3 * np.tanh((light - 0.7) / 0.45))
    return np.rint(np.clip(shoulder, 0, 1) ** np.float32(1 / 2.2) * 255).astype(np.uint8)
