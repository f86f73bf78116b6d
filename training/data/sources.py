"""Finds out what a data set is: a release in a folder or on the Hub, or a plain folder of photos by class."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import ReleaseRefused
from training.data.folder_rows import folder_rows
from training.data.release_rows import release_rows
from training.data.rows import NO_ROWS, LabelledRows

_HUB_ID = re.compile(r"(hf://datasets/)?\w[\w.-]*/[\w.-]+")


def rows_of(dataset: str, config: str, split: str | None) -> LabelledRows:
    """Open one configuration and split (None: all its splits); empty where the data set lacks them.

    Args:
        dataset: a release folder, a plain folder class/*.jpg (all of it real training photos) or train/class/*.jpg
            with test/class/*.jpg, or a Hub id ns/name.
        config: "real" or "synthetic".
        split: "train", "test" or None.

    Raises:
        ReleaseRefused: it does not exist or cannot be read.
    """
    folder = Path(dataset)
    if folder.is_dir() and next(folder.rglob("*.parquet"), None) is None:
        return folder_rows(folder, split) if config == "real" else NO_ROWS
    if not folder.is_dir() and (not _HUB_ID.fullmatch(dataset) or folder.parent.is_dir()):
        raise ReleaseRefused(
            f"{dataset} does not exist; give a release folder, a folder class/*.jpg, or a Hub id ns/name"
        )
    return release_rows(dataset, config, split)
