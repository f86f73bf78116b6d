"""The door: which kind of source a name means."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pipeline.errors import SourceRefused
from pipeline.sources.archive import ZipSource
from pipeline.sources.folder import FolderSource
from pipeline.sources.hub import PREFIX, opened_hub
from pipeline.sources.item import Source
from pipeline.sources.starter_set import STARTER, STARTER_FIELD, opened_starter


def open_source(source: str, *, image_column: str | None = None, label_column: str | None = None) -> Source:
    """Open a folder of class folders, a .zip of one, hf://datasets/ns/name, `starter` or `starter:field`.

    Args:
        image_column, label_column: for data sets on the Hub; guessed without them (`note` tells).

    Raises:
        SourceRefused: the source does not exist or holds nothing that can be read.
    """
    if source in (STARTER, STARTER_FIELD):
        return opened_starter(source)
    if source.startswith(PREFIX):
        return opened_hub(source, image_column=image_column, label_column=label_column)
    if "://" in source:
        raise SourceRefused(f"'{source}' is no known kind of address; hf://datasets/owner/name is")
    path = Path(source).expanduser()
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise SourceRefused(
            f"{path} does not exist; give a folder with one sub-folder per class, or a .zip of one"
        )
    if zipfile.is_zipfile(path):
        return ZipSource(path)
    raise SourceRefused(f"{path} is neither a folder nor a zip archive")
