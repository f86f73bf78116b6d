"""Rows into parquet shards, streaming: memory does not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.publish.features import TEXT_COLUMNS

SHARD_BYTES = 500_000_000
_GROUP_ROWS = 100  # in one row group: what a reader holds at once
_GROUP_BYTES = 64_000_000


@dataclass(slots=True)
class ShardWriter:
    """Writes one split as `<split>-00000-of-0000N.parquet`. Leaving the `with` block completes the files.

    A split without rows gets one shard with the schema alone, so that it loads as an empty split.
    """

    folder: Path
    split: str
    schema: pa.Schema
    shard_bytes: int = SHARD_BYTES
    rows: int = 0
    data_bytes: int = 0  # of pictures and masks
    _paths: list[Path] = field(default_factory=list)
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _waiting_bytes: int = 0
    _in_shard: int = 0
    _writer: pq.ParquetWriter | None = None
    _sink: IO[bytes] | None = None

    def add(self, record: dict[str, Any]) -> None:
        """Take one row."""
        size = sum(len(record[name]["bytes"]) for name in ("image", "mask") if record[name])
        self._waiting.append(record)
        self._waiting_bytes += size
        self.rows += 1
        self.data_bytes += size
        if len(self._waiting) >= _GROUP_ROWS or self._waiting_bytes >= min(_GROUP_BYTES, self.shard_bytes):
            self._flush()

    def add_all(self, records: Iterable[dict[str, Any]]) -> None:
        """Take many rows."""
        for record in records:
            self.add(record)

    @property
    def file_bytes(self) -> int:
        """Size of the finished shards."""
        return sum(path.stat().st_size for path in self._paths)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._close()
            return
        if self._waiting or not self._paths:
            self._flush()
        self._close()
        self._name()

    def _flush(self) -> None:
        if self._writer is None:
            self._open()
        assert self._writer is not None
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=self.schema))
        self._in_shard += self._waiting_bytes
        self._waiting, self._waiting_bytes = [], 0
        if self._in_shard >= self.shard_bytes:
            self._close()

    def _open(self) -> None:
        path = self.folder / f"{self.split}-{len(self._paths):05d}.parquet"
        self._paths.append(path)
        self._sink = path.open("wb")
        self._writer = pq.ParquetWriter(
            self._sink,
            self.schema,
            use_dictionary=list(TEXT_COLUMNS),
            write_statistics=list(TEXT_COLUMNS),
            use_content_defined_chunking=True,  # a grown release shares most of its bytes with the one before
        )
        self._in_shard = 0

    def _close(self) -> None:
        writer, sink, self._writer, self._sink = self._writer, self._sink, None, None
        try:
            if writer is not None:
                writer.close()
        finally:
            if sink is not None:
                sink.close()

    def _name(self) -> None:
        total = len(self._paths)
        for index, path in enumerate(self._paths):
            self._paths[index] = path.rename(self.folder / f"{self.split}-{index:05d}-of-{total:05d}.parquet")
