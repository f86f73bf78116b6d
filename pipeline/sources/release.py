"""A release of ours as a source: its photos and its samples, with everything that it holds of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import SourceRefused, StudioError
from pipeline.sources.address import PREFIX, HubAddress, Token
from pipeline.sources.hub_faults import plain_faults

MARKER, FORMAT = "release.json", "backlot release"
REAL, SYNTHETIC = "real", "synthetic"
_NEEDED = (
    "image", "label", "mask", "boxes", "source_ids", "sample_id", "homographies", "scores",
)  # fmt: skip
_SOURCE = "source"  # releases before it came to be have none
_MARKER_BYTES = 1_000_000  # a longer one is none of ours
_ROWS_AT_ONCE = 16
_SPLIT = re.compile(r"\w+(\.\w+)*")  # as `datasets` has it

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """One row. `image` and `mask` are encoded files; for a photo `sample_id` is the id of the subject."""

    image: bytes
    mask: bytes | None
    label: str
    split: str
    sample_id: str
    source_ids: tuple[str, ...]  # back to front
    boxes: tuple[tuple[int, int, int, int], ...]
    homographies: tuple[Matrix, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    source: str = ""  # where a photo was first imported from, where the release tells it
    fault: str = ""  # why the row cannot be used


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was found, in a folder or on the Hub at one commit.

    Args:
        files: an fsspec file system.
        root: where the release lies in it.
        facts: what its release.json says.
        name: how people call it, with its version.
        address: of exactly this version.
    """

    files: Any
    root: str
    facts: Mapping[str, Any]
    name: str
    address: str

    @property
    def count(self) -> int | None:
        """Rows of photos and samples together; None where it is not told."""
        counts = self.facts.get("counts") or {}
        parts = [counts[origin] for origin in (REAL, SYNTHETIC) if origin in counts]
        return sum(number for part in parts for number in part.values()) if len(parts) == 2 else None

    def records(self, origin: str) -> Iterator[ReleaseRecord]:
        """The rows of an origin, file by file; a few are in memory at a time.

        Raises:
            SourceRefused: a file is broken, or is none that a release has.
        """
        place = f"the {origin} part"
        try:
            for path in self._shards(origin):
                place = PurePosixPath(path).name
                yield from self._rows(path)
        except StudioError:
            raise
        except Exception as error:  # of dozens of types, of the file as of the network; we keep the cause
            raise SourceRefused(
                f"{place} of release {self.name} cannot be read ({_plain(error)}); "
                "what was read is kept, the same import goes on"
            ) from error

    def _shards(self, origin: str) -> list[str]:
        try:
            found = self.files.ls(f"{self.root}/data/{origin}", detail=False)
        except FileNotFoundError:
            return []
        return sorted(path for path in found if path.endswith(".parquet"))

    def _rows(self, path: str) -> Iterator[ReleaseRecord]:
        import pyarrow.parquet as pq

        split = PurePosixPath(path).name.partition("-")[0]
        if not _SPLIT.fullmatch(split):
            raise SourceRefused(
                f"{PurePosixPath(path).name} of release {self.name} names no split; rename the file"
            )
        with self.files.open(path, "rb") as opened, pq.ParquetFile(opened) as table:
            schema = table.schema_arrow
            for name in _NEEDED:
                if name not in schema.names:
                    raise SourceRefused(
                        f"{PurePosixPath(path).name} of release {self.name} has no column '{name}'; "
                        "it was changed after it was written, import it as a plain data set with ?config=real"
                    )
            labels = _class_names(schema.metadata or {}) or self.facts.get("classes")
            wanted = [*_NEEDED, *(name for name in schema.names if name == _SOURCE)]
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=wanted):
                for row in batch.to_pylist():
                    yield _record(row, labels, split)


def folder_release(folder: Path) -> Release | None:
    """The release in a folder; None where there is none."""
    from fsspec.implementations.local import LocalFileSystem

    files, root = LocalFileSystem(), str(folder.resolve())
    facts = _facts(files, root, folder.name)
    if facts is None:
        return None
    name = f"{facts.get('name') or folder.name}@{facts.get('version', '')}".rstrip("@")
    return Release(files, root, facts, name, str(folder))


def hub_release(address: HubAddress, commit: str, token: Token) -> Release | None:
    """The release on the Hub at a commit; None where the data set is no release of ours.

    Raises:
        SourceRefused: the Hub gives nothing.
    """
    from huggingface_hub import HfFileSystem

    files, root = HfFileSystem(token=token), f"{PREFIX.removeprefix('hf://')}{address.repository}@{commit}"
    with plain_faults(address.repository):
        facts = _facts(files, root, address.repository)
    if facts is None:
        return None
    name = f"{address.repository}@{address.revision or commit[:12]}"
    return Release(files, root, facts, name, address.at(commit))


def _facts(files: Any, root: str, name: str) -> dict[str, Any] | None:
    try:
        with files.open(f"{root}/{MARKER}", "rb") as file:
            text = file.read(_MARKER_BYTES)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = {"format": FORMAT} if f'"{FORMAT}"'.encode() in text else None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        return None
    if not _whole(facts):
        raise SourceRefused(f"{MARKER} of release {name} is damaged; get the release anew")
    return facts


def _whole(facts: Mapping[str, Any]) -> bool:
    """Whether the parts that are used are of their kind."""
    classes, counts = facts.get("classes"), facts.get("counts", {})
    if not isinstance(classes, list) or not all(isinstance(label, str) for label in classes):
        return False
    if not isinstance(counts, dict) or not all(isinstance(part, dict) for part in counts.values()):
        return False
    return all(type(number) is int for part in counts.values() for number in part.values())


def _class_names(metadata: Mapping[bytes, bytes]) -> list[str]:
    """The class names that `datasets` wrote into a parquet file."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return list(features["label"]["names"])
    except (KeyError, ValueError, TypeError):
        return []


def _record(row: Mapping[str, Any], labels: Any, split: str) -> ReleaseRecord:
    number, known = row["label"], labels or ()
    named = isinstance(number, int) and 0 <= number < len(known)
    scores = json.loads(row["scores"] or "{}") if isinstance(row["scores"], str) else row["scores"] or {}
    return ReleaseRecord(
        image=bytes(row["image"]["bytes"]),
        mask=None if row["mask"] is None else bytes(row["mask"]["bytes"]),
        label=str(known[number]) if named else str(number),
        split=split,
        sample_id=str(row["sample_id"]),
        source_ids=tuple(row["source_ids"] or ()),
        boxes=tuple((int(x0), int(y0), int(x1), int(y1)) for x0, y0, x1, y1 in row["boxes"] or ()),
        homographies=tuple(
            tuple(tuple(float(value) for value in line) for line in matrix)
            for matrix in row["homographies"] or ()
        ),
        scores={name: float(value) for name, value in scores.items() if value is not None},
        source=str(row.get(_SOURCE) or ""),
        fault="" if named else f"its label {number} is none of the {len(known)} classes",
    )


def _plain(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
