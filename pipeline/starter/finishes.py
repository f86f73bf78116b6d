"""What the parts are made of: random finishes, tool marks, grime."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from pipeline.starter.light import Finish
from pipeline.starter.parts import Kind
from pipeline.starter.shapes import Field, smoothstep

STEEL = Finish(tint=(0.60, 0.60, 0.61), gloss=0.6, marks=0.10)
STAINLESS = Finish(tint=(0.70, 0.69, 0.67), gloss=0.85, marks=0.06)
ZINC = Finish(tint=(0.66, 0.69, 0.74), gloss=0.5, marks=0.07)
YELLOW_ZINC = Finish(tint=(0.74, 0.63, 0.34), gloss=0.65, marks=0.06)
BRASS = Finish(tint=(0.80, 0.56, 0.20), gloss=0.75, marks=0.07)
COPPER = Finish(tint=(0.76, 0.40, 0.25), gloss=0.7, marks=0.07)
SPRING_WIRE = Finish(tint=(0.34, 0.34, 0.36), gloss=0.75, marks=0.05)
BLACK_OXIDE = Finish(tint=(0.085, 0.085, 0.09), gloss=0.55, marks=0.08)

_BLUE_NYLON = (0.05, 0.16, 0.45)
_RUST = np.array((0.27, 0.10, 0.035), np.float32)
_USUAL = (STEEL, STAINLESS, ZINC, YELLOW_ZINC, BRASS, BLACK_OXIDE)
_COMMON: dict[Kind, tuple[Finish, ...]] = {
    Kind.BOLT: _USUAL,
    Kind.GEAR: (STEEL, STAINLESS, BRASS, BLACK_OXIDE, BLACK_OXIDE, YELLOW_ZINC),
    Kind.NUT: _USUAL,
    Kind.SPRING: (SPRING_WIRE, SPRING_WIRE, BLACK_OXIDE, BLACK_OXIDE, YELLOW_ZINC, COPPER),
    Kind.WASHER: (*_USUAL, COPPER),
}


def random_finish(kind: Kind, rng: np.random.Generator) -> Finish:
    """Choose a finish that parts of this kind have, each piece a little different."""
    common = _COMMON[kind]
    base = common[int(rng.integers(len(common)))]
    shade = rng.uniform(0.88, 1.08)
    red, green, blue = (min(channel * shade * rng.uniform(0.98, 1.02), 0.95) for channel in base.tint)
    return replace(
        base, tint=(red, green, blue), gloss=float(np.clip(base.gloss + rng.uniform(-0.15, 0.1), 0.2, 0.95))
    )


def with_marks(light: Field, grain: Field, finish: Finish, sheen: Field, rng: np.random.Generator) -> Field:
    """Add fine tool marks (along lines of equal grain) and blotches over lit metal (H, W, 3).

    Args:
        grain: (H, W) coordinate across which the marks run.
        sheen: (2,) unit vector (right, up) towards the lamp: faces whose marks run across it shine most.
    """
    lines = rng.normal(0, 1, 512).astype(np.float32)
    lines = 0.6 * lines + 0.8 * cv2.GaussianBlur(lines[None], (0, 0), 2.5)[0] * 2
    place = (grain * 110) % 511
    low = place.astype(np.int32)
    mark = lines[low] * (1 - (place - low)) + lines[low + 1] * (place - low)
    blotch = cloud(light.shape[:2], cells=7, rng=rng)
    down, right = np.gradient(grain)
    across = (right * sheen[0] - down * sheen[1]) ** 2 / np.maximum(right**2 + down**2, 1e-12)
    shine = 1 + finish.gloss * 0.9 * (across**2 - 0.35)  # turned faces shine in two opposite fans
    return light * np.clip((1 + finish.marks * mark + 0.16 * (blotch - 0.5)) * shine, 0.3, 1.7)[..., None]


def with_grime(light: Field, share: float, brightness: float, rng: np.random.Generator) -> Field:
    """Add rust over a share of lit metal (H, W, 3); `brightness` is the light that falls on it."""
    spots = 0.6 * cloud(light.shape[:2], cells=9, rng=rng) + 0.4 * cloud(light.shape[:2], cells=40, rng=rng)
    rust = smoothstep(1 - share - 0.12, 1 - share + 0.12, spots)[..., None] * 0.85
    tone = _RUST * brightness * (0.6 + 0.9 * cloud(light.shape[:2], cells=60, rng=rng))[..., None]
    shading = np.clip(light.mean(-1, keepdims=True) / max(float(light.mean()), 1e-3), 0.3, 1.6)
    return light * (1 - rust) + tone * shading * rust


def with_accent(light: Field, accent: Field) -> Field:
    """Add blue nylon where `accent` is 1, lit like the metal beneath."""
    nylon = np.array(_BLUE_NYLON, np.float32) * (0.5 + 0.6 * light.mean(-1, keepdims=True))
    return light * (1 - accent[..., None]) + nylon * accent[..., None]


def cloud(size: tuple[int, int], *, cells: float, rng: np.random.Generator) -> Field:
    """Draw (H, W) smooth noise in 0..1 with about `cells` blobs along the longer side."""
    count = int(cells) + 4
    coarse = rng.random((count, count)).astype(np.float32)
    scale = max(size) / cells
    shift = rng.random(2) * scale
    matrix = np.array([[scale, 0, -scale - shift[0]], [0, scale, -scale - shift[1]]], np.float32)
    drawn = cv2.warpAffine(
        coarse, matrix, size[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.clip(drawn, 0, 1)
