"""A picture of a few examples: one row a class, photos first, samples behind them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.domain.images import RGB, decode, fitted
from pipeline.domain.release import Subset
from pipeline.publish.source import ReleaseSource, Survey

GRID_NAME = "samples.webp"
_TILE_PX = 160
_GAP_PX = 6
_GROUND = 255
_COLUMNS = 5
_MOST_CLASSES = 12
_QUALITY = 85


def grid_ids(found: Survey) -> list[list[str]]:
    """Which pictures the grid shows, row by row: one photo and up to four samples, or photos alone."""
    rows = []
    for label in found.labels[:_MOST_CLASSES]:
        real = found.examples.get((label, Subset.REAL), [])
        synthetic = found.examples.get((label, Subset.SYNTHETIC), [])
        shown = real[:1] + synthetic[: _COLUMNS - 1] if synthetic else real[:_COLUMNS]
        rows.append(shown)
    return rows


def sample_grid(rows: Sequence[Sequence[RGB]]) -> RGB:
    """Pictures of any size as square tiles on white, row by row.

    Returns:
        (rows x 166 + 6, columns x 166 + 6, 3) uint8.
    """
    step = _TILE_PX + _GAP_PX
    columns = max(len(row) for row in rows)
    canvas = np.full((len(rows) * step + _GAP_PX, columns * step + _GAP_PX, 3), _GROUND, np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            top, left = y * step + _GAP_PX, x * step + _GAP_PX
            canvas[top : top + _TILE_PX, left : left + _TILE_PX] = fitted(picture, (_TILE_PX, _TILE_PX))
    return canvas


def write_grid(source: ReleaseSource, found: Survey, folder: Path) -> None:
    """Write the grid of a release into its folder."""
    rows = [[decode(source.images.read_bytes(blob_id)) for blob_id in row] for row in grid_ids(found)]
    packed = io.BytesIO()
    Image.fromarray(sample_grid(rows)).save(packed, "WEBP", quality=_QUALITY, method=2)
    (folder / GRID_NAME).write_bytes(packed.getvalue())
