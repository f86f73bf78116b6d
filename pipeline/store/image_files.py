"""Image files, named by the hash of their pixels: written once, never changed, removed with their photo."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.images import decode, encode_webp, pixel_hash
from pipeline.errors import DamagedPicture, NotFound
from pipeline.store.checksums import Checksums
from pipeline.store.database import plain_faults

_SUFFIX = ".webp"
_STALE_S = 3600.0  # a temporary file of this age belongs to a process that was killed


class ImageFiles:
    """Lossless WebP files of a library: `blobs/ab/abcdef….webp`. Safe for many threads and processes.

    All methods raise LibraryUnusable when the disk is full, read-only or unreadable; nothing is left behind.

    Args:
        library: the library's folder. The checksums lie in it beside the images, where no browser may read.
    """

    def __init__(self, library: Path) -> None:
        self.folder = library / "blobs"
        self._library = library
        self._checksums = Checksums(library / "checksums.txt")
        self._temporary = self.folder / "tmp"

    def prepare(self) -> None:
        """Make the folders, prove that they can be written, and remove what killed processes left behind."""
        with plain_faults(self._library):
            self._temporary.mkdir(parents=True, exist_ok=True)
            probe = self._temporary / f"probe-{uuid.uuid4().hex}"
            probe.touch()
            probe.unlink()
            too_old = time.time() - _STALE_S
            for left in self._temporary.iterdir():
                with suppress(FileNotFoundError):  # another process may sweep or finish it just now
                    if left.stat(follow_symlinks=False).st_mtime < too_old:
                        left.unlink()

    def put(self, pixels: NDArray[np.uint8], xmp: bytes = b"") -> str:
        """Store an image losslessly and return its id, the hash of its pixels. The same pixels are stored once.

        A missing or damaged file is written anew.

        Args:
            pixels: (H, W), (H, W, 3) or (H, W, 4) uint8.
            xmp: a note in the file on where it comes from, see `provenance.packet`; not part of the id. The note
                of whoever stores the pixels first stays.
        """
        image_id = pixel_hash(pixels)
        with plain_faults(self._library):
            if not self._is_sound(image_id):
                data = encode_webp(pixels, xmp=xmp)
                self._write(image_id, data)
                self._checksums.note(image_id, data)
        return image_id

    def put_file(self, image_id: str, data: bytes) -> None:
        """Store the WebP file of an image as it was stored elsewhere, where there is no sound one yet."""
        with plain_faults(self._library):
            if not self._is_sound(image_id):
                self._write(image_id, data)

    def remove(self, image_id: str) -> None:
        """Remove the file of an image that nothing needs any more; a missing one is no fault."""
        with plain_faults(self._library):
            self.path(image_id).unlink(missing_ok=True)

    def has(self, image_id: str) -> bool:
        """Whether there is a file of an image; it is not read."""
        return self.path(image_id).is_file()

    def is_sound(self, image_id: str) -> bool:
        """Whether there is a file of an image and it holds the image's pixels; reads the file."""
        with plain_faults(self._library):
            return self._is_sound(image_id)

    def read(self, image_id: str) -> NDArray[np.uint8]:
        """The pixels of an image, as they were put in.

        Raises:
            NotFound: there is no image with this id.
            DamagedPicture: its file was changed after it was stored.
        """
        return decode(self.read_bytes(image_id))

    def read_bytes(self, image_id: str) -> bytes:
        """The stored WebP file of an image, which certainly holds its pixels.

        Raises:
            NotFound: there is no image with this id.
            DamagedPicture: its file was changed after it was stored.
        """
        with plain_faults(self._library):
            return self._read_bytes(image_id)

    def path(self, image_id: str) -> Path:
        """Where the file of an image lies, whether it exists or not.

        Raises:
            NotFound: this cannot be the id of an image.
        """
        if not image_id.isalnum():  # it may come from an address bar
            raise NotFound("image", image_id)
        return self.folder / image_id[:2] / f"{image_id}{_SUFFIX}"

    def _read_bytes(self, image_id: str) -> bytes:
        path = self.path(image_id)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFound("image", image_id) from None
        if not self._holds(image_id, data):
            raise DamagedPicture(path)
        return data

    def _is_sound(self, image_id: str) -> bool:
        try:
            self._read_bytes(image_id)
        except (NotFound, DamagedPicture):
            return False
        return True

    def fault(self, image_id: str) -> str:
        """What is wrong with an image's file, decoded whatever the checksums say; "" where it is sound."""
        try:
            data = self.path(image_id).read_bytes()
        except FileNotFoundError:
            return "is missing"
        except OSError:
            return "cannot be read"
        return self._fault(image_id, data)

    def _write(self, image_id: str, data: bytes) -> None:
        _write_whole(self.path(image_id), data, self._temporary / f"{image_id}-{uuid.uuid4().hex}")

    def _holds(self, image_id: str, data: bytes) -> bool:
        return self._checksums.match(image_id, data) or not self._fault(image_id, data)

    def _fault(self, image_id: str, data: bytes) -> str:
        try:
            pixels = decode(data)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return "cannot be read"
        if pixel_hash(pixels) != image_id:
            return "was changed after it was stored"
        if not self._checksums.match(image_id, data):
            self._checksums.note(image_id, data)
        return ""

    def ids(self) -> Iterator[str]:
        """The ids of all images on disk."""
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
