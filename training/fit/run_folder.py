"""The folder that keeps a run: whole files, and a guard against mixing runs of different settings."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.errors import InvalidRequest
from training.data.images import LabelledImages
from training.data.release import Release

CONFIG = "config.yaml"  # repeats the command, see `training.config_files`
_SETTINGS = "settings.json"
_MARK_HEX = 6  # digits that tell arms apart whose names differ in other characters than plain letters
_FIRST_METHOD_NAMES = {"text_to_image": "sdxl"}  # hashed under the old name, so that earlier studies resume


def claim(out: Path, settings: Mapping[str, object]) -> None:
    """Make `out` the folder of these settings, or make sure that it already is.

    Raises:
        InvalidRequest: it holds a run with other settings, or cannot be written.
    """
    with writable(out):
        earlier = read_json(out / _SETTINGS)
    if not isinstance(earlier, dict):
        write_json(out / _SETTINGS, settings)
        return
    for name in (*settings, *earlier):
        if settings.get(name) != earlier.get(name):
            raise InvalidRequest(
                f"{out} holds a run with other settings ({name} was {earlier.get(name)}, now {settings.get(name)}); "
                "choose another folder with --out, or delete that one"
            )


def run_name(arm: str, seed: int) -> str:
    """Name a run of a study, as a file may be named; no two arms have the same."""
    plain = _in_plain_letters(arm)
    mark = "" if plain == arm else f"~{hashlib.sha256(arm.encode()).hexdigest()[:_MARK_HEX]}"
    return f"{plain}{mark}-{seed}"


def run_file(folder: Path, arm: str, seed: int) -> Path:
    """Return the JSON file of a run, also under the name of earlier versions, where mixed:10 and mixed%10 had one."""
    path, earlier = folder / f"{run_name(arm, seed)}.json", folder / f"{_in_plain_letters(arm)}-{seed}.json"
    if not path.exists() and isinstance(fields := read_json(earlier), dict) and fields.get("arm") == arm:
        return earlier
    return path


def _in_plain_letters(arm: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "~", arm)


def data_fingerprint(release: Release) -> str:
    """Hash all decoded images, their labels, origins and methods, and the class names to 16 hex digits."""
    digest = hashlib.sha256("\n".join(release.classes).encode())
    for images in (release.real_train, release.synthetic_train, release.test):
        _update(digest, images)
    return digest.hexdigest()[:16]


def write_json(path: Path, value: object) -> None:
    """Write a JSON file so that a reader sees the old or the new version, never half of it."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file; never half of it."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8"))


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write beside `path`, and rename it at the end, so that it is never half written.

    Raises:
        InvalidRequest: it cannot be written, such as on a full disk; an earlier version of the file is kept.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                yield file
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def append_line(path: Path, line: str) -> None:
    """Append a line to a text file."""
    with writable(path), path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_json(path: Path) -> object:
    """Read a JSON file; None where it is missing or cut off."""
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return value


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Refuse with one sentence where a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror}; "
            "free some space or choose another folder with --out; finished runs are kept"
        ) from error


class _Digest(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...


def _update(digest: _Digest, images: LabelledImages) -> None:
    digest.update(str(images.images.shape).encode())
    digest.update(images.images.data if images.images.size else b"")
    digest.update(images.labels.tobytes())
    methods = [_FIRST_METHOD_NAMES.get(method, method) for method in images.methods.tolist()]
    digest.update("\n".join([*images.origins.tolist(), *methods]).encode())
