"""Leases: who is looking at which sample, so that no two reviewers get the same one unless the overlap asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, func, insert, or_, select

from pipeline.store import samples as sample_rows
from pipeline.store.rows import SampleFilter, SampleRow, SampleState
from pipeline.store.schema import leases, samples, votes
from pipeline.store.search import behind, matching


def take(
    connection: Connection,
    reviewer: str,
    wanted: SampleFilter,
    *,
    overlap: int,
    after: str | None,
    limit: int,
    now_s: float,
    lease_s: float,
) -> list[SampleRow]:
    """The next samples for a reviewer, leased to them: pending, without their vote, wanted by the overlap.

    A lease that has run out, or that a clock which jumped back has made too long, does not count.

    Args:
        wanted: which samples, and in which order; only pending ones are given.
        overlap: votes of different people that a sample needs.
        after: the sample that this pass has come to.
        now_s: seconds since 1970.
        lease_s: how long a sample is kept for the reviewer.
    """
    stale = or_(leases.c.until < now_s, leases.c.until > now_s + 2 * lease_s)
    connection.execute(delete(leases).where(stale))
    mine = select(votes.c.sample_id).where(votes.c.sample_id == samples.c.id, votes.c.reviewer == reviewer)
    given = select(func.count()).where(votes.c.sample_id == samples.c.id).scalar_subquery()
    held = (
        select(func.count())
        .where(leases.c.sample_id == samples.c.id, leases.c.reviewer != reviewer)
        .scalar_subquery()
    )
    wanted = replace(wanted, review=SampleState.PENDING)
    statement, order = matching(wanted, samples)
    statement = statement.where(~mine.exists(), given + held < overlap).limit(limit)
    statement = behind(connection, statement, wanted, order, after)
    rows = [sample_rows.sample_row(row) for row in connection.execute(statement)]
    hold(connection, [row.id for row in rows], reviewer, now_s + lease_s)
    return rows


def give_back(connection: Connection, sample_id: str, reviewer: str) -> None:
    """End a lease."""
    connection.execute(delete(leases).where(leases.c.sample_id == sample_id, leases.c.reviewer == reviewer))


def give_all_back(connection: Connection, reviewer: str) -> None:
    """End all leases of a reviewer."""
    connection.execute(delete(leases).where(leases.c.reviewer == reviewer))


def hold(connection: Connection, sample_ids: Sequence[str], reviewer: str, until: float) -> None:
    """Lease samples to a reviewer until a time in seconds since 1970."""
    if not sample_ids:
        return
    own = leases.c.reviewer == reviewer
    connection.execute(delete(leases).where(leases.c.sample_id.in_(sample_ids), own))
    rows = [{"sample_id": one, "reviewer": reviewer, "until": until} for one in sample_ids]
    connection.execute(insert(leases), rows)
