"""The rows of the database as a journal stores them. `restore.py` restores a database from them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypedDict, final

from sqlalchemy import Connection, Table, func, select

from pipeline.domain.recipe import parse_recipe
from pipeline.domain.review import RELEASE_PLAN
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRecipe
from pipeline.store.rows import RENDERED_STATES
from pipeline.store.schema import (
    auto_review_checks,
    auto_review_limits,
    decisions,
    gold_answers,
    gold_items,
    metadata,
    photos,
    plans,
    queues,
    refusals,
    review_policies,
    samples,
)
from pipeline.store.sql import AnyRow, AnySelect, chunks

Value: TypeAlias = "str | int | float | bytes | list[Value] | dict[str, Value] | None"
JournalRow: TypeAlias = dict[str, Value]  # column → value; decisions name what they undo by `undoes_id`
Key: TypeAlias = tuple[Value, ...]


@final
class RowEntry(TypedDict):
    """A row as it is at present, or an event."""

    table: str
    row: JournalRow


@final
class GoneEntry(TypedDict):
    """The key of a row that was removed."""

    table: str
    gone: list[str]


Entry: TypeAlias = RowEntry | GoneEntry

# table → what tells its rows apart, in the order in which they are restored
KEYS: dict[str, tuple[str, ...]] = {
    photos.name: ("id",),
    refusals.name: ("source", "name"),
    plans.name: ("name",),
    samples.name: ("id",),
    gold_items.name: ("id",),
    review_policies.name: ("at", "overlap", "rule"),
    decisions.name: ("client_id",),
    gold_answers.name: ("client_id",),
    auto_review_limits.name: ("at", "set_by"),
    auto_review_checks.name: ("sample_id",),
    queues.name: ("name",),
}
EVENTS = (  # tables whose rows are never changed, in the order of `seq`
    refusals, gold_items, review_policies, decisions, gold_answers, auto_review_limits,
)  # fmt: skip
_FOLLOWING = {  # columns of samples that follow from other rows
    "state", "decided_by", "reason", "failure", "promise", "certainty",
}  # fmt: skip


@dataclass(slots=True)
class Journal:
    """The entries of a journal in the order in which they were written, as table → key → row."""

    rows: dict[str, dict[Key, JournalRow]] = field(default_factory=lambda: {name: {} for name in KEYS})

    def take(self, entry: Entry) -> None:
        """Add an entry. An event counts once; of rows that can change the last entry is valid.

        Raises:
            KeyError, TypeError, ValueError: it is not an entry of this version.
        """
        name = entry["table"]
        rows = self.rows[name]
        if "gone" in entry:
            rows.pop(tuple(entry["gone"]), None)
            return
        row = _values(entry["row"])
        if name == photos.name:
            row.setdefault("deleted_at", None)  # earlier versions could not delete photos
        elif name == plans.name:
            row.setdefault("request", None)  # earlier versions did not store it
        elif name == samples.name:
            row.setdefault("distractors", None)  # earlier versions had none
        key = key_of(name, row)
        if name not in _EVENT_NAMES or key not in rows:
            rows[key] = row

    def image_ids(self) -> Iterator[str]:
        """The ids of all images that photos, plans and samples need."""
        for name in (photos.name, plans.name, samples.name):
            for row in self.rows[name].values():
                yield from image_ids_of(name, row)


_EVENT_NAMES = {table.name for table in EVENTS}


def image_ids_of(name: str, row: JournalRow) -> list[str]:
    """The ids of the images that a row needs, the main image of a photo or sample last; none for deleted photos.

    A plan needs the backgrounds that it learnt, since the field profile may be lost.
    """
    if name == photos.name:
        needed = [] if row["deleted_at"] else [row["cutout_id"], row["mask_id"], row["photo_id"]]
    elif name == plans.name:
        needed = [*_learnt_backgrounds(row)]
    elif name == samples.name:
        needed = [*_ingredients(row), row["mask_id"], row["image_id"]]
    else:
        needed = []
    return [str(image_id) for image_id in needed if image_id]


def _learnt_backgrounds(row: JournalRow) -> list[str]:
    try:
        learnt = parse_recipe(text_of(row, "recipe_yaml")).learnt
    except InvalidRecipe:  # written by another version, or not from a recipe
        return []
    return (learnt.backgrounds if learnt else None) or []


def _ingredients(row: JournalRow) -> list[str]:
    """The images that a sample was rendered from, without its photo; none if it came with a release."""
    if text_of(row, "plan").startswith(RELEASE_PLAN):
        return []
    return list(SampleSpec.from_json(text_of(row, "spec")).ingredients)


def heads(connection: Connection) -> dict[str, int]:
    """The number of the newest row of each table of events; 0 before the first."""
    newest = [select(func.max(table.c.seq)).scalar_subquery().label(table.name) for table in EVENTS]
    return {name: number or 0 for name, number in connection.execute(select(*newest)).one()._mapping.items()}


def events_after(connection: Connection, cursors: Mapping[str, int]) -> list[RowEntry]:
    """The events behind those numbers, table by table, oldest first."""
    events: list[RowEntry] = []
    for table in EVENTS:
        behind = select(table).where(table.c.seq > cursors.get(table.name, 0)).order_by(table.c.seq)
        events += [_entry(table, row) for row in _with_undone(connection, table, behind)]
    return events


def entries_of(connection: Connection, name: str, keys: Iterable[str]) -> list[Entry]:
    """The present rows of a table with a key of one column, in its order; a queue that does not exist is gone.

    Samples without an image are left out.
    """
    table, (column,) = metadata.tables[name], KEYS[name]
    keys = list(dict.fromkeys(keys))
    rows: list[AnyRow] = []
    for chunk in chunks(keys):
        rows += connection.execute(select(table).where(table.c[column].in_(chunk)))
    there = {getattr(row, column) for row in rows}
    if table is samples:
        rows = [row for row in rows if row.state in RENDERED_STATES]
    rows.sort(key=lambda row: getattr(row, "seq", 0))
    removed = [key for key in keys if key not in there] if table is queues else []
    gone = [GoneEntry(table=name, gone=[key]) for key in removed]
    return [*(_entry(table, row) for row in rows), *gone]


def place_of(entry: Entry) -> tuple[str, str]:
    """(table, key) of an entry of a table with a key of one column."""
    name = entry["table"]
    return name, entry["gone"][0] if "gone" in entry else str(key_of(name, entry["row"])[0])


def changed_keys(connection: Connection, journal: Journal) -> Iterator[tuple[str, str]]:
    """(table, key) of the rows, other than events, that a journal lacks or holds with other values."""
    for name, columns in KEYS.items():
        if name in _EVENT_NAMES:
            continue
        table = metadata.tables[name]
        statement = select(table)
        if table is samples:
            statement = statement.where(samples.c.state.in_(RENDERED_STATES))
        for row in connection.execute(statement):
            here = _plain(table, row)
            if journal.rows[name].get(key_of(name, here)) != here:
                yield name, str(here[columns[0]])


def missing_events(connection: Connection, journal: Journal) -> list[RowEntry]:
    """The events of the database that a journal lacks, oldest first."""
    return [
        entry
        for entry in events_after(connection, {})
        if key_of(entry["table"], entry["row"]) not in journal.rows[entry["table"]]
    ]


def _with_undone(connection: Connection, table: Table, statement: AnySelect) -> list[AnyRow]:
    """Rows of a table; those of decisions with the client id of what they undo, as numbers change."""
    if table is not decisions:
        return list(connection.execute(statement))
    undone = decisions.alias("undone")
    joined = decisions.outerjoin(undone, undone.c.seq == decisions.c.undoes)
    statement = statement.add_columns(undone.c.client_id.label("undoes_id")).select_from(joined)
    return list(connection.execute(statement))


def _entry(table: Table, row: AnyRow) -> RowEntry:
    return {"table": table.name, "row": _plain(table, row)}


def _plain(table: Table, row: AnyRow) -> JournalRow:
    values = {name: value for name, value in row._mapping.items() if name != "undoes"}
    if table is samples:
        values = {name: value for name, value in values.items() if name not in _FOLLOWING}
    return values


def encoded(entry: Entry) -> Entry:
    """An entry as JSON takes it: bytes as {"base64": text}."""
    if "gone" in entry:
        return entry
    return {"table": entry["table"], "row": {name: _text(value) for name, value in entry["row"].items()}}


def _text(value: Value) -> Value:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _values(row: JournalRow) -> JournalRow:
    return {
        name: base64.b64decode(text_of(value, "base64"))
        if isinstance(value, dict) and set(value) == {"base64"}
        else value
        for name, value in row.items()
    }


def key_of(name: str, row: JournalRow) -> Key:
    return tuple(row[column] for column in KEYS[name])


def text_of(row: JournalRow, column: str) -> str:
    """The text in a column.

    Raises:
        TypeError: there is something else.
    """
    value = row[column]
    if not isinstance(value, str):
        raise TypeError(f"column {column} holds {value!r}, not text")
    return value


def number_of(row: JournalRow, column: str) -> int:
    """The whole number in a column.

    Raises:
        TypeError: there is something else.
    """
    value = row[column]
    if not isinstance(value, int):
        raise TypeError(f"column {column} holds {value!r}, not a number")
    return value
