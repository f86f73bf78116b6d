"""An image of a few examples: one row for each class, photos first, then samples."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.domain.images import RGB, decode, fitted
from pipeline.domain.release import Subset
from pipeline.publish.contents import ReleaseContents
from pipeline.publish.release_source import ReleaseSource

GRID_NAME = "samples.webp"
_TILE_PX = 160
_GAP_PX = 6
_BACKGROUND = 255
_COLUMNS = 5
_MOST_CLASSES = 12
_QUALITY = 85


def grid_ids(contents: ReleaseContents) -> list[list[str]]:
    """Return the image ids that the grid shows, row by row: one photo and up to four samples, or photos alone."""
    rows = []
    for label in contents.labels[:_MOST_CLASSES]:
        photos = contents.examples.get((label, Subset.REAL), [])
        samples = contents.examples.get((label, Subset.SYNTHETIC), [])
        rows.append(photos[:1] + samples[: _COLUMNS - 1] if samples else photos[:_COLUMNS])
    return rows


def example_grid(rows: Sequence[Sequence[RGB]]) -> RGB:
    """Draw images of any size as square tiles on white, row by row.

    Returns:
        (rows x 166 + 6, columns x 166 + 6, 3) uint8.
    """
    step = _TILE_PX + _GAP_PX
    columns = max(len(row) for row in rows)
    canvas = np.full((len(rows) * step + _GAP_PX, columns * step + _GAP_PX, 3), _BACKGROUND, np.uint8)
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            top, left = y * step + _GAP_PX, x * step + _GAP_PX
            canvas[top : top + _TILE_PX, left : left + _TILE_PX] = fitted(image, (_TILE_PX, _TILE_PX))
    return canvas


def write_grid(source: ReleaseSource, contents: ReleaseContents, folder: Path) -> None:
    """Write the grid of a release into its folder."""
    rows = [[decode(source.images.read_bytes(image_id)) for image_id in row] for row in grid_ids(contents)]
    packed = io.BytesIO()
    Image.fromarray(example_grid(rows)).save(packed, "WEBP", quality=_QUALITY, method=2)
    (folder / GRID_NAME).write_bytes(packed.getvalue())
