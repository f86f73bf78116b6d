"""All decisions as one file, for people who analyse the review elsewhere."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import InvalidRequest, StudioError
from pipeline.store import DecisionRow

_AT_ONCE = 5000  # rows in memory
_COLUMNS = tuple(DecisionRow.__annotations__)
_SUFFIXES = (".parquet", ".csv")


class _Writer(Protocol):
    def write(self, rows: list[dict[str, Any]]) -> None: ...

    def close(self) -> None: ...


def write_decisions(rows: Iterator[DecisionRow], file: Path) -> int:
    """Write every decision, oldest first, to a `.parquet` or `.csv` file; how many.

    The columns are the fields of `DecisionRow`; `shown` is JSON text. The file is there whole or not at all.

    Raises:
        InvalidRequest: another kind of file.
        StudioError: the place cannot be written.
    """
    if file.suffix not in _SUFFIXES:
        raise InvalidRequest(f"{file} is neither {' nor '.join(_SUFFIXES)}; end the name with one of them")
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        count = _write(part, file.suffix, rows)
        part.replace(file)
    except OSError as error:
        raise StudioError(
            f"{file} cannot be written: {error.strerror or error}; choose another place"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()
    return count


def _write(part: Path, suffix: str, rows: Iterator[DecisionRow]) -> int:
    writer: _Writer = _Parquet(part) if suffix == ".parquet" else _Csv(part)
    count = 0
    try:
        while some := list(islice(rows, _AT_ONCE)):
            writer.write([_record(row) for row in some])
            count += len(some)
    finally:
        writer.close()
    return count


def _record(row: DecisionRow) -> dict[str, Any]:
    record = {name: getattr(row, name) for name in _COLUMNS}
    return record | {"shown": json.dumps(row.shown, sort_keys=True)}


class _Csv:
    def __init__(self, file: Path) -> None:
        self._file = file.open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, _COLUMNS)
        self._writer.writeheader()

    def write(self, rows: list[dict[str, Any]]) -> None:
        self._writer.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, file: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        whole = {"seq", "undoes"}
        self._schema = pa.schema([(name, pa.int64() if name in whole else pa.string()) for name in _COLUMNS])
        self._writer = pq.ParquetWriter(file, self._schema)

    def write(self, rows: list[dict[str, Any]]) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()
