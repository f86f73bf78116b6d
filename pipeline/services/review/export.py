"""Write decisions to one file, for analysis with other tools."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pipeline.errors import InvalidRequest, StudioError
from pipeline.store import DecisionRow

_AT_ONCE = 5000  # rows in memory
_COLUMNS = tuple(DecisionRow.__annotations__)
_INTEGERS = {"seq", "undoes"}  # columns; the others are text
_Record = dict[str, object]


def write_decisions(rows: Iterator[DecisionRow], file: Path) -> int:
    """Write decisions to a `.parquet` or `.csv` file; return how many.

    The columns are the fields of `DecisionRow`; `shown` is JSON text. The file is complete or absent.

    Raises:
        InvalidRequest: the file name has another ending.
        StudioError: the file cannot be written.
    """
    if file.suffix not in _WRITERS:
        raise InvalidRequest(f"{file} is neither {' nor '.join(_WRITERS)}; end the name with one of them")
    unfinished = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        count = _WRITERS[file.suffix](unfinished, rows)
        unfinished.replace(file)
    except OSError as error:
        raise StudioError(
            f"{file} cannot be written: {error.strerror or error}; choose another place"
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return count


def _write_csv(file: Path, rows: Iterator[DecisionRow]) -> int:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        count = 0
        for records in _chunks(rows):
            writer.writerows(records)
            count += len(records)
    return count


def _write_parquet(file: Path, rows: Iterator[DecisionRow]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int64() if name in _INTEGERS else pa.string()) for name in _COLUMNS])
    with pq.ParquetWriter(file, schema) as writer:
        count = 0
        for records in _chunks(rows):
            writer.write_table(pa.Table.from_pylist(records, schema=schema))
            count += len(records)
    return count


def _chunks(rows: Iterator[DecisionRow]) -> Iterator[list[_Record]]:
    while chunk := list(islice(rows, _AT_ONCE)):
        yield [_record(row) for row in chunk]


def _record(row: DecisionRow) -> _Record:
    record: _Record = {name: getattr(row, name) for name in _COLUMNS}
    return record | {"shown": json.dumps(row.shown, sort_keys=True)}


_WRITERS: dict[str, Callable[[Path, Iterator[DecisionRow]], int]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
}
