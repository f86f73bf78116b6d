"""Queues: filters with a name that everybody sees."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from pipeline.errors import NotFound
from pipeline.store.database import insert_new
from pipeline.store.schema import now, queues


def save(connection: Connection, name: str, query: Mapping[str, str], made_by: str) -> None:
    """Store a queue in place of the one of the same name."""
    values = {"query": dict(query), "made_by": made_by, "at": now()}
    connection.execute(insert_new(connection, queues).values(name=name, **values))
    connection.execute(queues.update().where(queues.c.name == name).values(**values))


def remove(connection: Connection, name: str) -> None:
    """Forget a queue. NotFound when there is none of this name."""
    if not connection.execute(delete(queues).where(queues.c.name == name)).rowcount:
        raise NotFound("queue", name)


def all_queues(connection: Connection) -> dict[str, dict[str, str]]:
    """Name → query of every queue, by name."""
    return {row.name: dict(row.query) for row in connection.execute(select(queues).order_by(queues.c.name))}
