"""The database connection: everything specific to SQLite or PostgreSQL, and its faults as plain sentences."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import DatabaseError, IntegrityError

from pipeline.errors import LibraryUnusable

DATABASE_NAME = "backlot.sqlite"
Change = tuple[str, str]  # table, key of the row
_BUSY_TIMEOUT_MS = 30_000
_CHECKED_BYTES = 256_000_000  # of a database that is checked whenever it is opened
_PRAGMAS = (
    f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}",  # first: the next ones may meet a lock
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA wal_autocheckpoint=4000",  # pages: a decision writes ten, and one in four hundred waits for the checkpoint
)


def open_engine(folder: Path, url: str | None) -> Engine:
    """An engine on the library's own SQLite file, or on a database by URL. Connects to nothing yet."""
    engine = create_engine(url or f"sqlite:///{folder / DATABASE_NAME}")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi_connection: sqlite3.Connection, _record: object) -> None:
    dbapi_connection.isolation_level = None  # transactions begin in _begin_sqlite, not by the driver's guess
    for pragma in _PRAGMAS:
        dbapi_connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the write lock at once: a reader that turns writer would fail instead of waiting."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class ChangeListener(Protocol):
    """What is told of the changes of a database; see `Database.listen`."""

    def changed(self, table: str, key: str) -> None:
        """Note a row that is about to change, before anybody else can see the change."""

    def committed(self, changes: Sequence[Change]) -> None:
        """Take the rows that were just changed; the call that changed them returns only after it."""

    def settle(self) -> None:
        """Finish what earlier changes have left to do in the background."""


class Transaction:
    """A transaction that writes: its connection, and the rows that it says it changes."""

    def __init__(self, connection: Connection, listener: ChangeListener | None) -> None:
        self.connection = connection
        self.changes: list[Change] = []
        self._listener = listener

    def changed(self, table: str, key: str) -> None:
        """Tell the listener which row this transaction adds, changes or removes. Events need not be told."""
        self.changes.append((table, key))
        if self._listener is not None:
            self._listener.changed(table, key)


class Database:
    """The database of one library: short transactions, and one listener that learns of every change.

    Args:
        folder: the library.
        url: a database elsewhere (postgresql+psycopg://…); without it the folder's own SQLite file.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.engine = open_engine(folder, url)
        self._listener: ChangeListener | None = None

    def listen(self, listener: ChangeListener) -> None:
        """Tell a listener of all changes from now on."""
        self._listener = listener

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A short transaction that only reads: one consistent view."""
        with plain_faults(self.folder), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A short transaction that writes: all of it is stored, or nothing."""
        listener = self._listener
        with plain_faults(self.folder), self.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                transaction = Transaction(connection, listener)
                yield transaction
        if listener is not None:
            listener.committed(transaction.changes)

    def settle(self) -> None:
        """Have the listener finish what it does in the background."""
        if self._listener is not None:
            self._listener.settle()

    def close(self) -> None:
        """Close the connections. The database can be used again."""
        self.engine.dispose()


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves an existing row unchanged."""
    return _insert(connection, table).on_conflict_do_nothing()


def add_to(connection: Connection, table: Table, keys: dict[str, str], delta: int) -> None:
    """Add to the `value` of one row of a counter table; a missing row is created."""
    statement = _insert(connection, table).values(**keys, value=delta)
    statement = statement.on_conflict_do_update(
        index_elements=list(keys), set_={"value": table.c.value + delta}
    )
    connection.execute(statement)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite_dialect.Insert:
    return (
        postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite_dialect.insert(table)
    )


class ChangeCounter:
    """A number that changes when anybody commits to the library's SQLite file, in this process or another.

    It has a connection of its own: `PRAGMA data_version` reports the commits of other connections.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / DATABASE_NAME
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def value(self) -> int:
        """The current number. Two equal numbers mean that nothing was committed in between."""
        with self._lock:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def first_damage(connection: Connection, folder: Path) -> str:
    """The first fault that SQLite finds in the pages of the library's file; "" if there is none.

    A file of 200 MB takes about 0.6 s; a file larger than `_CHECKED_BYTES` is left to `verify`.
    """
    if connection.dialect.name != "sqlite":
        return ""
    path = folder / DATABASE_NAME
    if not path.is_file() or path.stat().st_size > _CHECKED_BYTES:
        return ""
    finding = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    return "" if finding == "ok" else str(finding).splitlines()[-1]


def damage(connection: Connection) -> list[str]:
    """All faults that SQLite finds in the library's file, as sentences; none for a database by URL."""
    if connection.dialect.name != "sqlite":
        return []
    findings = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check")]
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    return [f"database: {line}" for line in findings if line != "ok"] + [
        f"database: row {row} of table {table} points to a row of {parent} that does not exist"
        for table, row, parent, _ in broken
    ]


@contextmanager
def plain_faults(folder: Path) -> Iterator[None]:
    """Turn faults of the disk and of the database into LibraryUnusable; our own mistakes pass through."""
    try:
        yield
    except IntegrityError:
        raise
    except (json.JSONDecodeError, UnicodeDecodeError) as error:  # in a column that was overwritten
        raise LibraryUnusable(damaged_sentence(folder, "a stored value cannot be read")) from error
    except sqlite3.Error as error:
        raise LibraryUnusable(_database_sentence(folder, str(error))) from error
    except DatabaseError as error:
        raise LibraryUnusable(_database_sentence(folder, str(error.orig))) from error
    except OSError as error:
        raise LibraryUnusable(disk_sentence(folder, error)) from error


def _database_sentence(folder: Path, message: str) -> str:
    low = message.lower()
    if "full" in low or "disk i/o" in low:  # SQLite says either when a write finds no room
        return disk_sentence(folder, OSError(errno.ENOSPC, ""))
    if "readonly" in low or "unable to open" in low:
        return disk_sentence(folder, OSError(errno.EACCES, ""))
    if "locked" in low:
        return (
            f"library {folder} was locked by another process for {_BUSY_TIMEOUT_MS // 1000} s; "
            "stop that process, then try again"
        )
    if "malformed" in low or "not a database" in low or "no such" in low:
        return damaged_sentence(folder, message)
    return f"library {folder} cannot be used: {message}"


def damaged_sentence(folder: Path, finding: str) -> str:
    """The sentence for a damaged database."""
    return (
        f"library {folder} is damaged ({finding}); put a backup of {DATABASE_NAME} back, "
        "or import the photos into a new library"
    )


def disk_sentence(folder: Path, error: OSError) -> str:
    """The sentence for a fault of the disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"no space left on the disk of library {folder}; free some and run the same again, "
            "what was finished is kept"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"library {folder} is read-only; make it writable, or copy it to a folder of yours"
    return f"library {folder} cannot be used: {error.strerror or error}"
