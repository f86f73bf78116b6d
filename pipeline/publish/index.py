"""Which rows a release holds, in one small file: what came, went and changed since is told without the pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.domain.release import ReleaseRow, Subset
from pipeline.publish.credits import published_model, published_source

INDEX_NAME = "index.parquet"
_SCHEMA = pa.schema(
    [("part", pa.dictionary(pa.int8(), pa.string())), ("sample_id", pa.string()), ("digest", pa.binary(16))]
)
_AT_ONCE = 10_000
_SEEN = tuple(one.name for one in fields(ReleaseRow) if one.name != "place")  # what a reader sees of a row
Key = tuple[str, str]  # part, sample id


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """How the rows of two releases differ."""

    added: int = 0
    removed: int = 0
    changed: int = 0  # anything else of the row but its place, under the same id

    def __str__(self) -> str:
        numbers = (("added", self.added), ("removed", self.removed), ("changed", self.changed))
        said = [f"{number:,} {what}" for what, number in numbers if number]
        return f"rows: {', '.join(said)}" if said else "no row changed"

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(slots=True)
class IndexWriter:
    """Writes the index of a release while its rows go by."""

    path: Path
    _waiting: list[dict[str, object]] = field(default_factory=list)
    _writer: pq.ParquetWriter | None = None

    def add(self, part: Subset, row: ReleaseRow) -> None:
        """Take one row."""
        self._waiting.append({"part": str(part), "sample_id": row.sample_id, "digest": _digest(row)})
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def __enter__(self) -> Self:
        self._writer = pq.ParquetWriter(self.path, _SCHEMA, compression="ZSTD")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        assert self._writer is not None
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        assert self._writer is not None
        self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=_SCHEMA))
        self._waiting = []


def read_index(path: Path) -> dict[Key, bytes]:
    """(part, sample id) → digest of the row; empty where there is no index."""
    if not path.is_file():
        return {}
    table = pq.read_table(path)
    parts, ids, digests = (table[name].to_pylist() for name in ("part", "sample_id", "digest"))
    return dict(zip(zip(parts, ids, strict=True), digests, strict=True))


def released_ids(folder: Path, part: Subset, count: int) -> list[str]:
    """The first ids of a part of a release folder, at most so many; empty where there is none."""
    return [sample_id for where, sample_id in read_index(folder / INDEX_NAME) if where == part][:count]


def row_changes(before: dict[Key, bytes], after: dict[Key, bytes]) -> RowChanges:
    """What came, went and changed between two indices."""
    shared = before.keys() & after.keys()
    return RowChanges(
        added=len(after) - len(shared),
        removed=len(before) - len(shared),
        changed=sum(before[key] != after[key] for key in shared),
    )


def _digest(row: ReleaseRow) -> bytes:
    """16 bytes over all that a reader sees of a row; pictures are named by their hash already."""
    told = {"source": published_source(row.source), "model": row.model and published_model(row.model)}
    seen = [told.get(name, getattr(row, name)) for name in _SEEN]
    return hashlib.sha256(repr(seen).encode()).digest()[:16]
