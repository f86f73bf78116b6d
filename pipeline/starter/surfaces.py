"""Grounds of the field images: drawn surfaces of a dozen kinds, or pieces of a folder of photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import SourceRefused
from pipeline.starter.grounds import DRAWERS
from pipeline.starter.shapes import Field

_USUAL_PX = 384  # side at which drawn surfaces have their natural scale
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def surface_photos(folder: Path) -> list[Path]:
    """List every image under a folder, sorted by path.

    Raises:
        SourceRefused: the folder holds no images.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise SourceRefused(
            f"{folder} holds no surface photos (jpg, png, webp); leave the folder out to draw them"
        )
    return paths


def photographed_surface(path: Path, side_px: int, rng: np.random.Generator) -> Field:
    """Return the (side, side, 3) linear colour of a random piece of a surface photo.

    Raises:
        SourceRefused: the file is not a readable image.
    """
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise SourceRefused(f"{path} is not a readable image; remove it from the folder of surfaces")
    rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    piece = _turned_piece(
        rgb, side_px, scale=float(rng.uniform(1.0, 1.9)) * side_px / max(rgb.shape[:2]), rng=rng
    )
    grain = rng.normal(1, 0.04, (side_px, side_px, 1)).astype(np.float32)  # what the small photo cannot show
    return np.clip(_linear(piece) * grain, 0.004, 1)


def drawn_surface(number: int, side_px: int, rng: np.random.Generator) -> Field:
    """Return the (side, side, 3) linear colour of a drawn surface; kinds take turns with `number`."""
    rgb = DRAWERS[number % len(DRAWERS)](rng, None)
    scale = float(rng.uniform(0.9, 1.7)) * side_px / _USUAL_PX
    rgb8 = np.clip(rgb * 255, 0, 255).astype(np.uint8)
    return np.clip(_linear(_turned_piece(rgb8, side_px, scale=scale, rng=rng)), 0.004, 1)


def _linear(rgb: np.ndarray) -> Field:
    return (rgb.astype(np.float32) / 255) ** np.float32(2.2)


def _turned_piece(rgb: np.ndarray, side_px: int, *, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Return a piece seen from above and a little from the side; what is missing is mirrored."""
    angle, squeeze = rng.uniform(0, 2 * np.pi), rng.uniform(0.65, 1.0)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn[1] *= squeeze
    middle = np.array([rgb.shape[1], rgb.shape[0]]) * rng.uniform(0.35, 0.65, 2)
    matrix = np.column_stack([turn, np.full(2, side_px / 2) - turn @ middle])
    flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return cv2.warpAffine(rgb, matrix, (side_px, side_px), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
