"""The state folder, which outlives the machine: event files that only grow, and images named by their content.

It holds no database file, and nothing in it is ever changed: a mounted bucket supports no more than that.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import LibraryUnusable
from pipeline.store.replica.journal import Entry, Journal, encoded
from pipeline.store.schema import VERSION

_PART_BYTES = 1 << 20  # a file beyond it is left alone: a bucket sends a file that grew as a whole
_RIFF_HEAD = 8  # bytes of a WebP file that its own length does not count


class ReplicaFolder:
    """Event files `events-TIME-RANDOM-PART.jsonl`, one series for each start of the program, and `pictures/ab/….webp`.

    Args:
        folder: created if it does not exist.
        guard: held while something is written, so that whoever uploads the files sees them complete.
    """

    def __init__(self, folder: Path, guard: AbstractContextManager[object] | None = None) -> None:
        self.folder = folder
        self._guard = guard or threading.Lock()
        started = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self._name = f"events-{started}-{uuid.uuid4().hex[:6]}"
        self._part = 0
        self._temporary = folder / "tmp"
        self._images = folder / "pictures"
        try:
            for place in (self._temporary, self._images):
                place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    # --- events ---------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries, one line each; when this returns they are on the disk.

        The file is closed each time: a mounted bucket sends it only then.

        Raises:
            LibraryUnusable: the folder cannot be written; the same entries may be appended again.
        """
        lines = "".join(json.dumps(encoded(entry), ensure_ascii=False) + "\n" for entry in entries)
        path = self.folder / f"{self._name}-{self._part:04}.jsonl"
        try:
            with self._guard, path.open("ab") as file:
                if not file.tell():
                    file.write(json.dumps({"schema": VERSION}).encode() + b"\n")
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
                full = file.tell() >= _PART_BYTES
        except OSError as error:
            self._part += 1  # the line that broke off stays the last of its file
            raise self._unusable(error) from error
        self._part += full

    def read(self) -> tuple[Journal, tuple[str, ...]]:
        """All entries in the order of their files, and where lines are damaged, as "file:number".

        An incomplete last line is not damage: its write was never confirmed.

        Raises:
            LibraryUnusable: a newer version wrote here, or the folder cannot be read.
        """
        journal, damaged = Journal(), []
        try:
            for path in sorted(self.folder.glob("events-*.jsonl")):
                lines = path.read_bytes().split(b"\n")
                for number, line in enumerate(lines, start=1):
                    if line and not self._taken(journal, path, line) and number < len(lines):
                        damaged.append(f"{path.name}:{number}")
        except OSError as error:
            raise self._unusable(error) from error
        return journal, tuple(damaged)

    def _taken(self, journal: Journal, path: Path, line: bytes) -> bool:
        try:
            entry = json.loads(line)
            if "schema" in entry:
                self._refuse_newer(path, int(entry["schema"]))
            else:
                journal.take(entry)
        except (ValueError, KeyError, TypeError):
            return False
        return True

    def _refuse_newer(self, path: Path, version: int) -> None:
        if version > VERSION:
            raise LibraryUnusable(
                f"{path} was written by a newer version (schema {version}, this one knows {VERSION}); "
                "update the studio, then start it again"
            )

    # --- images ---------------------------------------------------------------------------------------------

    def image_ids(self) -> set[str]:
        """The ids of the images in the folder."""
        return {path.stem for path in self._images.glob("??/*.webp")}

    def put_image(self, image_id: str, data: bytes) -> None:
        """Store an image file: complete under its name, or not at all.

        Raises:
            LibraryUnusable: the folder cannot be written.
        """
        path = self._path(image_id)
        unfinished = self._temporary / f"{image_id}-{uuid.uuid4().hex}"
        try:
            with unfinished.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            path.parent.mkdir(exist_ok=True)
            with self._guard:  # not before: a decision waits for it
                unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise self._unusable(error) from error

    def image(self, image_id: str) -> bytes | None:
        """The file of an image; None if it is missing or incomplete."""
        try:
            data = self._path(image_id).read_bytes()
        except OSError:
            return None
        whole = len(data) > _RIFF_HEAD and int.from_bytes(data[4:8], "little") + _RIFF_HEAD <= len(data)
        return data if whole else None

    def _path(self, image_id: str) -> Path:
        return self._images / image_id[:2] / f"{image_id}.webp"

    def _unusable(self, error: OSError) -> LibraryUnusable:
        return LibraryUnusable(
            f"the state folder {self.folder} cannot be used ({error.strerror or error}); "
            "see that BACKLOT_STATE names a mounted folder with room, then try again"
        )
