"""The types of statements, columns and rows that pass between the modules of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Table

# which columns they hold is known only when they run
AnyColumn: TypeAlias = ColumnElement[Any]
AnySelect: TypeAlias = Select[Any]
AnyRow: TypeAlias = Row[Any]
Selected: TypeAlias = AnyColumn | Table
Values: TypeAlias = dict[str, object]  # column → value, as a statement takes it
_Item = TypeVar("_Item")
_CHUNK = 500  # rows or ids in one statement


def chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """As many items at a time as fit into one statement."""
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
