"""A folder with one sub-folder for each class: class/*.jpg, with masks/class/*.png in it or beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.errors import SourceRefused
from pipeline.sources.item import MAX_FILE_BYTES, Refusal, SourceItem
from pipeline.sources.layout import MASKS, Entry, image_entries


class FolderSource:
    """Class folders on this disk. Symbolic links are refused, whatever they point to.

    Raises:
        SourceRefused: the folder cannot be read, or holds no images in class folders.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.note = ""
        self.address: str | None = None
        self.refused: list[Refusal] = []
        entries, refused = image_entries(self._files(root), unwrap=False)
        self.refused += refused
        if not entries:
            raise SourceRefused(_nothing_in(root, refused))
        self._entries = entries
        self.count: int | None = len(entries)

    def items(self) -> Iterator[SourceItem]:
        """Yield every image in order of path."""
        for entry in self._entries:
            try:
                item = SourceItem(entry.label, str(entry.path), self._read(entry.path), self._mask(entry))
            except OSError as error:
                self.refused.append(Refusal(str(entry.path), _unreadable(error)))
                continue
            yield item

    def _files(self, root: Path) -> Iterator[PurePosixPath]:
        def refuse(error: OSError) -> None:
            if Path(error.filename or root) == root:
                raise SourceRefused(f"{root} cannot be read: {error.strerror}; check its permissions")
            self.refused.append(Refusal(self._inside(Path(error.filename)), _unreadable(error)))

        for place, folders, files in os.walk(root, onerror=refuse):
            here = Path(place)
            for name in sorted(folders + files):
                path = here / name
                if path.is_symlink():
                    self.refused.append(
                        Refusal(
                            self._inside(path), "is a symbolic link; copy the file itself into the folder"
                        )
                    )
                elif name in folders:
                    continue
                elif not path.is_file():
                    self.refused.append(Refusal(self._inside(path), "is not a regular file"))
                else:
                    yield PurePosixPath(self._inside(path))

    def _inside(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _read(self, path: PurePosixPath) -> bytes:
        full = self.root / path
        size = full.stat().st_size
        if size > MAX_FILE_BYTES:
            raise OSError(0, f"{size >> 20} MB; at most {MAX_FILE_BYTES >> 20} MB are read")
        return full.read_bytes()

    def _mask(self, entry: Entry) -> bytes | None:
        if entry.mask:
            return self._read(entry.mask)
        beside = self.root.parent / MASKS / entry.path.with_suffix(".png")
        if beside.is_file() and not beside.is_symlink():
            return self._read(PurePosixPath(os.path.relpath(beside, self.root)))
        return None


def _unreadable(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


def _nothing_in(root: Path, refused: list[Refusal]) -> str:
    if any(refusal.reason.startswith("is outside") for refusal in refused):
        return f"{root} holds images but no class folders; put them into one sub-folder per class"
    return f"{root} holds no images; a folder with one sub-folder per class is needed"
