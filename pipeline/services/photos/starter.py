"""How far a library is filled with the starter set; the next start completes an interrupted fill."""

from __future__ import annotations

from pathlib import Path

from pipeline.starter import FIELD_COUNT, PER_KIND, Kind
from pipeline.store import Library

STARTER_COUNT = PER_KIND * len(Kind) + FIELD_COUNT
SPLITS = {"starter": "train", "starter:field": "test"}  # source → split
_MARKER = "starter-unfinished"


def marker(library: Library) -> Path:
    """Return the path of the file that exists while a library is being filled."""
    return library.path / _MARKER


def holds_own_photos(library: Library) -> bool:
    """Whether a library holds photos that do not come from the starter set."""
    return any(photo.source not in SPLITS for photo in library.photos.list())
