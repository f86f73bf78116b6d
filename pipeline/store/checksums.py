"""Which image files are known to hold the pixels of their ids, so that reading a file need not decode it.

Only a cache: the file may be deleted or damaged at any time. An image that it does not know is decoded once.
"""

from __future__ import annotations

import os
import threading
import zlib
from contextlib import suppress
from pathlib import Path

_HEX = 16


class Checksums:
    """CRC-32 of image files by image id, in a text file of lines "ID CRC" that many processes append to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, int] = {}
        self._read_bytes = 0
        self._lock = threading.Lock()

    def match(self, image_id: str, data: bytes) -> bool:
        """Whether these bytes were noted for the image. If not, they may still be correct."""
        checksum = zlib.crc32(data)
        with self._lock:
            if image_id not in self._known:
                self._read_on()
            return self._known.get(image_id) == checksum

    def note(self, image_id: str, data: bytes) -> None:
        """Note that these bytes hold the pixels of the image."""
        checksum = zlib.crc32(data)
        with self._lock:
            self._known[image_id] = checksum
            with suppress(OSError), self._path.open("ab") as file:  # without it, the image is decoded again
                file.write(f"{image_id} {checksum:08x}\n".encode())

    def _read_on(self) -> None:
        """Read what was appended since the last time."""
        with suppress(OSError):
            if os.path.getsize(self._path) <= self._read_bytes:
                return
            with self._path.open("rb") as file:
                file.seek(self._read_bytes)
                lines = file.read()
            whole = lines[: lines.rfind(b"\n") + 1]  # another process may be writing the last one
            self._read_bytes += len(whole)
            for line in whole.splitlines():
                with suppress(ValueError):
                    image_id, checksum = line.decode().split(" ")
                    self._known[image_id] = int(checksum, _HEX)
