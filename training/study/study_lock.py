"""The lock of a study's folder. The lock ends with its process, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.domain.studies import LOCK_FILE
from pipeline.errors import InvalidRequest
from training.fit.run_folder import writable

_PATIENCE_S = 5.0  # a studio that looks whether a study runs holds its lock for an instant


@contextmanager
def study_lock(out: Path, *, patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Hold the folder of a study. The lock file stays there, except in a folder that holds nothing else.

    Raises:
        InvalidRequest: another process trains a study in `out`, or it cannot be written.
    """
    lock = FileLock(out / LOCK_FILE, timeout=patience_s)
    with writable(out):
        out.mkdir(parents=True, exist_ok=True)
        taken = _take(lock)
    if not taken:
        raise InvalidRequest(
            f"another study is in progress in {out}; wait for it, stop it, or choose another folder with --out"
        )
    try:
        yield
    finally:
        lock.release()
        if [path.name for path in out.glob("*")] == [LOCK_FILE]:  # refused before it wrote anything
            with suppress(OSError):
                (out / LOCK_FILE).unlink()
                out.rmdir()


def _take(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True
