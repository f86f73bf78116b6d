"""A dozen kinds of drawn ground: each function returns (512, 512, 3) float colours in 0..1 (gamma).

`light` is the way that light travels over a bumpy ground, in radians from right to down; None draws one.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from pipeline.starter.finishes import cloud
from pipeline.starter.shapes import Field, smoothstep

_TILE_PX = 512


def _noise(rng: np.random.Generator, cells: float) -> Field:
    return cloud((_TILE_PX, _TILE_PX), cells=cells, rng=rng)


def _rough(rng: np.random.Generator, coarsest: float, octaves: int = 5) -> Field:
    """Draw fractal noise with mean 0.5."""
    layers = [_noise(rng, min(coarsest * 2**octave, _TILE_PX / 2)) * 0.6**octave for octave in range(octaves)]
    total = sum(layers, np.zeros((_TILE_PX, _TILE_PX), np.float32))
    return np.clip((total - total.mean()) / (4 * total.std() + 1e-6) + 0.5, 0, 1)


def _between(low: tuple[float, ...], high: tuple[float, ...], share: Field) -> Field:
    a, b = np.array(low, np.float32), np.array(high, np.float32)
    return a + (b - a) * share[..., None]


def _relit(
    rgb: Field, height: Field, rng: np.random.Generator, strength: float, light: float | None
) -> Field:
    """Light and shade a bumpy ground: what rises along the light is lit."""
    down, right = np.gradient(cv2.GaussianBlur(height, (0, 0), 0.8))
    drawn = rng.uniform(0, 2 * np.pi)  # also where it is not used, so that it shifts no other draw
    angle = drawn if light is None else light
    shade = right * np.cos(angle) + down * np.sin(angle)
    return rgb * np.clip(1 + strength * shade / (shade.std() + 1e-6) * 0.25, 0.25, 1.9)[..., None]


def _axes() -> tuple[Field, Field]:
    steps = np.arange(_TILE_PX, dtype=np.float32)
    x, y = np.meshgrid(steps, steps)
    return x, y


def _cells(rng: np.random.Generator, count: int) -> tuple[np.ndarray, Field]:
    """Draw Voronoi stones: (cell number, distance to the nearest gap in pixels)."""
    points = (rng.random((count, 2)) * _TILE_PX).astype(np.float32)
    seeds = np.full((_TILE_PX, _TILE_PX), 255, np.uint8)
    seeds[points[:, 1].astype(int), points[:, 0].astype(int)] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    edges = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
    inner = cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, 3)
    return labels, inner


def _per_cell(labels: np.ndarray, rng: np.random.Generator) -> Field:
    return rng.random(int(labels.max()) + 1).astype(np.float32)[labels]


def _grass(rng: np.random.Generator, _light: float | None = None) -> Field:
    canvas = _between((0.10, 0.14, 0.05), (0.24, 0.30, 0.10), _rough(rng, 10)) * 255
    dry = rng.uniform(0.0, 0.5)
    blades = int(rng.integers(4500, 7000))
    start = rng.random((blades, 2)) * _TILE_PX
    way = rng.normal(0, 1, (blades, 2)) * 6 + rng.normal(0, 5, 2)
    tone = rng.random((blades, 1)) ** 1.5
    green = np.array((58, 92, 24)) + tone * np.array((95, 105, 50))
    straw = np.array((150, 140, 80)) + tone * 60
    colours = np.where(rng.random((blades, 1)) < dry * 0.5, straw, green)
    canvas = np.ascontiguousarray(canvas, np.float32)
    for foot, step, colour in zip(start, way, colours.tolist(), strict=True):
        tip = foot + step * 2
        cv2.line(canvas, (int(foot[0]), int(foot[1])), (int(tip[0]), int(tip[1])), colour, 2, cv2.LINE_AA)
    return canvas / 255 * (0.8 + 0.4 * _noise(rng, 4))[..., None]


def _sand(rng: np.random.Generator, light: float | None = None) -> Field:
    x, y = _axes()
    ripples = np.sin((x + 60 * _noise(rng, 3) + 0.3 * y) / rng.uniform(9, 20)) * rng.uniform(0, 1)
    fine = rng.random((_TILE_PX, _TILE_PX)).astype(np.float32)
    rgb = _between((0.62, 0.51, 0.36), (0.86, 0.76, 0.58), 0.5 * _rough(rng, 6) + 0.5 * fine)
    return _relit(rgb, ripples * 4 + _rough(rng, 20) * 3, rng, 0.5, light)


def _planks(rng: np.random.Generator, _light: float | None = None) -> Field:
    x, y = _axes()
    wide = rng.uniform(60, 120)
    board = np.floor(x / wide).astype(int)
    tone = rng.random(board.max() + 1).astype(np.float32)[board]
    shift = rng.random(board.max() + 1)[board] * 900
    lines = _rough(rng, 3)
    rings = np.sin((x % wide) * 0.22 + 14 * cv2.resize(lines, None, fx=1, fy=1) + shift)
    streaks = cv2.resize(
        rng.random((24, _TILE_PX)).astype(np.float32), (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_CUBIC
    )
    palette = (
        ((0.30, 0.18, 0.10), (0.62, 0.42, 0.26)),
        ((0.42, 0.40, 0.37), (0.66, 0.63, 0.58)),
        ((0.55, 0.38, 0.22), (0.84, 0.66, 0.44)),
    )
    low, high = palette[int(rng.integers(3))]
    rgb = _between(low, high, np.clip(0.2 + 0.3 * tone + 0.12 * rings + 0.3 * streaks, 0, 1))
    gap = smoothstep(0, 5, np.minimum(x % wide, wide - x % wide))
    ends = smoothstep(0, 4, np.abs((y + shift) % 620 - 310))
    return rgb * (0.25 + 0.75 * gap * ends)[..., None]


def _bricks(rng: np.random.Generator, light: float | None = None) -> Field:
    x, y = _axes()
    tall, wide = rng.uniform(44, 60), rng.uniform(110, 140)
    wobble = 3 * (_noise(rng, 12) - 0.5)
    row = np.floor((y + wobble) / tall)
    along = x + wobble + (row % 2) * wide / 2
    column = np.floor(along / wide)
    key = (row * 17 + column * 5).astype(int) % 97
    tone = rng.random(97).astype(np.float32)[key]
    edge = np.minimum(
        np.minimum(along % wide, wide - along % wide),
        np.minimum((y + wobble) % tall, tall - (y + wobble) % tall),
    )
    inside = smoothstep(2.5, 5, edge)
    clay = _between((0.36, 0.17, 0.12), (0.68, 0.38, 0.28), 0.7 * tone + 0.3 * _rough(rng, 30))
    mortar = _between((0.5, 0.48, 0.45), (0.68, 0.66, 0.62), _rough(rng, 60))
    rgb = clay * inside[..., None] + mortar * (1 - inside[..., None])
    return _relit(rgb, inside * 4 + _rough(rng, 50) * 3, rng, 0.7, light)


def _tiles(rng: np.random.Generator, _light: float | None = None) -> Field:
    x, y = _axes()
    side = rng.uniform(70, 150)
    key = (np.floor(x / side) + 13 * np.floor(y / side)).astype(int) % 41
    tone = rng.random(41).astype(np.float32)[key]
    checks = (np.floor(x / side) + np.floor(y / side)) % 2 if rng.random() < 0.4 else np.zeros_like(x)
    edge = np.minimum(np.minimum(x % side, side - x % side), np.minimum(y % side, side - y % side))
    base = rng.uniform(0.35, 0.9) * (1 + rng.uniform(-0.12, 0.12, 3))
    glaze = base * (0.9 + 0.12 * tone + 0.1 * _rough(rng, 5) - 0.45 * checks)[..., None]
    inside = smoothstep(1.5, 4, edge)[..., None]
    return glaze * inside + rng.uniform(0.3, 0.7) * (1 - inside) * (0.9 + 0.2 * _noise(rng, 60))[..., None]


def _stones(rng: np.random.Generator, light: float | None = None) -> Field:
    labels, inner = _cells(rng, int(rng.choice([350, 900, 2200])))
    size = np.percentile(inner, 95)
    dome = np.sqrt(np.clip(inner / size, 0, 1))
    tone = _per_cell(labels, rng)
    warm = _per_cell(labels, rng)[..., None] * np.array((0.08, 0.02, -0.06), np.float32)
    rgb = _between((0.22, 0.21, 0.2), (0.78, 0.76, 0.73), tone * 0.7 + 0.3 * _rough(rng, 40)) + warm
    return _relit(rgb * (0.25 + 0.75 * dome)[..., None], dome * 6, rng, 0.8, light)


def _fabric(rng: np.random.Generator, light: float | None = None) -> Field:
    x, y = _axes()
    pitch = rng.uniform(5, 11)
    weave = np.maximum(
        np.sin(x * np.pi / pitch) * np.sign(np.sin(y * np.pi / pitch)),
        np.sin(y * np.pi / pitch) * np.sign(np.sin(x * np.pi / pitch)) * 0.9,
    )
    base = rng.uniform(0.12, 0.75, 3)
    rgb = base * (0.72 + 0.28 * weave)[..., None]
    if rng.random() < 0.5:
        wide = rng.uniform(40, 90)
        band = (
            smoothstep(-0.1, 0.1, np.sin(x * np.pi / wide))[..., None] * 0.5
            + smoothstep(-0.1, 0.1, np.sin(y * np.pi / wide))[..., None] * 0.5
        )
        rgb = (
            rgb * (1 - 0.6 * band) + rng.uniform(0.1, 0.8, 3) * 0.6 * band * (0.72 + 0.28 * weave)[..., None]
        )
    return _relit(rgb, _rough(rng, 4, 2) * 30, rng, 0.35, light)


def _concrete(rng: np.random.Generator, _light: float | None = None) -> Field:
    base = rng.uniform(0.4, 0.7)
    rgb = base * (0.82 + 0.36 * _rough(rng, 4, 6))[..., None] * np.array((1.02, 1.0, 0.96), np.float32)
    pores = smoothstep(0.86, 0.95, _noise(rng, 70)) * rng.uniform(0.2, 0.7)
    crack = smoothstep(0.012, 0.0, np.abs(_rough(rng, 3) - 0.5)) if rng.random() < 0.5 else 0 * pores
    return rgb * (1 - pores - 0.6 * np.clip(crack, 0, 1))[..., None]


def _soil(rng: np.random.Generator, light: float | None = None) -> Field:
    labels, inner = _cells(rng, 1500)
    clods = np.sqrt(np.clip(inner / np.percentile(inner, 97), 0, 1)) * _per_cell(labels, rng)
    rgb = _between((0.13, 0.09, 0.06), (0.45, 0.34, 0.24), 0.5 * _rough(rng, 12) + 0.5 * clods)
    return _relit(rgb, clods * 5 + _rough(rng, 40) * 4, rng, 0.9, light)


def _leaves(rng: np.random.Generator, light: float | None = None) -> Field:
    canvas = np.ascontiguousarray(_soil(rng, light) * 160, np.float32)
    for _ in range(320):
        centre = (rng.random(2) * _TILE_PX).astype(int).tolist()
        angle, long = rng.uniform(0, 360), rng.uniform(18, 42)
        tone = rng.uniform(0.45, 1.1)
        colour = (
            np.array(((180, 110, 40), (150, 70, 30), (190, 160, 70), (110, 95, 50))[int(rng.integers(4))])
            * tone
        ).tolist()
        cv2.ellipse(
            canvas,
            [centre[0] + 3, centre[1] + 4],
            [int(long), int(long * 0.45)],
            angle,
            0,
            360,
            [20, 16, 12],
            -1,
            cv2.LINE_AA,
        )
        cv2.ellipse(canvas, centre, [int(long), int(long * 0.45)], angle, 0, 360, colour, -1, cv2.LINE_AA)
        rib = (long * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])).astype(int)
        cv2.line(
            canvas,
            centre,
            [int(centre[0] + rib[0]), int(centre[1] + rib[1])],
            [c * 0.6 for c in colour],
            1,
            cv2.LINE_AA,
        )
    return canvas / 255 * (0.8 + 0.4 * _rough(rng, 30))[..., None]


def _asphalt(rng: np.random.Generator, _light: float | None = None) -> Field:
    specks = cv2.GaussianBlur(rng.random((_TILE_PX, _TILE_PX)).astype(np.float32), (0, 0), 1.6)
    specks = np.clip((specks - specks.mean()) / specks.std() * 0.22 + 0.4, 0, 1)
    rgb = _between((0.12, 0.12, 0.13), (0.55, 0.54, 0.52), specks) * (0.8 + 0.4 * _rough(rng, 3))[..., None]
    if rng.random() < 0.3:
        x, _ = _axes()
        paint = (1 - smoothstep(27, 30, np.abs(x - 256))) * (0.6 + 0.4 * _rough(rng, 30))
        rgb = rgb * (1 - paint[..., None]) + np.array((0.85, 0.82, 0.7), np.float32) * paint[..., None]
    return rgb


def _marble(rng: np.random.Generator, _light: float | None = None) -> Field:
    warp = _rough(rng, 3, 4)
    veins = np.abs(np.sin((warp + 0.5 * _rough(rng, 5, 4)) * rng.uniform(8, 14)))
    dark = rng.random() < 0.35
    low, high = ((0.75, 0.72, 0.68), (0.12, 0.13, 0.13)) if dark else ((0.42, 0.42, 0.44), (0.92, 0.91, 0.88))
    faint = 0.75 * smoothstep(0.35, 0.75, _rough(rng, 4, 3))  # most veins fade away
    return _between(low, high, np.clip(np.maximum(veins**0.35, faint) - 0.2 * _rough(rng, 6), 0, 1))


def _carpet(rng: np.random.Generator, _light: float | None = None) -> Field:
    tufts = cv2.GaussianBlur(rng.random((_TILE_PX, _TILE_PX)).astype(np.float32), (0, 0), 2.2)
    tufts = np.clip((tufts - tufts.mean()) / tufts.std() * 0.2 + 0.5, 0, 1)
    tone = (0.4 + 0.9 * tufts)[..., None]
    x, y = _axes()
    first, second = rng.uniform(0.1, 0.7, 3), rng.uniform(0.1, 0.7, 3)
    pitch = rng.uniform(50, 120)
    figure = smoothstep(-0.2, 0.2, np.sin(x * np.pi / pitch) * np.sin(y * np.pi / pitch)) * float(
        rng.random() < 0.6
    )
    return (first * (1 - figure[..., None]) + second * figure[..., None]) * tone


Drawer = Callable[[np.random.Generator, float | None], Field]

DRAWERS: tuple[Drawer, ...] = (
    _grass,
    _planks,
    _stones,
    _sand,
    _bricks,
    _fabric,
    _concrete,
    _leaves,
    _tiles,
    _asphalt,
    _soil,
    _marble,
    _carpet,
)
WALLS: tuple[Drawer, ...] = (_bricks, _concrete, _planks, _tiles, _fabric, _marble)
TABLE_TOPS: tuple[Drawer, ...] = (_planks, _marble, _concrete, _fabric, _tiles)
