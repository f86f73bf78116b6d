"""Replace a release folder atomically: the previous release stays until the new one is complete."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import ReleaseRefused
from pipeline.publish.release_facts import is_release

_AT_WORKING_FOLDER = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


@contextmanager
def fresh_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside `out` that replaces it when the block succeeds, and is removed otherwise.

    Raises:
        ReleaseRefused: `out` holds something other than a release, or the disk is full or read-only.
    """
    out = out.resolve()  # a symbolic link keeps pointing to the same folder
    refuse_foreign(out)
    partial = out.parent / f".{out.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        partial.mkdir()
        yield partial
        _put_in_place(partial, out)
    except OSError as error:
        raise ReleaseRefused(_disk_error(out, error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_foreign(out: Path) -> None:
    """Refuse to overwrite anything that is not a release of Backlot, or that cannot be read.

    Raises:
        ReleaseRefused: `out` is a file, holds other files, or cannot be read.
    """
    try:
        if out.is_dir():
            if any(out.iterdir()) and not is_release(out):
                raise ReleaseRefused(f"{out} holds other files; name a new or empty folder")
        elif out.exists():
            raise ReleaseRefused(f"{out} is a file; name a folder")
    except OSError as error:
        raise ReleaseRefused(_disk_error(out, error)) from error


def _put_in_place(partial: Path, out: Path) -> None:
    """Rename `partial` to `out`, or exchange it with the release there; the old release is then left in `partial`."""
    if not out.exists() or not any(out.iterdir()):
        partial.replace(out)
        return
    if _exchanged(partial, out):
        return
    old = partial.with_suffix(".old")  # a file system without exchange: two renames
    out.replace(old)
    partial.replace(out)
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(first: Path, second: Path) -> bool:
    """Swap two folders in one step; False where the system does not support it."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    at = _AT_WORKING_FOLDER
    status: int = rename(at, os.fsencode(first), at, os.fsencode(second), _EXCHANGE)
    return status == 0


def _sweep(out: Path) -> None:
    """Remove what killed runs left beside `out`, and restore a release that was moved aside."""
    for left in out.parent.glob(f".{out.name}.*-*.*"):
        number = left.name.removeprefix(f".{out.name}.").split("-")[0]
        if not number.isdigit() or _alive(int(number)):
            continue
        if left.suffix == ".old" and not out.exists():
            left.replace(out)
        elif left.suffix in (".part", ".old"):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _disk_error(out: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"no space left on the disk for release {out}; nothing was changed, free some space and publish again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{out} cannot be written; choose a folder that you may write to"
    return f"release {out} cannot be written ({error.strerror or error}); choose another folder"
