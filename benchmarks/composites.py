"""Photographs whose mask is known: real and rendered objects over real surfaces, with a rendered soft shadow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.domain.photo_decoding import load_photo

Example = tuple[str, np.ndarray, np.ndarray]  # name, photo (H, W, 3) uint8, mask (H, W) bool

_WIDTH, _HEIGHT = 512, 384
_CORRECTED = Path(__file__).with_name("corrected_masks.json")


def photographed(folder: Path, *, is_corrected: bool = True) -> list[Example]:
    """Read `images/` and `masks/` with equal stems.

    Args:
        folder: the photographs.
        is_corrected: whether the outlines of `corrected_masks.json` replace the masks of its photographs. These masks
            leave out leaves and the jaws of pliers or take in shadow, and agree with the object to 0.75 to 0.93; the
            outlines were drawn by hand and by colour thresholds, without this project's segmentation.
    """
    outlines = json.loads(_CORRECTED.read_text()) if is_corrected else {}
    examples = []
    for file in sorted((folder / "images").iterdir()):
        given = next((folder / "masks").glob(f"{file.stem}.*"))
        photo = load_photo(file.read_bytes(), file.name).rgb
        mask = np.asarray(Image.open(given).convert("L")) > 127
        if file.name in outlines:
            mask = _filled(outlines[file.name], mask.shape)
        examples.append((file.name, photo, mask))
    return examples


def _filled(outlines: list[list[list[int]]], size: tuple[int, ...]) -> np.ndarray:
    """Fill outlines of (x, y) in pixels, holes included; (H, W) bool."""
    mask = np.zeros(size, np.uint8)
    contours = [np.array(outline, np.int32).reshape(-1, 1, 2) for outline in outlines]
    return cv2.drawContours(mask, contours, -1, 1, cv2.FILLED) > 0


def composites(objects: Sequence[Example], surfaces: Path, count: int, seed: int = 5) -> Iterator[Example]:
    """Put objects on surfaces, from strongly textured to nearly plain, under uneven light and with a soft shadow."""
    rng = np.random.default_rng(seed)
    grounds = sorted(surfaces.glob("*/*.*"))
    for number in range(count):
        _, rgb, mask = objects[int(rng.integers(len(objects)))]
        flatness = rng.uniform()
        ground = _ground(grounds[rng.integers(len(grounds))], flatness, rng)
        colours, cover = _placed(rgb, mask, rng)
        side = float(np.sqrt(cover.sum()))
        moved = np.array(
            [[1, 0, rng.uniform(-0.15, 0.15) * side], [0, 1, rng.uniform(0, 0.15) * side]], np.float32
        )
        shadow = cv2.warpAffine(cover, moved, (_WIDTH, _HEIGHT))
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.02, 0.12) * side)
        ground = ground * (1 - rng.uniform(0.2, 0.6) * shadow)[..., None]
        soft = cv2.GaussianBlur(cover, (0, 0), 0.6)[..., None]
        photo = ground * (1 - soft) + colours * soft + rng.normal(0, 2, ground.shape)
        yield f"{number:03d} flat {flatness:.2f}", np.clip(photo, 0, 255).astype(np.uint8), cover > 0.5


def _ground(file: Path, flatness: float, rng: np.random.Generator) -> np.ndarray:
    surface: np.ndarray = load_photo(file.read_bytes(), file.name).rgb.astype(np.float32)
    scale = max(_WIDTH / surface.shape[1], _HEIGHT / surface.shape[0]) * 1.02
    surface = cv2.resize(surface, None, fx=scale, fy=scale)[:_HEIGHT, :_WIDTH]
    calm = surface * (1 - 0.8 * flatness) + surface.mean((0, 1)) * 0.8 * flatness
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    light = 1 + rng.uniform(-0.2, 0.2) * (x / _WIDTH - 0.5) + rng.uniform(-0.2, 0.2) * (y / _HEIGHT - 0.5)
    lit: np.ndarray = calm * light[..., None]
    return lit


def _placed(rgb: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An object (H, W, 3) and its cover (H, W), 0 to 1, at a random size and place."""
    mask = cv2.erode(mask.astype(np.uint8), np.ones((3, 3)))
    left, top, width, height = cv2.boundingRect(mask)
    scale = rng.uniform(0.2, 0.75) * _HEIGHT / max(width, height)
    size = (max(int(width * scale), 8), max(int(height * scale), 8))
    crop = (slice(top, top + height), slice(left, left + width))
    x, y = rng.integers(5, _WIDTH - size[0] - 5), rng.integers(5, _HEIGHT - size[1] - 5)
    colours, cover = np.zeros((_HEIGHT, _WIDTH, 3), np.float32), np.zeros((_HEIGHT, _WIDTH), np.float32)
    place = (slice(y, y + size[1]), slice(x, x + size[0]))
    colours[place] = cv2.resize(rgb[crop], size, interpolation=cv2.INTER_AREA)
    cover[place] = cv2.resize(mask[crop].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return colours, cover
