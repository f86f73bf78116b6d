"""One long task at a time in a library. The lock ends with its process, however that ends."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import LibraryBusy, LibraryUnusable
from pipeline.store.database import disk_sentence

LOCK_NAME = "work.lock"
HOLDER_NAME = "work.json"  # who holds the lock, for the message to others
_TAKING = threading.Lock()  # a look at whether the lock is free must not refuse it to another thread


@dataclass(frozen=True, slots=True)
class Work:
    """The long task that a process does in a library."""

    what: str
    plan: str  # that is rendered; "" for other tasks


@contextmanager
def work_lock(folder: Path, what: str) -> Iterator[None]:
    """Hold the library for a long task named `what`, e.g. "generate".

    Raises:
        LibraryBusy: another process holds it; the message says which and since when.
        LibraryUnusable: the folder cannot be written.
    """
    lock, holder = FileLock(folder / LOCK_NAME, blocking=False), folder / HOLDER_NAME
    try:
        with _TAKING:
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


def note_plan(folder: Path, plan: str) -> None:
    """Tell others which plan this process, which holds the lock, renders."""
    path = folder / HOLDER_NAME
    with suppress(OSError, ValueError):  # it is only for lists of runs
        facts = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**facts, "plan": plan}), encoding="utf-8")


def present_work(folder: Path) -> Work | None:
    """Return what a process of this machine does in a library; None where none does anything.

    The file on it outlives a process that was killed, whose number another one may bear by now: in a container that is
    the rule. So the lock itself is asked, too.
    """
    try:
        holder = json.loads((folder / HOLDER_NAME).read_text(encoding="utf-8"))
        os.kill(holder["pid"], 0)  # sends nothing
    except PermissionError:  # the process of another account
        pass
    except (OSError, ValueError):
        return None
    return None if _clear_if_free(folder) else Work(holder["what"], holder.get("plan", ""))


def _clear_if_free(folder: Path) -> bool:
    """Remove what a killed process left; False where the lock is held, by this process or another."""
    lock = FileLock(folder / LOCK_NAME, blocking=False)
    with _TAKING:
        try:
            lock.acquire()
        except (Timeout, OSError):  # held, or in a folder that cannot be written
            return False
        try:
            with suppress(OSError):
                (folder / HOLDER_NAME).unlink(missing_ok=True)
        finally:
            lock.release()
    return True


def _holder(path: Path) -> tuple[str, str]:
    """Return the task that holds a library, and a phrase that names its process."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it is just being written
        return "another task", "another process"
    return holder["what"], f"process {holder['pid']} ({holder['what']} since {holder['since']})"
