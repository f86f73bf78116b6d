"""Reads a plain folder of photos: one folder a class."""

from __future__ import annotations

from pathlib import Path

from pipeline.domain.release import Origin
from pipeline.errors import ReleaseRefused
from training.data.rows import PHOTO, LabelledRows, Row

_IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


def folder_rows(folder: Path) -> LabelledRows:
    """Read the photos of `folder/class/*.jpg`, sorted by class and name.

    Raises:
        ReleaseRefused: there are no class folders with images.
    """
    files = [
        (class_folder.name, file)
        for class_folder in sorted(folder.iterdir())
        if class_folder.is_dir()
        for file in sorted(class_folder.iterdir())
        if file.suffix.lower() in _IMAGE_SUFFIXES and not file.is_dir()
    ]
    if not files:
        raise ReleaseRefused(
            f"{folder} holds neither a release (data/*.parquet) nor class folders with images; "
            "choose a published release or a folder class/*.jpg"
        )
    classes = tuple(dict.fromkeys(label for label, _file in files))
    rows = (Row(_bytes(file), label, str(Origin.REAL), PHOTO, str(file)) for label, file in files)
    return LabelledRows(classes, rows)


def _bytes(file: Path) -> bytes:
    """Read a file; empty where it cannot be read, which no decoder accepts."""
    try:
        return file.read_bytes()
    except OSError:
        return b""
