"""Which rows a release holds, in one small file, so that two releases are compared without reading their images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.domain.release import ReleaseRow, Subset
from pipeline.publish.credits import published_model, published_source

INDEX_NAME = "index.parquet"
_SUBSET = "part"  # the column's name in the file
_SCHEMA = pa.schema(
    [(_SUBSET, pa.dictionary(pa.int8(), pa.string())), ("sample_id", pa.string()), ("digest", pa.binary(16))]
)
_ROWS_AT_ONCE = 10_000
_DIGESTED = tuple(column.name for column in fields(ReleaseRow) if column.name not in ("place", "distractors"))
Key = tuple[str, str]  # subset, sample id


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """How the rows of two releases differ."""

    added: int = 0
    removed: int = 0
    changed: int = 0  # anything else of the row but its place, under the same id

    def __str__(self) -> str:
        counts = (("added", self.added), ("removed", self.removed), ("changed", self.changed))
        listed = [f"{count:,} {change}" for change, count in counts if count]
        return f"rows: {', '.join(listed)}" if listed else "no row changed"

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(slots=True)
class IndexWriter:
    """Writes the index of a release row by row."""

    path: Path
    _waiting: list[dict[str, object]] = field(default_factory=list)
    _writer: pq.ParquetWriter | None = None

    def add(self, subset: Subset, row: ReleaseRow) -> None:
        """Add one row."""
        self._waiting.append({_SUBSET: str(subset), "sample_id": row.sample_id, "digest": _digest(row)})
        if len(self._waiting) >= _ROWS_AT_ONCE:
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
    """Return (subset, sample id) → digest of the row; empty where there is no index."""
    if not path.is_file():
        return {}
    table = pq.read_table(path)
    subsets, ids, digests = (table[name].to_pylist() for name in (_SUBSET, "sample_id", "digest"))
    return dict(zip(zip(subsets, ids, strict=True), digests, strict=True))


def released_ids(folder: Path, subset: Subset, count: int) -> list[str]:
    """Return the first `count` sample ids of a subset of a release folder; empty where there is no release."""
    return [sample_id for name, sample_id in read_index(folder / INDEX_NAME) if name == subset][:count]


def row_changes(before: Mapping[Key, bytes], after: Mapping[Key, bytes]) -> RowChanges:
    """Count what was added, removed and changed between two indices."""
    shared = before.keys() & after.keys()
    return RowChanges(
        added=len(after) - len(shared),
        removed=len(before) - len(shared),
        changed=sum(before[key] != after[key] for key in shared),
    )


def _digest(row: ReleaseRow) -> bytes:
    """16 bytes over everything that a reader sees of a row; image ids are content hashes already."""
    published = {"source": published_source(row.source), "model": row.model and published_model(row.model)}
    values = [published.get(name, getattr(row, name)) for name in _DIGESTED]
    if row.distractors:  # rows without any keep the digest that earlier versions gave them
        values.append(row.distractors)
    return hashlib.sha256(repr(values).encode()).digest()[:16]
