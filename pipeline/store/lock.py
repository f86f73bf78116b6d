"""One long task at a time in a library. The lock ends with its process, however that ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import LibraryBusy, LibraryUnusable
from pipeline.store.database import disk_sentence

LOCK_NAME = "work.lock"
HOLDER_NAME = "work.json"  # who holds the lock, for the message to others


@contextmanager
def work_lock(folder: Path, what: str) -> Iterator[None]:
    """Hold the library for a long task named `what`, e.g. "generate".

    Raises:
        LibraryBusy: another process holds it; the message says which and since when.
        LibraryUnusable: the folder cannot be written.
    """
    lock, holder = FileLock(folder / LOCK_NAME, blocking=False), folder / HOLDER_NAME
    try:
        lock.acquire()
        facts = {"pid": os.getpid(), "what": what, "since": f"{datetime.now():%H:%M}"}
        holder.write_text(json.dumps(facts), encoding="utf-8")
    except Timeout:
        raise LibraryBusy(folder, *_holder(holder)) from None
    except OSError as error:
        lock.release()
        raise LibraryUnusable(disk_sentence(folder, error)) from error
    try:
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> tuple[str, str]:
    """Return the task that holds a library, and a phrase that names its process."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it is just being written
        return "another task", "another process"
    return holder["what"], f"process {holder['pid']} ({holder['what']} since {holder['since']})"
