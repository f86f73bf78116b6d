"""How far a library is filled with the starter set; the next start completes an interrupted fill."""

from __future__ import annotations

from pathlib import Path

from pipeline.domain.photos import Photo
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
    return not all(map(is_starter, library.photos.list()))


def is_starter(photo: Photo) -> bool:
    """Whether a photo comes from the starter set."""
    return photo.source in SPLITS


def was_removed(library: Library) -> bool:
    """Whether a person deleted photos of the starter set, so that no start brings them back."""
    return library.photos.deleted(SPLITS) > 0
