"""The counter table: updated by every write, so that counting is free."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, delete, func, insert, select

from pipeline.store.database import add_to
from pipeline.store.rows import RENDERED_STATES, Counts, SampleState
from pipeline.store.schema import counters, photos, samples

PHOTOS, EXCLUDED, SAMPLES = "subjects", "excluded", "samples"  # scopes
_Key = tuple[str, str]  # scope, key
_STORED = select(counters.c.scope, counters.c.key, counters.c.value)


def count(connection: Connection, scope: str, key: str, delta: int) -> None:
    """Add to one counter, in the transaction of the change that it counts."""
    if delta:
        add_to(connection, counters, {"scope": scope, "key": key}, delta)


def counts(connection: Connection) -> Counts:
    """How much there is, as the counters say."""
    stored = stored_counters(connection)
    states = {state: stored.get((SAMPLES, state), 0) for state in SampleState}
    classes = {key: value for (scope, key), value in sorted(stored.items()) if scope == PHOTOS}
    return Counts(
        subjects=sum(classes.values()),
        excluded=sum(value for (scope, _), value in stored.items() if scope == EXCLUDED),
        classes=classes,
        samples={
            "planned": sum(states.values()),
            "rendered": sum(states[state] for state in RENDERED_STATES),
            "pending": states[SampleState.PENDING],
            "accepted": states[SampleState.ACCEPTED],
            "rejected": states[SampleState.REJECTED],
            "disputed": states[SampleState.DISPUTED],
            "failed": states[SampleState.FAILED],
        },
    )


def stored_counters(connection: Connection) -> dict[_Key, int]:
    """The counters that are not zero."""
    return {(scope, key): value for scope, key, value in connection.execute(_STORED) if value}


def actual_counters(connection: Connection) -> dict[_Key, int]:
    """What the counters must be, by counting all rows."""
    totals: Counter[_Key] = Counter()
    columns = (photos.c.label, photos.c.excluded)
    by_label = select(*columns, func.count()).where(photos.c.deleted_at.is_(None)).group_by(*columns)
    for label, excluded, number in connection.execute(by_label):
        totals[PHOTOS, label] += number
        if excluded:
            totals[EXCLUDED, label] += number
    for state, number in connection.execute(select(samples.c.state, func.count()).group_by(samples.c.state)):
        totals[SAMPLES, state] += number
    return dict(totals)


def recount(connection: Connection) -> None:
    """Set all counters by counting all rows."""
    connection.execute(delete(counters))
    for (scope, key), value in actual_counters(connection).items():
        connection.execute(insert(counters).values(scope=scope, key=key, value=value))
