"""A release of Backlot as a source: its photos and samples with everything that it holds of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypedDict

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from pipeline.errors import SourceRefused, StudioError
from pipeline.sources.address import PREFIX, HubAddress, Token
from pipeline.sources.hub_read_errors import hub_errors_explained

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

MARKER, FORMAT = "release.json", "backlot release"
REAL, SYNTHETIC = "real", "synthetic"
_NEEDED = (
    "image", "label", "mask", "boxes", "source_ids", "sample_id", "homographies", "scores",
)  # fmt: skip
_OPTIONAL = ("source", "recipe", "distractors")  # columns that releases of earlier versions lack
_MARKER_BYTES = 1_000_000  # Backlot writes none that is longer
_ROWS_AT_ONCE = 16
_SPLIT = re.compile(r"\w+(\.\w+)*")  # what `datasets` accepts as the name of a split

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistractorRecord:
    """What a release tells of one distractor."""

    box: tuple[int, int, int, int]
    runs: tuple[int, ...]  # of its visible mask, row by row, background first


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """One row of a release."""

    image: bytes  # an encoded file, as is the mask
    mask: bytes | None
    label: str
    split: str
    sample_id: str  # of a photo: its own id
    source_ids: tuple[str, ...]  # back to front
    boxes: tuple[tuple[int, int, int, int], ...]
    homographies: tuple[Matrix, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    source: str = ""  # where a photo was first imported from, where the release says so
    recipe: str = ""  # name of the recipe of a sample, where the release tells it
    distractors: tuple[DistractorRecord, ...] = ()  # back to front, where the release tells them
    fault: str = ""  # why the row cannot be used


class ReleaseFacts(BaseModel):
    """The part of release.json that is used."""

    model_config = ConfigDict(coerce_numbers_to_str=True, frozen=True)

    classes: list[StrictStr]
    counts: dict[str, dict[str, StrictInt]] = {}  # configuration → split → images
    name: str = ""
    version: str = ""


class _EncodedImage(TypedDict):
    bytes: bytes
    path: str | None


class _DistractorColumns(TypedDict):
    bbox: list[int]
    runs: list[int]


class _Row(TypedDict, total=False):
    """The columns of `_NEEDED` and `_OPTIONAL`."""

    image: _EncodedImage
    label: object
    mask: _EncodedImage | None
    boxes: list[list[int]] | None
    source_ids: list[str] | None
    sample_id: str
    homographies: list[list[list[float]]] | None
    scores: str | dict[str, float | None] | None  # JSON in early releases
    source: str | None
    recipe: str | None
    distractors: list[_DistractorColumns] | None


@dataclass(frozen=True, slots=True)
class Release:
    """A release in a folder, or on the Hub at one commit."""

    files: AbstractFileSystem
    root: str  # where the release lies in the file system
    facts: ReleaseFacts
    name: str  # with its version, for messages
    address: str  # of exactly this version

    @property
    def count(self) -> int | None:
        """The number of photos and samples; None where release.json does not say."""
        counts = self.facts.counts
        if REAL not in counts or SYNTHETIC not in counts:
            return None
        return sum(counts[REAL].values()) + sum(counts[SYNTHETIC].values())

    def records(self, origin: str) -> Iterator[ReleaseRecord]:
        """Yield the rows of an origin, file by file; only a few are in memory at a time.

        Raises:
            SourceRefused: a file cannot be read, or is not one of a release.
        """
        place = f"the {origin} subset"
        try:
            for path in self._shards(origin):
                place = PurePosixPath(path).name
                yield from self._rows(path)
        except StudioError:
            raise
        except Exception as error:  # of dozens of types, from files and the network; the cause is kept
            raise SourceRefused(
                f"{place} of release {self.name} cannot be read ({_first_line(error)}); "
                "what was read is kept, run the same import again to resume"
            ) from error

    def _shards(self, origin: str) -> list[str]:
        try:
            paths: list[str] = self.files.ls(f"{self.root}/data/{origin}", detail=False)
        except FileNotFoundError:
            return []
        return sorted(path for path in paths if path.endswith(".parquet"))

    def _rows(self, path: str) -> Iterator[ReleaseRecord]:
        import pyarrow.parquet as pq

        split = PurePosixPath(path).name.partition("-")[0]
        if not _SPLIT.fullmatch(split):
            raise SourceRefused(
                f"{PurePosixPath(path).name} of release {self.name} names no split; rename the file"
            )
        with self.files.open(path, "rb") as file, pq.ParquetFile(file) as table:
            columns = table.schema_arrow.names
            for name in _NEEDED:
                if name not in columns:
                    raise SourceRefused(
                        f"{PurePosixPath(path).name} of release {self.name} has no column '{name}'; it was changed "
                        "after it was written, import it as a plain dataset with ?config=real"
                    )
            labels = _class_names(table.schema_arrow.metadata or {}) or self.facts.classes
            wanted = [*_NEEDED, *(name for name in columns if name in _OPTIONAL)]
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=wanted):
                for row in batch.to_pylist():
                    yield _record(row, labels, split)


def folder_release(folder: Path) -> Release | None:
    """Return the release in a folder; None where there is none."""
    from fsspec.implementations.local import LocalFileSystem

    files, root = LocalFileSystem(), str(folder.resolve())
    facts = _facts(files, root, folder.name)
    if facts is None:
        return None
    name = f"{facts.name or folder.name}@{facts.version}".rstrip("@")
    return Release(files, root, facts, name, str(folder))


def hub_release(address: HubAddress, commit: str, token: Token) -> Release | None:
    """Return the release on the Hub at a commit; None where the dataset is not a release of Backlot.

    Raises:
        SourceRefused: the Hub refused or cannot be reached, or release.json is damaged.
    """
    from huggingface_hub import HfFileSystem

    files, root = HfFileSystem(token=token), f"{PREFIX.removeprefix('hf://')}{address.repository}@{commit}"
    with hub_errors_explained(address.repository):
        facts = _facts(files, root, address.repository)
    if facts is None:
        return None
    name = f"{address.repository}@{address.revision or commit[:12]}"
    return Release(files, root, facts, name, address.at(commit))


def _facts(files: AbstractFileSystem, root: str, name: str) -> ReleaseFacts | None:
    """Read release.json; None where there is none of Backlot's."""
    try:
        with files.open(f"{root}/{MARKER}", "rb") as file:
            text: bytes = file.read(_MARKER_BYTES)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = {"format": FORMAT} if f'"{FORMAT}"'.encode() in text else None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    try:
        return ReleaseFacts.model_validate(content)
    except ValidationError as error:
        raise SourceRefused(f"{MARKER} of release {name} is damaged; get the release again") from error


