"""Filling a new library with the starter set, so that an interrupted first start is finished by the next one."""

from __future__ import annotations

from pipeline.services.photos.importing import Progress, import_photos
from pipeline.services.reports import ImportReport
from pipeline.settings import Settings
from pipeline.starter import FIELD_COUNT, PER_KIND, Kind
from pipeline.store import Library

STARTER_COUNT = PER_KIND * len(Kind) + FIELD_COUNT
_SPLITS = {"starter": "train", "starter:field": "test"}  # source → split
_MARKER = "starter-unfinished"  # a file in the library, there while it is being filled


def wants_starter(library: Library, settings: Settings) -> bool:
    """Whether the library is to be filled: it is empty, or an earlier start did not come to its end.

    A library that holds a person's own photos is left alone, whatever it lacks of the starter set. Where the library
    comes back from a state folder the marker is lost with the machine, so the number of photos decides.
    """
    if not settings.starter:
        return False
    count = sum(library.counts().classes.values())
    if not count:
        return True
    begun = (library.path / _MARKER).exists() or bool(settings.state)
    return begun and count < STARTER_COUNT and not _holds_own_photos(library)


def fill_with_starter(
    library: Library, settings: Settings, on_progress: Progress | None = None
) -> list[ImportReport]:
    """Import what the library lacks of the starter set and its field test set, where it is to be filled."""
    if not wants_starter(library, settings):
        return []
    marker = library.path / _MARKER
    marker.touch()
    reports = []
    for source, split in _SPLITS.items():
        if _holds_own_photos(library):  # brought while this was at work
            break
        reports.append(import_photos(library, source, split=split, on_progress=on_progress))
    marker.unlink(missing_ok=True)
    return reports


def _holds_own_photos(library: Library) -> bool:
    return any(photo.source not in _SPLITS for photo in library.photos.list())
