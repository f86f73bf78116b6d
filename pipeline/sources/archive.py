"""A .zip of class folders, read entry by entry in memory: nothing is extracted to disk."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.errors import SourceRefused
from pipeline.sources.item import MAX_FILE_BYTES, Refusal, SourceItem
from pipeline.sources.layout import image_entries

_MAX_RATIO = 100  # image files hardly compress; a decompression bomb compresses a thousandfold
_RATIO_FROM_BYTES = 2**20
_MAX_TOTAL_BYTES = 50 * 2**30
_MAX_ENTRIES = 1_000_000
_ENCRYPTED = 0x1
_BROKEN = (  # what zipfile and its decoders raise for damaged archives and unknown compression
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # NotImplementedError, of unknown compression, is one
    OSError,
    ValueError,
)


class ZipSource:
    """Class folders in an archive. Entries that would leave the folder, links and decompression bombs are refused.

    Raises:
        SourceRefused: the file is not a zip archive, or holds no usable images in class folders.
    """

    def __init__(self, path: Path) -> None:
        self.note = ""
        self.address: str | None = None
        self.refused: list[Refusal] = []
        try:
            self._archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise SourceRefused(f"{path} is not a readable zip archive: {error}") from None
        self._infos = self._usable()
        self._entries, refused = image_entries(self._infos, unwrap=True)
        self.refused += refused
        self.count: int | None = len(self._entries)
        if not self._entries:
            self._archive.close()
            raise SourceRefused(self._nothing_in(path))

    def items(self) -> Iterator[SourceItem]:
        """Yield every image in order of path."""
        for entry in self._entries:
            try:
                mask = self._read(entry.mask) if entry.mask else None
                item = SourceItem(entry.label, str(entry.path), self._read(entry.path), mask)
            except _BROKEN as error:
                self.refused.append(Refusal(str(entry.path), f"cannot be unpacked: {error}"))
                continue
            yield item

    def _usable(self) -> dict[PurePosixPath, zipfile.ZipInfo]:
        infos = self._archive.infolist()
        if len(infos) > _MAX_ENTRIES:
            raise SourceRefused(f"the archive lists {len(infos)} entries; at most {_MAX_ENTRIES} are read")
        usable: dict[PurePosixPath, zipfile.ZipInfo] = {}
        total = 0
        for info in infos:
            if info.is_dir():
                continue
            total += info.file_size
            path = PurePosixPath(info.filename.replace("\\", "/"))
            reason = _reason_against(info)
            if not reason and total > _MAX_TOTAL_BYTES:
                reason = "the archive unpacks to over 50 GB"
            if not reason and path in usable:
                reason = "the archive holds another file of this name; rename one of them"
            if reason:
                self.refused.append(Refusal(info.filename, reason))
            else:
                usable[path] = info
        return usable

    def _read(self, path: PurePosixPath) -> bytes:
        with self._archive.open(self._infos[path]) as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ValueError(f"larger than {MAX_FILE_BYTES >> 20} MB")
        return data

    def _nothing_in(self, path: Path) -> str:
        if self.refused:
            first = self.refused[0]
            return f"nothing in {path} can be used; for example {first.name} {first.reason}"
        return f"{path} holds no images; an archive with one folder per class is needed"


def _reason_against(info: zipfile.ZipInfo) -> str:
    """Return why an entry is refused; "" where it is not."""
    name = info.filename.replace("\\", "/")
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
