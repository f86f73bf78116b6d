"""Reads a plain folder of photos, one folder a class, by the rules of the import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.domain.photo_layout import class_folders
from pipeline.domain.release import Origin
from pipeline.errors import ReleaseRefused
from training.data.rows import PHOTO, LabelledRows, Row

_TRAIN = "train"


def folder_rows(folder: Path, split: str | None) -> LabelledRows:
    """Read the photos of `folder/class/*.jpg`, sorted by class and name.

    Hidden files and masks are passed over; folders inside a class, and round all classes, are looked through.

    Args:
        split: train or test: its photos only, where folders round the class folders name the splits; a folder without
            splits is all train. None: all photos.

    Raises:
        ReleaseRefused: there are no class folders with images.
    """
    layout = class_folders(_files(folder))
    if layout.fault:
        raise ReleaseRefused(f"{folder} cannot be read as class folders: {layout.fault}")
    if not layout.entries:
        raise ReleaseRefused(
            f"{folder} holds neither a release (data/*.parquet) nor class folders with images; "
            "choose a published release or a folder class/*.jpg"
        )
    chosen = [entry for entry in layout.entries if split is None or (entry.split or _TRAIN) == split]
    entries = sorted(chosen, key=lambda entry: (entry.label, entry.path))
    classes = tuple(dict.fromkeys(entry.label for entry in entries))
    rows = (
        Row(_bytes(folder / entry.path), entry.label, str(Origin.REAL), PHOTO, str(folder / entry.path))
        for entry in entries
    )
    return LabelledRows(classes, rows)


def _files(folder: Path) -> Iterator[PurePosixPath]:
    """Yield the files of a folder, relative to it; links are followed, each folder is entered once."""
    entered: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(place) in entered:
            folders.clear()
            continue
        entered.add(os.path.realpath(place))
        for name in names:
            yield PurePosixPath((Path(place) / name).relative_to(folder))


def _bytes(file: Path) -> bytes:
    """Read a file; empty where it cannot be read, which no decoder accepts."""
    try:
        return file.read_bytes()
    except OSError:
        return b""