def _class_names(metadata: Mapping[bytes, bytes]) -> list[str]:
    """Return the class names that `datasets` wrote into a parquet file."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return list(features["label"]["names"])
    except (KeyError, ValueError, TypeError):
        return []


def _record(row: _Row, labels: Sequence[str], split: str) -> ReleaseRecord:
    number, mask, scores = row["label"], row["mask"], row["scores"] or {}
    label = labels[number] if isinstance(number, int) and 0 <= number < len(labels) else None
    if isinstance(scores, str):
        scores = json.loads(scores)
    assert not isinstance(scores, str)
    return ReleaseRecord(
        image=bytes(row["image"]["bytes"]),
        mask=None if mask is None else bytes(mask["bytes"]),
        label=str(number) if label is None else label,
        split=split,
        sample_id=str(row["sample_id"]),
        source_ids=tuple(row["source_ids"] or ()),
        boxes=tuple((int(x0), int(y0), int(x1), int(y1)) for x0, y0, x1, y1 in row["boxes"] or ()),
        homographies=tuple(
            tuple(tuple(float(value) for value in line) for line in matrix)
            for matrix in row["homographies"] or ()
        ),
        scores={name: float(value) for name, value in scores.items() if value is not None},
        source=str(row.get("source") or ""),
        recipe=str(row.get("recipe") or ""),
        distractors=tuple(
            DistractorRecord(box=(int(x0), int(y0), int(x1), int(y1)), runs=tuple(map(int, each["runs"])))
            for each in row.get("distractors") or ()
            for x0, y0, x1, y1 in (each["bbox"],)
        ),
        fault=f"its label {number} is none of the {len(labels)} classes" if label is None else "",
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
