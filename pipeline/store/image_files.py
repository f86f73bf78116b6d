"""Pictures on disk, named by the hash of their pixels: written once, never changed."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.domain.images import decode, encode_webp, pixel_hash
from pipeline.errors import DamagedPicture, NotFound
from pipeline.store.checksums import Checksums

_SUFFIX = ".webp"
_STALE_S = 3600.0  # a temporary file of this age belongs to a process that was killed


class Blobs:
    """Lossless WebP files under one folder: `ab/abcdef….webp`. Safe for many threads and processes.

    Args:
        folder: of the files.
        checksums: the file that notes which of them are known to be sound, in no folder that a browser may read.
    """

    def __init__(self, folder: Path, checksums: Path) -> None:
        self.folder = folder
        self._checksums = Checksums(checksums)
        self._temporary = folder / "tmp"

    def prepare(self) -> None:
        """Make the folders, prove that they can be written, and remove what killed processes left behind.

        Raises:
            OSError: the folder cannot be written.
        """
        self._temporary.mkdir(parents=True, exist_ok=True)
        probe = self._temporary / f"probe-{uuid.uuid4().hex}"
        probe.touch()
        probe.unlink()
        too_old = time.time() - _STALE_S
        for left in self._temporary.iterdir():
            with suppress(FileNotFoundError):  # another process may sweep or finish it just now
                if left.stat(follow_symlinks=False).st_mtime < too_old:
                    left.unlink()

    def put(self, pixels: np.ndarray, xmp: bytes = b"") -> str:
        """Store a picture, (H, W), (H, W, 3) or (H, W, 4) uint8; its id. The same pixels are stored once.

        The note `xmp` of who stores them first stays. A missing or damaged file is written anew.

        Raises:
            OSError: the disk is full or read-only; nothing is left behind.
        """
        blob_id = pixel_hash(pixels)
        if not self.is_sound(blob_id):
            data = encode_webp(pixels, xmp=xmp)
            self._write(blob_id, data)
            self._checksums.note(blob_id, data)
        return blob_id

    def put_file(self, blob_id: str, data: bytes) -> None:
        """Store a WebP file of these pixels, byte for byte, where there is no sound one yet.

        Raises:
            OSError: the disk is full or read-only; nothing is left behind.
        """
        if not self.is_sound(blob_id):
            self._write(blob_id, data)

    def _write(self, blob_id: str, data: bytes) -> None:
        _write_whole(self.path(blob_id), data, self._temporary / f"{blob_id}-{uuid.uuid4().hex}")

    def path(self, blob_id: str) -> Path:
        """Where a picture lies, whether it exists or not.

        Raises:
            NotFound: this cannot be the id of a picture.
        """
        if not blob_id.isalnum():  # it may come from an address bar
            raise NotFound("picture", blob_id)
        return self.folder / blob_id[:2] / f"{blob_id}{_SUFFIX}"

    def read(self, blob_id: str) -> bytes:
        """The stored file of a picture, which holds its pixels for certain.

        Raises:
            NotFound: there is none with this id.
            DamagedPicture: its file was changed after it was stored.
        """
        path = self.path(blob_id)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFound("picture", blob_id) from None
        if not self._holds(blob_id, data):
            raise DamagedPicture(path)
        return data

    def picture(self, blob_id: str) -> np.ndarray:
        """The pixels of a picture, as they were put in.

        Raises:
            NotFound: there is none with this id.
            DamagedPicture: its file was changed after it was stored.
        """
        return decode(self.read(blob_id))

    def is_sound(self, blob_id: str) -> bool:
        """Whether a picture is there and its file holds its pixels."""
        try:
            self.read(blob_id)
        except (NotFound, DamagedPicture):
            return False
        return True

    def fault(self, blob_id: str) -> str:
        """What is wrong with a picture's file, decoded whatever the checksums say; "" where it is sound."""
        try:
            data = self.path(blob_id).read_bytes()
        except FileNotFoundError:
            return "is missing"
        except OSError:
            return "cannot be read"
        return self._fault(blob_id, data)

    def _holds(self, blob_id: str, data: bytes) -> bool:
        return self._checksums.match(blob_id, data) or not self._fault(blob_id, data)

    def _fault(self, blob_id: str, data: bytes) -> str:
        try:
            pixels = decode(data)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return "cannot be read"
        if pixel_hash(pixels) != blob_id:
            return "was changed after it was stored"
        if not self._checksums.match(blob_id, data):
            self._checksums.note(blob_id, data)
        return ""

    def ids(self) -> Iterator[str]:
        """All pictures on disk."""
        return (path.stem for path in self.folder.glob(f"??/*{_SUFFIX}"))


def _write_whole(path: Path, data: bytes, temporary: Path) -> None:
    """Write a file so that it is there whole or not at all, whatever happens in between."""
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.parent.mkdir(exist_ok=True)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
