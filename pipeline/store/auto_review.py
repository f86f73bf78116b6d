"""What the helper that learns needs of the database, and what it leaves there."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, func, insert, select, update

from pipeline.store import samples as sample_rows
from pipeline.store.database import insert_new
from pipeline.store.rows import PEOPLE, AutoReviewCheck, AutoReviewLimits, SampleRow, SampleState
from pipeline.store.schema import helper_checks, helper_limits, now, samples, votes

_DECIDED = (SampleState.ACCEPTED, SampleState.REJECTED)


def examples(connection: Connection, limit: int) -> list[tuple[SampleRow, bool]]:
    """(sample, accepted) of the newest samples that people decided, `limit` of a kind at most, oldest vote first."""
    found = []
    last = select(func.max(votes.c.decision)).where(votes.c.sample_id == samples.c.id).scalar_subquery()
    for state in _DECIDED:
        by_people = select(samples, last.label("last")).where(
            samples.c.state == state, samples.c.decided_by == PEOPLE
        )
        for row in connection.execute(by_people.order_by(samples.c.seq.desc()).limit(limit)):
            found.append((row.last, sample_rows.sample_row(row), state is SampleState.ACCEPTED))
    return [(row, good) for _, row, good in sorted(found, key=lambda one: one[0])]


def set_promises(connection: Connection, promises: Mapping[str, float]) -> None:
    """Store what the helper says of samples, probabilities of acceptance."""
    rows = [
        {"of": sample_id, "promise": promise, "certainty": abs(promise - 0.5)}
        for sample_id, promise in promises.items()
    ]
    if rows:
        statement = update(samples).where(samples.c.id == bindparam("of"))
        connection.execute(
            statement.values(promise=bindparam("promise"), certainty=bindparam("certainty")), rows
        )


def limits(connection: Connection) -> AutoReviewLimits:
    """What the helper may decide by itself."""
    row = connection.execute(
        select(helper_limits).order_by(helper_limits.c.seq.desc()).limit(1)
    ).one_or_none()
    return (
        AutoReviewLimits()
        if row is None
        else AutoReviewLimits(accept_from=row.accept_from, reject_below=row.reject_below)
    )


def set_limits(connection: Connection, wanted: AutoReviewLimits, set_by: str) -> None:
    """Change what the helper may decide by itself."""
    values = {"accept_from": wanted.accept_from, "reject_below": wanted.reject_below}
    connection.execute(insert(helper_limits).values(**values, set_by=set_by, at=now()))


def leave_to_people(connection: Connection, sample_id: str, verdict: str, promise: float) -> None:
    """Note a sample that the helper would have decided, and that people decide as a check. Again: no change."""
    values = {"sample_id": sample_id, "verdict": verdict, "promise": promise, "at": now()}
    connection.execute(insert_new(connection, helper_checks).values(**values))


def checks(connection: Connection) -> AutoReviewCheck:
    """How people decided what was left to them as a check."""
    joined = helper_checks.join(samples, samples.c.id == helper_checks.c.sample_id)
    columns = (helper_checks.c.verdict, samples.c.state, samples.c.decided_by)
    rows = connection.execute(select(*columns).select_from(joined)).all()
    decided = [(verdict, state) for verdict, state, by in rows if state in _DECIDED and by == PEOPLE]
    agreed = sum((verdict == "accept") == (state == SampleState.ACCEPTED) for verdict, state in decided)
    return AutoReviewCheck(left=len(rows) - len(decided), decided=len(decided), agreed=agreed)
