"""Write rows into parquet shards, streaming: memory does not grow with the number of rows.

Where a shard ends depends on the rows in it alone (content-defined chunking as in LBFS, Muthitacharoen et al. 2001,
section 3.1, with rows for bytes), and its name on its content. So a release that has grown holds the old shards
unchanged except for the last one, and in a release that lost a row one shard differs: only new data is uploaded.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.publish.features import COMPRESSED_COLUMNS, TEXT_COLUMNS, ImageFile, StoredRow

if TYPE_CHECKING:
    from typing_extensions import Buffer

SHARD_BYTES = 500_000_000
_GROUP_ROWS = 100  # in one row group: what a reader holds at once
_GROUP_BYTES = 64_000_000
_NAME_DIGITS = 12  # of the hash


@dataclass(frozen=True, slots=True)
class Shard:
    """A finished file."""

    path: Path
    sha256: str
    file_bytes: int
    rows: int


@dataclass(slots=True)
class ShardWriter:
    """Writes one split as `<split>-<place of the first row>-<hash>.parquet`, so that names sort in row order.

    A shard holds between 0.5 and 1.5 times `shard_bytes` of images, the last one less. A split without rows gets one
    shard with the schema alone. Leaving the `with` block completes the files.
    """

    folder: Path
    split: str
    schema: pa.Schema
    shard_bytes: int = SHARD_BYTES
    rows: int = 0
    data_bytes: int = 0  # of images and masks
    shards: list[Shard] = field(default_factory=list)
    _waiting: list[StoredRow] = field(default_factory=list)
    _waiting_bytes: int = 0
    _in_shard: int = 0
    _rows_in_shard: int = 0
    _first_place: int = 0
    _writer: pq.ParquetWriter | None = None
    _sink: _HashingFile | None = None
    _writing_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _pending_write: Future[None] | None = None

    def add(self, row: StoredRow, *, place: int = 0) -> None:
        """Write one row.

        Args:
            row: values for the columns of the schema; `sample_id` and the size decide whether the shard ends here.
            place: the row's position in its subset, for the name of the shard that it begins.
        """
        size = sum(len(file["bytes"]) for file in (row["image"], row["mask"]) if file)
        if not self._rows_in_shard:
            self._first_place = place
        self._waiting.append(row)
        self._waiting_bytes += size
        self._in_shard += size
        self._rows_in_shard += 1
        self.rows += 1
        self.data_bytes += size
        if self._ends(row["sample_id"], size):
            self._flush()
            self._close()
        elif len(self._waiting) >= _GROUP_ROWS or self._waiting_bytes >= _GROUP_BYTES:
            self._flush()

    @property
    def file_bytes(self) -> int:
        """Size of the finished shards."""
        return sum(shard.file_bytes for shard in self.shards)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                self._abandon()
            elif self._rows_in_shard or not self.shards:
                self._flush()
                self._close()
        finally:
            self._writing_thread.shutdown()

    def _ends(self, sample_id: str, size: int) -> bool:
        """Whether the shard ends after this row: pseudo-randomly, decided by the row's own id."""
        half = self.shard_bytes / 2
        if self._in_shard < half:
            return False
        draw = int.from_bytes(hashlib.sha256(f"shard {sample_id}".encode()).digest()[:8]) / 2**64
        return draw < size / half or self._in_shard >= 3 * half

    def _flush(self) -> None:
        """Pack and write the waiting rows in a thread while the next ones are read, one group at a time."""
        if self._writer is None:
            self._open()
        self._wait_for_write()
        if self._waiting:
            self._pending_write = self._writing_thread.submit(self._write, self._waiting)
        self._waiting, self._waiting_bytes = [], 0

    def _write(self, rows: list[StoredRow]) -> None:
        assert self._writer is not None
        self._writer.write_table(_table(rows, self.schema))

    def _wait_for_write(self) -> None:
        pending, self._pending_write = self._pending_write, None
        if pending is not None:
            pending.result()

    def _open(self) -> None:
        self._sink = _HashingFile(self.folder / f".{self.split}.part")
        self._writer = pq.ParquetWriter(
            self._sink,
            self.schema,
            use_dictionary=list(TEXT_COLUMNS),
            write_statistics=list(TEXT_COLUMNS),
            compression={
                name: "NONE" if name in COMPRESSED_COLUMNS else "ZSTD" for name in _leaves(self.schema)
            },
            use_content_defined_chunking=True,  # a changed shard shares most of its bytes with its previous version
        )

    def _close(self) -> None:
        self._wait_for_write()
        assert self._writer is not None
        assert self._sink is not None
        self._writer.close()
        self._sink.close()
        digest, size = self._sink.sha256, self._sink.size
        name = f"{self.split}-{self._first_place:09d}-{digest[:_NAME_DIGITS]}.parquet"
        path = self._sink.path.replace(self.folder / name)
        self.shards.append(Shard(path, digest, size, self._rows_in_shard))
        self._writer = self._sink = None
        self._in_shard = self._rows_in_shard = 0

    def _abandon(self) -> None:
        if self._pending_write is not None:
            self._pending_write.exception()  # the first error is the one to report
        writer, sink, self._writer, self._sink = self._writer, self._sink, None, None
        try:
            if writer is not None:
                writer.close()
        finally:
            if sink is not None:
                sink.close()


class _HashingFile(io.RawIOBase):
    """A file for writing that computes the SHA-256 of its content in a thread while it is written."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.size = path, 0
        self._digest = hashlib.sha256()
        self._hashing = ThreadPoolExecutor(1)
        self._latest: Future[None] | None = None
        self._file = path.open("wb")

    @property
    def sha256(self) -> str:
        """The digest of all that was written, once the file is closed."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        """True: the file is for writing only."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Append bytes and return how many."""
        size = self._file.write(data)
        if self._latest is not None:
            self._latest.result()  # one piece at a time, so that memory stays flat
        self._latest = self._hashing.submit(self._digest.update, bytes(data))
        self.size += size
        return size

    def tell(self) -> int:
        """The number of bytes written."""
        return self.size

    def flush(self) -> None:
        """Flush the file's buffer to the system."""
        if not self._file.closed:
            self._file.flush()

    def close(self) -> None:
        """Close the file and complete the digest."""
        self._file.close()
        self._hashing.shutdown()
        super().close()


def _table(rows: Sequence[StoredRow], schema: pa.Schema) -> pa.Table:
    """Return the rows as a table that refers to the image bytes, which `Table.from_pylist` would copy."""
    files: dict[str, Sequence[ImageFile | None]] = {
        "image": [row["image"] for row in rows],
        "mask": [row["mask"] for row in rows],
    }
    values: Sequence[Mapping[str, object]] = rows
    columns = [
        _image_column(files[column.name], column.type)
        if column.name in files
        else pa.array([row[column.name] for row in values], column.type)
        for column in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _image_column(files: Sequence[ImageFile | None], kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([_image(file).cast(kind) for file in files], kind)


def _image(file: ImageFile | None) -> pa.StructArray:
    """Return one file, or None, as a struct of its bytes and its path."""
    data = b"" if file is None else file["bytes"]
    offsets = np.array([0, len(data)], np.int32)
    packed = pa.BinaryArray.from_buffers(pa.binary(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    path = pa.array([None if file is None else file["path"]], pa.string())
    return pa.StructArray.from_arrays([packed, path], ["bytes", "path"], mask=pa.array([file is None]))


def _leaves(schema: pa.Schema) -> list[str]:
    """Return the parquet columns of a schema, e.g. "image.bytes"."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    columns = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return [columns.column(index).path for index in range(len(columns))]
