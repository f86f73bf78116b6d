"""Trees of files: a folder on this disk, or a .zip that is read entry by entry in memory. Nothing is extracted."""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from pipeline.errors import SourceRefused
from pipeline.sources.item import MAX_FILE_BYTES, Refusal

_MAX_RATIO = 100  # image files hardly compress; a decompression bomb compresses a thousandfold
_RATIO_FROM_BYTES = 2**20
_MAX_TOTAL_BYTES = 50 * 2**30
_MAX_ENTRIES = 1_000_000
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags of an entry
_BROKEN = (  # what zipfile and its decoders raise for damaged archives and unknown compression
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # includes NotImplementedError, which zipfile raises for unknown compression
    OSError,
    ValueError,
)


class Unreadable(Exception):
    """A file of a tree cannot be read; the message says why, as a clause."""


class Tree(Protocol):
    """Files of a source that may be read."""

    name: str  # for messages
    paths: tuple[PurePosixPath, ...]  # of regular files, relative to the root
    refused: list[Refusal]  # files that are not among them

    def read(self, path: PurePosixPath) -> bytes:
        """Return the bytes of a file.

        Raises:
            Unreadable: it cannot be read, or is larger than `MAX_FILE_BYTES`.
        """
        ...


class FolderTree:
    """The files of a folder. Symbolic links are refused, whatever they point to.

    Args:
        deep: whether the folders inside it belong to it.

    Raises:
        SourceRefused: the folder cannot be read.
    """

    def __init__(self, root: Path, *, deep: bool = True) -> None:
        self.root, self.name, self._deep = root, str(root), deep
        self.refused: list[Refusal] = []
        self.paths = tuple(self._files())

    def read(self, path: PurePosixPath) -> bytes:
        """Return the bytes of a file; see `Tree`."""
        try:
            full = self.root / path
            size = full.stat().st_size
            if size > MAX_FILE_BYTES:
                raise Unreadable(
                    f"cannot be read: {size >> 20} MB; at most {MAX_FILE_BYTES >> 20} MB are read"
                )
            return full.read_bytes()
        except OSError as error:
            raise Unreadable(_unreadable(error)) from error

    def _files(self) -> Iterator[PurePosixPath]:
        def refuse(error: OSError) -> None:
            if Path(error.filename or self.root) == self.root:
                raise SourceRefused(f"{self.root} cannot be read: {error.strerror}; check its permissions")
            self.refused.append(Refusal(self._inside(Path(error.filename)), _unreadable(error)))

        for place, folders, files in os.walk(self.root, onerror=refuse):
            for name in sorted(folders + files):
                path = Path(place) / name
                if path.is_symlink():
                    reason = "is a symbolic link; copy the file itself into the folder"
                    self.refused.append(Refusal(self._inside(path), reason))
                elif name in folders:
                    continue
                elif not path.is_file():
                    self.refused.append(Refusal(self._inside(path), "is not a regular file"))
                else:
                    yield PurePosixPath(self._inside(path))
            if not self._deep:
                return

    def _inside(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


class ZipTree:
    """The entries of an archive. Those that would leave the folder, links and decompression bombs are refused.

    Raises:
        SourceRefused: the file is not a zip archive.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.refused: list[Refusal] = []
        try:
            self._archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise SourceRefused(f"{path} is not a readable zip archive: {error}") from None
        self._infos = self._usable()
        self.paths = tuple(self._infos)

    def read(self, path: PurePosixPath) -> bytes:
        """Return the bytes of an entry; see `Tree`."""
        try:
            with self._archive.open(self._infos[path]) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except _BROKEN as error:
            raise Unreadable(f"cannot be unpacked: {error}") from error
        if len(data) > MAX_FILE_BYTES:
            raise Unreadable(f"cannot be unpacked: larger than {MAX_FILE_BYTES >> 20} MB")
        return data

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _usable(self) -> dict[PurePosixPath, zipfile.ZipInfo]:
        infos = self._archive.infolist()
        if len(infos) > _MAX_ENTRIES:
            raise SourceRefused(f"the archive lists {len(infos)} entries; at most {_MAX_ENTRIES} are read")
        names = _names(infos)
        usable: dict[PurePosixPath, zipfile.ZipInfo] = {}
        total = 0
        for info, name in zip(infos, names, strict=True):
            if info.is_dir():
                continue
            total += info.file_size
            path = PurePosixPath(name)
            reason = _reason_against(info, name)
            if not reason and total > _MAX_TOTAL_BYTES:
                reason = "the archive unpacks to over 50 GB"
            if not reason and path in usable:
                reason = "the archive holds another file of this name; rename one of them"
            if reason:
                self.refused.append(Refusal(name, reason))
            else:
                usable[path] = info
        return usable


def _names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """Return the names of entries, with `/` between folders.

    Older macOS and some servers write UTF-8 without its mark, and `zipfile` then reads it as code page 437. UTF-8 is
    hard to hit by chance: where all unmarked names of an archive are valid UTF-8, they are UTF-8.
    """
    unmarked: dict[str, str] = {}
    for info in infos:
        if not info.flag_bits & _UTF8 and not info.filename.isascii():
            try:
                unmarked[info.filename] = info.filename.encode("cp437").decode("utf-8")
            except UnicodeError:
                unmarked = {}
                break
    return [
        (unmarked.get(info.filename, info.filename) if not info.flag_bits & _UTF8 else info.filename).replace(
            "\\", "/"
        )
        for info in infos
    ]


def _reason_against(info: zipfile.ZipInfo, name: str) -> str:
    """Return why an entry is refused; "" where it is not."""
    components = name.split("/")
    if name.startswith("/") or ".." in components or ":" in components[0]:
        return "its path leaves the folder"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a symbolic link; pack the file itself"
    if kind not in (0, stat.S_IFREG):
        return "is not a regular file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; pack it without a password"
    if info.file_size > MAX_FILE_BYTES:
        return f"unpacks to {info.file_size >> 20} MB; at most {MAX_FILE_BYTES >> 20} MB are read"
    if info.file_size > _RATIO_FROM_BYTES and info.file_size > _MAX_RATIO * max(info.compress_size, 1):
        ratio = info.file_size // max(info.compress_size, 1)
        return f"unpacks to {ratio} times its size, as decompression bombs do"
    return ""


def _unreadable(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"
