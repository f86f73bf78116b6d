"""Whole images: parts on one grey bench (the set), and out in the field (the test set)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from pipeline.starter.finishes import cloud, random_finish, with_accent, with_grime, with_marks
from pipeline.starter.grid import Grid
from pipeline.starter.light import Lamp, cropped, developed, enclosure, lit_ground, lit_metal, shadow
from pipeline.starter.parts import Kind, part_shape
from pipeline.starter.shapes import Field

SIDE_PX = 192
_FINER = 2  # supersampling in each direction
_RASTER_PX = SIDE_PX * _FINER

BENCH_LAMP = Lamp(
    azimuth=2.2,
    elevation=0.95,
    colour=(1.0, 0.98, 0.95),
    strength=0.56,
    sky=(0.62, 0.625, 0.63),
    horizon=(0.22, 0.22, 0.225),
    softness=0.5,
)
_BENCH_TILT = 0.42
_PERSPECTIVE = 0.7  # how far the direction to the camera turns over the image
_BENCH_SIZES: dict[Kind, tuple[float, float]] = {  # longest side as a share of the image
    Kind.BOLT: (0.62, 0.80),
    Kind.GEAR: (0.56, 0.72),
    Kind.NUT: (0.46, 0.62),
    Kind.SPRING: (0.60, 0.76),
    Kind.WASHER: (0.48, 0.68),
}
_BENCH_ALBEDO = np.array((0.575, 0.565, 0.535), np.float32)


@dataclass(frozen=True, slots=True)
class RenderedImage:
    """A rendered image: rgb (192, 192, 3) and its exact mask (192, 192), both uint8."""

    rgb: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything around the part."""

    albedo: Field  # (raster, raster, 3) linear colour of the ground
    lamp: Lamp
    falloff: Field  # (raster, raster) the lamp's unevenness over the image
    grime: float
    noise: float  # standard deviation of the camera's noise in grey levels
    blur_px: float  # of the lens, at image size


def bench_image(kind: Kind, rng: np.random.Generator) -> RenderedImage:
    """Render a part on the bench: the same bench, camera and lamp every time, the part at a random pose."""
    low, high = _BENCH_SIZES[kind]
    grid = _random_grid(rng, size=(low, high), tilt=_BENCH_TILT)
    stage = Stage(
        albedo=_bench(rng), lamp=BENCH_LAMP, falloff=_BENCH_FALLOFF, grime=0.0, noise=1.6, blur_px=0.45
    )
    return _rendered_image(kind, grid, stage, rng)


def field_image(kind: Kind, albedo: Field, rng: np.random.Generator) -> RenderedImage:
    """Render a part on a surface, in random light, near or far.

    Args:
        albedo: (384, 384, 3) float32 linear colour of the surface.
    """
    grid = _random_grid(rng, size=(0.26, 0.85), tilt=float(rng.uniform(0.0, 0.8)))
    falloff = 0.75 + 0.5 * cloud((_RASTER_PX, _RASTER_PX), cells=1.6, rng=rng)
    stage = Stage(
        albedo=albedo,
        lamp=_random_lamp(rng),
        falloff=falloff,
        grime=float(rng.choice([0.0, 0.0, 0.25, 0.5])),
        noise=float(rng.uniform(1.0, 6.0)),
        blur_px=float(rng.uniform(0.35, 1.0)),
    )
    return _rendered_image(kind, grid, stage, rng)


def _random_grid(rng: np.random.Generator, *, size: tuple[float, float], tilt: float) -> Grid:
    share = rng.uniform(*size)
    room = 0.5 - share / 2 - 0.04
    offset = rng.uniform(-1, 1, 2) * max(room, 0) * 0.8
    centre = ((0.5 + offset) * _RASTER_PX).tolist()
    return Grid(
        side_px=_RASTER_PX,
        unit_px=float(share * _RASTER_PX / 2),
        turn=float(rng.uniform(0, 2 * np.pi)),
        centre=(centre[0], centre[1]),
        tilt=tilt,
    )


def _rendered_image(kind: Kind, grid: Grid, stage: Stage, rng: np.random.Generator) -> RenderedImage:
    shape = part_shape(kind, grid, rng)
    seen, lamp = shape.seen, stage.lamp
    finish = random_finish(kind, rng)
    floor = np.zeros_like(shape.height)
    cover, closed = shadow(shape.height, floor, grid, lamp), enclosure(shape.height, floor, grid)
    self_cover = shadow(shape.height, shape.height, grid, lamp)
    self_closed = enclosure(shape.height, shape.height, grid)
    ground = lit_ground(stage.albedo, shape.solidity * cover, shape.solidity * closed, lamp)
    columns = np.broadcast_to(np.arange(grid.side_px), seen.row.shape)
    dark = np.clip(0.5 * self_cover + 0.9 * self_closed, 0, 1)[seen.row, columns]
    window = _window(seen.inside)
    metal = lit_metal(
        cropped(seen, window),
        finish,
        lamp,
        view=_view(grid, rng)[window],
        ground=_mean(ground),
        dark=dark[window],
    )
    sheen = lamp.direction[:2] / np.linalg.norm(lamp.direction[:2])
    metal = with_marks(metal, shape.grain[window], finish, sheen, rng)
    if stage.grime:
        metal = with_grime(metal, stage.grime, lamp.strength + lamp.sky[1], rng)
    metal = with_accent(metal, shape.accent[window])
    ground[window] = np.where(seen.inside[window][..., None], metal, ground[window])
    light = ground * stage.falloff[..., None]
    return _photographed(light, seen.inside, stage, rng)


