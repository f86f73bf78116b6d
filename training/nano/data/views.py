"""A texture seen straight on, as a wall, or as the ground in true perspective."""

from __future__ import annotations

import cv2
import numpy as np

from training.nano.data.surfaces import TILE_PX

OVERSAMPLING = 2  # views are drawn at twice the side and averaged, so that fine structure does not alias


def flat(
    texture: np.ndarray, size: int, *, zoom: float, turn_deg: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw the texture seen straight on: (size, size, 3) uint8.

    Args:
        zoom: 1 shows one tile across the image, 2 half of it.
        turn_deg: rotation in the plane.
    """
    big = size * OVERSAMPLING
    step = TILE_PX / (big * zoom)
    cos, sin = np.cos(np.radians(turn_deg)) * step, np.sin(np.radians(turn_deg)) * step
    x0, y0 = rng.uniform(0, TILE_PX, 2)
    lean = rng.normal(0, 0.12, 2) / big if rng.random() < 0.4 else np.zeros(2)
    matrix = np.array([[cos, -sin, x0], [sin, cos, y0], [lean[0], lean[1], 1.0]])
    return _seen(_prefiltered(texture, step * OVERSAMPLING), matrix, size)


def ground(
    texture: np.ndarray, size: int, *, horizon: float, zoom: float, turn_deg: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw the texture as level ground: (size, size, 3) uint8; rows above the horizon must not be used.

    Args:
        horizon: row of the horizon as a share of the height; may be negative (above the image).
        zoom: 1 shows one tile across the nearest row.
        turn_deg: heading.
    """
    big = size * OVERSAMPLING
    row = horizon * big
    height = TILE_PX / (big * zoom) * (big - row)  # so that the last row has the wanted scale
    focal = big * rng.uniform(0.8, 1.4)
    camera = np.array([[height, 0, -height * big / 2], [0, 0, height * focal], [0, 1, -row]])
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x0, y0 = rng.uniform(0, TILE_PX, 2)
    matrix = np.array([[cos, -sin, x0], [sin, cos, y0], [0, 0, 1.0]]) @ camera
    near = _seen(_prefiltered(texture, OVERSAMPLING * height / (big - row)), matrix, size)
    mean = texture.reshape(-1, 3).mean(0)
    far = _seen(
        cv2.GaussianBlur(np.tile(texture, (3, 3, 1)), (0, 0), 4)[TILE_PX:-TILE_PX, TILE_PX:-TILE_PX],
        matrix,
        size,
    )
    rows = np.maximum((np.arange(size) + 0.5) * OVERSAMPLING - row, 1e-3)
    texels = OVERSAMPLING * height / rows  # per pixel of the image
    blend = np.clip((texels - 2.0) / 4.0, 0, 1)[:, None, None]
    lost = np.clip((texels - 10.0) / 30.0, 0, 1)[:, None, None]
    view = near * (1 - blend) + far * blend
    return np.asarray((view * (1 - lost) + mean * lost).astype(np.uint8))


def _prefiltered(texture: np.ndarray, texels: float) -> np.ndarray:
    if texels <= 1.3:
        return texture
    return cv2.GaussianBlur(np.tile(texture, (3, 3, 1)), (0, 0), 0.4 * texels)[
        TILE_PX:-TILE_PX, TILE_PX:-TILE_PX
    ]


def _seen(texture: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    big = size * OVERSAMPLING
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(texture, matrix, (big, big), flags=flags, borderMode=cv2.BORDER_WRAP)
    return cv2.resize(seen, (size, size), interpolation=cv2.INTER_AREA)
