"""One long work at a time in a library. The lock dies with its process, however that ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.errors import LibraryBusy, LibraryUnusable
from pipeline.library.engine import disk_sentence

LOCK_NAME = "work.lock"


@contextmanager
def work_lock(folder: Path, what: str) -> Iterator[None]:
    """Hold the library for long work named `what`, e.g. "generate".

    Raises:
        LibraryBusy: somebody else holds it; the message says who and since when.
        LibraryUnusable: the folder cannot be written.
    """
    try:
        file = (folder / LOCK_NAME).open("a+")
    except OSError as error:
        raise LibraryUnusable(disk_sentence(folder, error)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LibraryBusy(folder, _holder(file.name)) from None
        try:
            _write(file.fileno(), {"pid": os.getpid(), "what": what, "since": f"{datetime.now():%H:%M}"})
            yield
        finally:
            os.ftruncate(file.fileno(), 0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _write(handle: int, holder: dict[str, object]) -> None:
    os.ftruncate(handle, 0)
    os.write(handle, json.dumps(holder).encode())


def _holder(name: str) -> str:
    try:
        holder = json.loads(Path(name).read_text())
    except (OSError, ValueError):  # it is just being written
        return "another process"
    return f"process {holder['pid']} ({holder['what']} since {holder['since']})"
