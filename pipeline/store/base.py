"""An open library folder: the database connections, the pictures and the lock for long work."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import numpy as np
from sqlalchemy import Connection, Engine

from pipeline.errors import LibraryUnusable
from pipeline.store import schema
from pipeline.store.database import (
    DATABASE_NAME,
    ChangeCounter,
    damaged_sentence,
    first_damage,
    open_engine,
    plain_faults,
    reading,
    writing,
)
from pipeline.store.image_files import Blobs
from pipeline.store.lock import work_lock

_BLOBS = "blobs"
_CHECKSUMS = "checksums.txt"


class OpenLibrary:
    """What every part of the library stands on."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine
        self._changes = ChangeCounter(path) if engine.dialect.name == "sqlite" else None
        self._blobs = Blobs(path / _BLOBS, path / _CHECKSUMS)

    @classmethod
    def open(cls, path: Path, *, create: bool = False, url: str | None = None) -> Self:
        """Open the library in a folder.

        Args:
            path: the folder.
            create: make a new, empty library where there is none.
            url: a database elsewhere (postgresql+psycopg://…); without it the folder's own SQLite file.

        Raises:
            LibraryUnusable: missing, no folder, read-only, damaged, or written by a newer version.
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise LibraryUnusable(f"{path} is a file; a library is a folder")
        if not create and not url and not (path / DATABASE_NAME).is_file():
            raise LibraryUnusable(
                f"no library at {path}; make one with `python -m pipeline import SOURCE --library {path}`"
            )
        was_there = (path / DATABASE_NAME).is_file()
        library = cls(path, open_engine(path, url))
        try:
            with plain_faults(path):
                library._blobs.prepare()
            library._migrate(was_there=was_there)
        except BaseException:
            library.close()
            raise
        return library

    def _migrate(self, *, was_there: bool) -> None:
        with self._reading() as connection:
            found = first_damage(connection, self.path)
            version = None if found else schema.stored_version(connection)
        if version is None and was_there and any(self._blobs.ids()):
            found = found or "its database is empty, its pictures are there"
        if found:
            raise LibraryUnusable(damaged_sentence(self.path, found))
        if version is not None and version > schema.VERSION:
            raise LibraryUnusable(
                f"library {self.path} was written by a newer version (schema {version}, this one knows "
                f"{schema.VERSION}); update the studio, then open it again"
            )
        if version != schema.VERSION:
            with self._writing() as connection:
                schema.migrate(connection)

    def close(self) -> None:
        """Give the database connections back. The library can still be opened again."""
        if self._changes is not None:
            self._changes.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reading(self) -> AbstractContextManager[Connection]:
        return reading(self._engine, self.path)

    def _writing(self) -> AbstractContextManager[Connection]:
        return writing(self._engine, self.path)

    def change_number(self) -> int | None:
        """A number that changes with every commit of anybody, to see whether a result is still true.

        None for a database by URL: it does not tell.
        """
        if self._changes is None:
            return None
        with plain_faults(self.path):
            return self._changes.value()

    def work_lock(self, what: str) -> AbstractContextManager[None]:
        """Hold the library for long work, e.g. "generate"; LibraryBusy when somebody else does."""
        return work_lock(self.path, what)

    def put_picture(self, pixels: np.ndarray, *, xmp: bytes = b"") -> str:
        """Store a picture losslessly; its id, the hash of its pixels. LibraryUnusable: the disk says no.

        Args:
            xmp: a note in the file on where it comes from, see `provenance.packet`; no part of the id.
        """
        with plain_faults(self.path):
            return self._blobs.put(pixels, xmp)

    def take_picture(self, blob_id: str, data: bytes) -> None:
        """Store the WebP file of a picture as it was kept elsewhere. LibraryUnusable: the disk says no."""
        with plain_faults(self.path):
            self._blobs.put_file(blob_id, data)

    def has_picture(self, blob_id: str) -> bool:
        """Whether a picture is there."""
        return self._blobs.path(blob_id).is_file()

    def is_sound(self, blob_id: str) -> bool:
        """Whether a picture is there and its file holds its pixels; reads the file."""
        with plain_faults(self.path):
            return self._blobs.is_sound(blob_id)

    def picture(self, blob_id: str) -> np.ndarray:
        """The pixels of a picture as they were put in. NotFound: there is none; DamagedPicture: its file changed."""
        with plain_faults(self.path):
            return self._blobs.picture(blob_id)

    def picture_bytes(self, blob_id: str) -> bytes:
        """The stored WebP file of a picture. NotFound: there is none; DamagedPicture: it does not hold the pixels."""
        with plain_faults(self.path):
            return self._blobs.read(blob_id)

    def picture_path(self, blob_id: str) -> Path:
        """Where a picture lies."""
        return self._blobs.path(blob_id)
