"""Open a source by its name: one row for each kind of source.

To add a kind, write a module with a class that has the attributes of `Source`, and add a row to `OPENERS`. The command
line's help, the Photos page and the error messages read the table.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SourceRefused
from pipeline.sources.address import PREFIX, Token, hub_address
from pipeline.sources.archive import ZipSource
from pipeline.sources.class_folders import FolderSource
from pipeline.sources.coco import CocoSource, coco_files
from pipeline.sources.columns import ColumnMap
from pipeline.sources.hub_dataset import open_hub_dataset, resolved_commit
from pipeline.sources.item import Source
from pipeline.sources.listed import ListedSource, has_lists, image_lists
from pipeline.sources.published_release import MARKER, Release, folder_release, hub_release
from pipeline.sources.starter_set import STARTER, STARTER_FIELD, open_starter_set
from pipeline.sources.trees import FolderTree, Tree, ZipTree
from pipeline.sources.yolo import YoloSource, yolo_layout

Opened = Source | Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """One kind of source."""

    name: str  # what a person writes, in a few words: for messages and labels; rows may share it
    description: str  # the same in full: for help texts
    accepts: Callable[[str], bool]  # whether a source is of this kind
    open: Callable[[str, ColumnMap, Token], Opened]
    has_columns: bool = False  # whether a person may name its columns


def _is_folder(source: str) -> bool:
    return os.path.isdir(_path(source))  # False where Path.is_dir raises: names that are too long


def _is_zip(source: str) -> bool:
    return os.path.isfile(_path(source)) and zipfile.is_zipfile(_path(source))


def _path(source: str) -> Path:
    return Path(os.path.expanduser(source))  # Path.expanduser raises for an unknown user


def _is_tree(source: str) -> bool:
    return _is_zip(source) or (_is_folder(source) and not (_path(source) / MARKER).exists())


def _tree(source: str) -> Tree:
    return FolderTree(_path(source)) if _is_folder(source) else ZipTree(_path(source))


def _open_yolo(source: str, _columns: ColumnMap, _token: Token) -> Opened:
    tree = _tree(source)
    layout = yolo_layout(tree)
    assert layout is not None
    return YoloSource(tree, layout)


def _open_coco(source: str, _columns: ColumnMap, _token: Token) -> Opened:
    tree = _tree(source)
    return CocoSource(tree, coco_files(tree))


def _open_listed(source: str, columns: ColumnMap, _token: Token) -> Opened:
    tree = _tree(source)
    return ListedSource(tree, image_lists(tree, columns))


def _open_folder(source: str, _columns: ColumnMap, _token: Token) -> Opened:
    return folder_release(_path(source)) or FolderSource(_path(source))


def _open_hub(source: str, columns: ColumnMap, token: Token) -> Opened:
    address = hub_address(source)
    commit = resolved_commit(address, token)
    if address.whole and columns == ColumnMap() and (release := hub_release(address, commit, token)):
        return release
    return open_hub_dataset(address, commit, columns, token)


OPENERS: tuple[Opener, ...] = (  # the first that accepts a source opens it
    Opener(
        name=f"'{STARTER}'",
        description=f"'{STARTER}' or '{STARTER_FIELD}' for the rendered starter set or its test set",
        accepts=lambda source: source in (STARTER, STARTER_FIELD),
        open=lambda source, _columns, _token: open_starter_set(source),
    ),
    Opener(
        name=f"{PREFIX}owner/name",
        description=f"{PREFIX}owner/name@revision?config=…&split=… for a dataset or a release on the Hub",
        accepts=lambda source: source.startswith(PREFIX),
        open=_open_hub,
        has_columns=True,
    ),
    Opener(
        name="a folder",
        description="a folder or .zip with a YOLO dataset",
        accepts=lambda source: _is_tree(source) and yolo_layout(_tree(source)) is not None,
        open=_open_yolo,
    ),
    Opener(
        name="a folder",
        description="a folder or .zip with a COCO dataset",
        accepts=lambda source: _is_tree(source) and bool(coco_files(_tree(source))),
        open=_open_coco,
    ),
    Opener(
        name="a folder",
        description="a folder or .zip of images with labels.csv, metadata.csv or metadata.jsonl",
        accepts=lambda source: _is_tree(source) and has_lists(_tree(source)),
        open=_open_listed,
        has_columns=True,
    ),
    Opener(
        name="a folder",
        description="a folder with one sub-folder per class, or a release in a folder",
        accepts=_is_folder,
        open=_open_folder,
    ),
    Opener(
        name="a .zip",
        description="a .zip of class folders",
        accepts=_is_zip,
        open=lambda source, _columns, _token: ZipSource(_path(source)),
    ),
)


def sources_help() -> str:
    """Return one line for help texts: every kind of source."""
    return "; ".join(opener.description for opener in OPENERS)


def source_names() -> str:
    """Return a few words for messages and labels, such as "'starter', a folder or a .zip"."""
    *names, last = dict.fromkeys(opener.name for opener in OPENERS)
    return f"{', '.join(names)} or {last}"


def open_source(
    source: str,
    columns: ColumnMap = ColumnMap(),  # noqa: B008
    *,
    token: Token = None,
) -> Opened:
    """Open a source of photos by its name.

    Args:
        source: see `OPENERS`.
        columns: of a dataset on the Hub; guessed where they are not named (`note` tells).
        token: used for requests to the Hub; see `Token`.

    Returns:
        Photos; or a release of Backlot, where the folder or the whole dataset is one.

    Raises:
        SourceRefused: the source does not exist or holds nothing that can be read.
        UnknownName: the dataset lacks the configuration, split, column or revision that is asked for.
    """
    opener = next((opener for opener in OPENERS if opener.accepts(source)), None)
    if opener is None:
        raise SourceRefused(_unknown(source))
    if columns != ColumnMap() and not opener.has_columns:
        raise SourceRefused(f"{source} has no columns; name columns for datasets on the Hub only")
    return opener.open(source, columns, token)


def _unknown(source: str) -> str:
    if "://" in source:
        return f"'{source}' is not a known kind of address; name {source_names()}"
    if not os.path.exists(_path(source)):
        return f"{_path(source)} does not exist; name {source_names()}"
    return f"{_path(source)} is not a source of photos; name {source_names()}"