def _window(inside: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns that hold everything inside."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _view(grid: Grid, rng: np.random.Generator) -> Field:
    """Return (side, side, 3) unit vectors to the camera, not quite at infinity; the part does not lie quite flat."""
    steps = np.linspace(-0.5, 0.5, grid.side_px, dtype=np.float32) * _PERSPECTIVE
    lean = rng.normal(0, 0.06, 2)
    u = np.broadcast_to(lean[0] - steps[None, :], (grid.side_px, grid.side_px))
    w = np.broadcast_to(lean[1] - np.sin(grid.tilt) + steps[:, None], u.shape)
    view = np.stack([u, w, np.full_like(u, np.cos(grid.tilt))], -1).astype(np.float32)
    return view / np.linalg.norm(view, axis=-1, keepdims=True)


def _mean(light: Field) -> tuple[float, float, float]:
    red, green, blue = light[::8, ::8].reshape(-1, 3).mean(0).tolist()
    return red, green, blue


def _photographed(light: Field, inside: np.ndarray, stage: Stage, rng: np.random.Generator) -> RenderedImage:
    """Apply the lens blur, the averaging over pixel areas and the sensor noise."""
    blurred = cv2.GaussianBlur(np.minimum(light, 2.0), (0, 0), stage.blur_px * _FINER)
    small = cv2.resize(blurred, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    noise = rng.normal(0, stage.noise, (SIDE_PX, SIDE_PX, 1)) + rng.normal(0, stage.noise / 2, small.shape)
    rgb = np.clip(np.rint(developed(small) + noise), 0, 255).astype(np.uint8)
    cover = cv2.resize(inside.astype(np.float32), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return RenderedImage(rgb, np.rint(cover * 255).astype(np.uint8))


def _bench(rng: np.random.Generator) -> Field:
    """Draw the bench's grey paint: faint mottling and grain."""
    mottle = 0.96 + 0.08 * cloud((_RASTER_PX, _RASTER_PX), cells=5, rng=rng)
    grain = rng.normal(1, 0.035, (_RASTER_PX, _RASTER_PX)).astype(np.float32)
    return _BENCH_ALBEDO * (mottle * cv2.GaussianBlur(grain, (0, 0), 1.0))[..., None]


def _bench_falloff() -> Field:
    steps = np.linspace(-1, 1, _RASTER_PX, dtype=np.float32)
    return (
        1.02
        - 0.10 * steps[None, :]
        - 0.13 * steps[:, None]
        - 0.05 * (steps[None, :] ** 2 + steps[:, None] ** 2)
    ).astype(np.float32)


_BENCH_FALLOFF = _bench_falloff()
_DAY = Lamp(
    azimuth=0,
    elevation=1,
    colour=(1.0, 0.95, 0.86),
    strength=0.95,
    sky=(0.32, 0.37, 0.45),
    horizon=(0.25, 0.26, 0.28),
    softness=0.03,
)
_OVERCAST = Lamp(
    azimuth=0,
    elevation=1.2,
    colour=(0.95, 0.97, 1.0),
    strength=0.35,
    sky=(0.62, 0.66, 0.72),
    horizon=(0.34, 0.35, 0.37),
    softness=0.9,
)
_BULB = Lamp(
    azimuth=0,
    elevation=0.7,
    colour=(1.0, 0.76, 0.48),
    strength=0.85,
    sky=(0.2, 0.17, 0.13),
    horizon=(0.14, 0.12, 0.1),
    softness=0.2,
)
_TUBE = Lamp(
    azimuth=0,
    elevation=0.9,
    colour=(0.86, 1.0, 0.93),
    strength=0.6,
    sky=(0.36, 0.4, 0.38),
    horizon=(0.2, 0.22, 0.21),
    softness=0.5,
)


def _random_lamp(rng: np.random.Generator) -> Lamp:
    base = (_DAY, _OVERCAST, _BULB, _TUBE)[int(rng.integers(4))]
    return replace(
        base,
        azimuth=float(rng.uniform(0, 2 * np.pi)),
        elevation=float(np.clip(base.elevation + rng.uniform(-0.35, 0.2), 0.4, 1.4)),
        strength=float(base.strength * rng.uniform(0.7, 1.25)),
    )
