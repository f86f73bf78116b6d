"""Open a source by its name: a folder, an archive, a data set of the Hub, or the starter set."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pipeline.errors import SourceRefused
from pipeline.sources.address import PREFIX, Token, hub_address
from pipeline.sources.archive import ZipSource
from pipeline.sources.columns import ColumnMap
from pipeline.sources.folder import FolderSource
from pipeline.sources.hub import opened_hub, resolved_commit
from pipeline.sources.item import Source
from pipeline.sources.release import Release, folder_release, hub_release
from pipeline.sources.starter_set import STARTER, STARTER_FIELD, opened_starter


def open_source(
    source: str,
    columns: ColumnMap = ColumnMap(),  # noqa: B008
    *,
    token: Token = None,
) -> Source | Release:
    """Open a folder of class folders, a .zip of one, hf://datasets/ns/name, `starter` or `starter:field`.

    Args:
        columns: for data sets on the Hub; guessed without them (`note` tells).
        token: who asks the Hub; see `Token`.

    Returns:
        Photographs; or a release of ours, where the folder or the whole data set is one.

    Raises:
        SourceRefused: the source does not exist or holds nothing that can be read.
        UnknownName: a part of a data set that there is not.
    """
    if source in (STARTER, STARTER_FIELD):
        return opened_starter(source)
    if source.startswith(PREFIX):
        return _on_the_hub(source, columns, token)
    if "://" in source:
        raise SourceRefused(f"'{source}' is no known kind of address; hf://datasets/owner/name is")
    if columns != ColumnMap():
        raise SourceRefused(f"{source} has no columns; they are named for data sets of the Hub only")
    path = Path(source).expanduser()
    if path.is_dir():
        return folder_release(path) or FolderSource(path)
    if not path.exists():
        raise SourceRefused(
            f"{path} does not exist; give a folder with one sub-folder per class, or a .zip of one"
        )
    if zipfile.is_zipfile(path):
        return ZipSource(path)
    raise SourceRefused(f"{path} is neither a folder nor a zip archive")


def _on_the_hub(source: str, columns: ColumnMap, token: Token) -> Source | Release:
    address = hub_address(source)
    commit = resolved_commit(address, token)
    if address.whole and columns == ColumnMap() and (release := hub_release(address, commit, token)):
        return release
    return opened_hub(address, commit, columns, token)
