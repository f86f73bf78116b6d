"""A release folder is there whole or not at all; the one before stays until the new one is complete."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import ReleaseRefused

MARKER = "release.json"  # says that a folder is a release of ours
_FORMAT = "backlot release"
_AT_WORKING_FOLDER = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


def release_facts(folder: Path) -> dict[str, Any] | None:
    """What a release of ours says of itself; None where there is none."""
    try:
        facts = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and facts.get("format") == _FORMAT else None


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Mark a folder as a release of ours."""
    text = json.dumps({"format": _FORMAT, **facts}, indent=2, ensure_ascii=False)
    (folder / MARKER).write_text(text + "\n", encoding="utf-8")


@contextmanager
def fresh_folder(out: Path) -> Iterator[Path]:
    """An empty folder beside `out` that takes its place when the block ends well, and goes away otherwise.

    Raises:
        ReleaseRefused: `out` holds something that is no release, or the disk is full or read-only.
    """
    out = out.resolve()  # a link keeps pointing to the release that it names
    refuse_foreign(out)
    part = out.parent / f".{out.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        part.mkdir()
        yield part
        _put_in_place(part, out)
    except OSError as error:
        raise ReleaseRefused(_sentence(out, error)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def refuse_foreign(out: Path) -> None:
    """Refuse to write over anything that is no release of ours, or that cannot be looked at."""
    try:
        if out.is_dir():
            if any(out.iterdir()) and release_facts(out) is None:
                raise ReleaseRefused(f"{out} holds other files; name a new or empty folder")
        elif out.exists():
            raise ReleaseRefused(f"{out} is a file; name a folder")
    except OSError as error:
        raise ReleaseRefused(_sentence(out, error)) from error


def _put_in_place(part: Path, out: Path) -> None:
    """Rename, or exchange with the release that is there; the old one is then left in `part`."""
    if not out.exists() or not any(out.iterdir()):
        part.replace(out)
        return
    if _exchanged(part, out):
        return
    old = part.with_suffix(".old")  # a file system without exchange: two renames
    out.replace(old)
    part.replace(out)
    shutil.rmtree(old, ignore_errors=True)


def _exchanged(first: Path, second: Path) -> bool:
    """Swap two folders in one step; False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    at = _AT_WORKING_FOLDER
    return rename(at, os.fsencode(first), at, os.fsencode(second), _EXCHANGE) == 0


def _sweep(out: Path) -> None:
    """Remove what killed runs left beside `out`, and put back a release that was moved aside."""
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


def _sentence(out: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"no space left on the disk for release {out}; free some and publish again, nothing was changed"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{out} cannot be written; choose a folder of yours"
    return f"release {out} cannot be written ({error.strerror or error}); choose another folder"
