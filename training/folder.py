"""What a run leaves on the disk: whole JSON files, and a guard against mixing runs of different settings."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import InvalidRequest
from training.release import Pictures, Release

_SETTINGS = "settings.json"


def claim(out: Path, settings: dict[str, Any]) -> None:
    """Make `out` the folder of these settings, or make sure that it already is.

    Raises:
        InvalidRequest: it holds a run with other settings, or cannot be written.
    """
    with _writable(out):
        held = read_json(out / _SETTINGS)
    if held is None:
        write_json(out / _SETTINGS, settings)
    if held in (None, settings):
        return
    key = next(name for name in (*settings, *held) if settings.get(name) != held.get(name))
    raise InvalidRequest(
        f"{out} holds a run with other settings ({key} was {held.get(key)}, now {settings.get(key)}); "
        "give another folder with --out, or delete that one"
    )


def data_fingerprint(release: Release) -> str:
    """16 hex digits over all decoded pictures, their labels, origins and methods, and the class names."""
    digest = hashlib.sha256("\n".join(release.classes).encode())
    for pictures in (release.real_train, release.synthetic_train, release.test):
        _add(digest, pictures)
    return digest.hexdigest()[:16]


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file so that a reader sees the old or the new one, never half of it."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole: to a sibling first, then renamed."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with _writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


def append_line(path: Path, line: str) -> None:
    """Add one line to a text file."""
    with _writable(path), path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_json(path: Path) -> Any | None:
    """What a JSON file holds; None where there is no such file, or it was cut off."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        mend = "make room or give another folder with --out; what is finished is kept"
        raise InvalidRequest(f"{path} cannot be written: {error.strerror}; {mend}") from error


def _add(digest: Any, pictures: Pictures) -> None:
    digest.update(str(pictures.images.shape).encode())
    digest.update(pictures.images.data if pictures.images.size else b"")
    digest.update(pictures.labels.tobytes())
    digest.update("\n".join([*pictures.origins.tolist(), *pictures.methods.tolist()]).encode())
