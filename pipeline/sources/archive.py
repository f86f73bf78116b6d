"""A .zip of class folders, read entry by entry in memory: nothing is extracted to disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.domain.photo_layout import class_folders
from pipeline.errors import SourceRefused
from pipeline.sources.class_folders import read_entries
from pipeline.sources.item import Refusal, SourceItem
from pipeline.sources.trees import ZipTree


class ZipSource:
    """Class folders in an archive.

    Raises:
        SourceRefused: the file is not a zip archive, or holds no usable images in class folders.
    """

    def __init__(self, path: Path) -> None:
        self.address: str | None = None
        self._tree = ZipTree(path)
        layout = class_folders(self._tree.paths)
        self.note = layout.note
        self.refused = [
            *self._tree.refused,
            *(Refusal(str(file), reason) for file, reason in layout.left_out),
        ]
        self._entries = layout.entries
        self.count: int | None = len(self._entries)
        if layout.fault or not self._entries:
            self._tree.close()
            raise SourceRefused(layout.fault or self._nothing_in(path))

    def items(self) -> Iterator[SourceItem]:
        """Yield every image in order of path."""
        return read_entries(self._tree, self._entries, self.refused)

    def _nothing_in(self, path: Path) -> str:
        if self.refused:
            first = self.refused[0]
            return f"nothing in {path} can be used; for example {first.name} {first.reason}"
        return f"{path} holds no images; an archive with one folder per class is needed"
