"""A folder with one sub-folder for each class: class/*.jpg, with masks/class/*.png in it or beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pipeline.domain.photo_formats import is_image_name
from pipeline.domain.photo_layout import MASK_FOLDERS, Entry, Layout, class_folders, mask_key, visible
from pipeline.errors import SourceRefused
from pipeline.sources.item import Refusal, SourceItem
from pipeline.sources.trees import FolderTree, Tree, Unreadable


class FolderSource:
    """Class folders on this disk.

    Raises:
        SourceRefused: the folder cannot be read, or holds no images in class folders.
    """

    def __init__(self, root: Path) -> None:
        self.address: str | None = None
        self._tree = FolderTree(root)
        layout = class_folders(self._tree.paths)
        self.note = layout.note
        self.refused = [
            *self._tree.refused,
            *(Refusal(str(file), reason) for file, reason in layout.left_out),
        ]
        if layout.fault or not layout.entries:
            raise SourceRefused(layout.fault or _nothing_in(root, layout))
        self._entries = _with_masks_beside(root, layout.entries)
        self.count: int | None = len(self._entries)

    def items(self) -> Iterator[SourceItem]:
        """Yield every image in order of path."""
        return read_entries(self._tree, self._entries, self.refused)


def read_entries(tree: Tree, entries: Sequence[Entry], refused: list[Refusal]) -> Iterator[SourceItem]:
    """Yield photos with their masks; files that cannot be read go to `refused`."""
    for entry in entries:
        try:
            mask = tree.read(entry.mask) if entry.mask else None
            data = tree.read(entry.path)
            item = SourceItem(entry.label, str(entry.path), data, mask, split=entry.split)
        except Unreadable as error:
            refused.append(Refusal(str(entry.path), str(error)))
            continue
        yield item


def _with_masks_beside(root: Path, entries: Sequence[Entry]) -> list[Entry]:
    """Give photos the masks of a folder `masks` that lies beside the source."""
    absolute = Path(os.path.abspath(root))
    beside = {
        mask_key(path): PurePosixPath(folder / path)
        for name in sorted(MASK_FOLDERS)
        if (folder := absolute.parent / name).is_dir() and folder != absolute
        for path in visible(FolderTree(folder).paths)
        if is_image_name(path)
    }
    return [
        replace(entry, mask=entry.mask or beside.get(mask_key(entry.path))) if beside else entry
        for entry in entries
    ]


def _nothing_in(root: Path, layout: Layout) -> str:
    if any(reason.startswith("is outside") for _, reason in layout.left_out):
        return (
            f"{root} holds images but no class folders; put them into one sub-folder per class, or name their "
            "classes in labels.csv"
        )
    return f"{root} holds no images; a folder with one sub-folder per class is needed"
