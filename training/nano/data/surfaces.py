"""The textures that scenes are made of: photos where available, drawn tiles for every word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import SourceRefused
from training.nano.data.procedural import SURFACE_DRAWERS
from training.nano.data.words import SURFACE_FOLDERS

TILE_PX = 128
DRAWN_PER_WORD = 40
PHOTO_SHARE = 0.2  # drawn tiles show their word more plainly at this size, and nano learns them sooner
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Textures by surface word; every texture is (128, 128, 3) uint8."""

    photos: dict[str, list[np.ndarray]]
    drawn: dict[str, list[np.ndarray]]
    extras: list[np.ndarray]  # crops of shop images, for objects only

    def texture(self, word: str, rng: np.random.Generator, *, photo_share: float = PHOTO_SHARE) -> np.ndarray:
        """Choose a texture of a word: a photo in that share of the cases, where there are photos."""
        photos = self.photos.get(word, [])
        drawn = self.drawn[word]
        if photos and (not drawn or rng.random() < photo_share):
            return photos[rng.integers(len(photos))]
        return drawn[rng.integers(len(drawn))]


def load_surfaces(
    folder: Path | None, shelves: Path | None, *, held_out: bool, held_out_share: float, seed: int
) -> Surfaces:
    """Load all textures, either without the held-out photos or with only those.

    Args:
        folder: category folders of images, named as in `words.SURFACE_FOLDERS`; None = none.
        shelves: images to texture objects with; None = none.
        held_out: True gives the held-out photos only, and drawn tiles of another seed.
        held_out_share: share of the photos held out, chosen by the hash of the file's bytes.
        seed: of the drawn tiles.

    Raises:
        SourceRefused: a folder is missing, holds no image, or holds one that cannot be read.
    """
    files = surface_files(folder, held_out=held_out, held_out_share=held_out_share)
    photos = {word: [clearer(square(file)) for file in paths] for word, paths in files.items()}
    extras = [
        square(file)
        for file in _images(existing_folder(shelves))
        if _is_held_out(file, held_out_share) == held_out
    ]
    return Surfaces(photos, drawn_tiles(seed, held_out), extras)


def surface_files(folder: Path | None, *, held_out: bool, held_out_share: float) -> dict[str, list[Path]]:
    """List the photos of each surface word, see `load_surfaces`."""
    existing_folder(folder)
    photos = {
        word: [file for name in names for file in _images(folder / name if folder else None)]
        for word, names in SURFACE_FOLDERS.items()
    }
    if folder is not None and not any(photos.values()):
        raise SourceRefused(
            f"{folder} holds no photos of surfaces; folders such as "
            f"{', '.join(list(chain(*SURFACE_FOLDERS.values()))[:3])} are needed"
        )
    return {
        word: [file for file in files if _is_held_out(file, held_out_share) == held_out]
        for word, files in photos.items()
    }


def existing_folder(folder: Path | None) -> Path | None:
    """Return the folder unless it is missing.

    Raises:
        SourceRefused: a folder is named and not there.
    """
    if folder is not None and not folder.is_dir():
        raise SourceRefused(
            f"there is no folder {folder} with photos; name yours (--surfaces, --shelves, --objects), "
            "or leave them out (--no-photographs)"
        )
    return folder


@lru_cache(maxsize=2)
def drawn_tiles(seed: int, held_out: bool) -> dict[str, list[np.ndarray]]:
    """Draw the tiles of every surface word, (128, 128, 3) uint8 each; this takes seconds."""
    rng = np.random.default_rng([seed, int(held_out)])
    drawn = {}
    for word in SURFACE_FOLDERS:
        tiles = [SURFACE_DRAWERS[word](rng, TILE_PX) for _ in range(DRAWN_PER_WORD)]
        drawn[word] = [np.clip(tile, 0, 255).astype(np.uint8) for tile in tiles]
    return drawn


def _images(folder: Path | None) -> Sequence[Path]:
    if folder is None or not folder.is_dir():
        return ()
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)


def square(file: Path) -> np.ndarray:
    """Read the middle square of a photo as (128, 128, 3) uint8.

    Raises:
        SourceRefused: it cannot be read.
    """
    pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if pixels is None:
        raise SourceRefused(f"{file} is not a readable image; remove it from the folder")
    image = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    image = image[top : top + side, left : left + side]
    if side != TILE_PX:
        image = cv2.resize(image, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
    return image


def clearer(image: np.ndarray) -> np.ndarray:
    """Raise the contrast of a pale (H, W, 3) uint8 image: the structure of scans would be lost at this size."""
    mean = image.mean((0, 1))
    gain = np.clip(26.0 / (image.mean(-1).std() + 1e-3), 1.0, 2.2)
    return np.asarray(np.clip((image - mean) * gain + mean, 0, 255).astype(np.uint8))


def _is_held_out(file: Path, share: float) -> bool:
    return int(sha256(file.read_bytes()).hexdigest()[:8], 16) / 2**32 < share
