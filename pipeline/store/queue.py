"""The review queue: which samples a reviewer gets next, under a lease, and the filters that were saved by name."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from sqlalchemy import delete, func, or_, select

from pipeline.errors import NotFound
from pipeline.store import leases, review_states, search
from pipeline.store.counters import counts
from pipeline.store.database import Database, insert_new
from pipeline.store.rows import SampleFilter, SampleOrder, SampleRow, SampleState
from pipeline.store.sample_rows import sample_row
from pipeline.store.schema import leases as lease_table
from pipeline.store.schema import now, queues, samples, votes

_QUEUE = SampleFilter(review=SampleState.PENDING, order=SampleOrder.QUEUE)


class QueueRepository:
    """Undecided samples dealt to reviewers, and named filters that everybody sees."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next_pending(self, *, after: str | None = None, limit: int = 30) -> list[SampleRow]:
        """The next undecided samples of a pass through the queue, behind the sample `after`.

        What was skipped lies before `after`; a new pass begins without it. Everybody sees the same queue.
        """
        with self._database.reading() as connection:
            rows = islice(search.walk(connection, _QUEUE, limit, after, samples), limit)
            return [sample_row(row) for row in rows]

    def take_next(
        self,
        reviewer: str,
        *,
        wanted: SampleFilter | None = None,
        after: str | None = None,
        limit: int = 30,
        lease_s: float = 600.0,
    ) -> list[SampleRow]:
        """The next samples for one of several reviewers, leased to them: nobody else gets one before its lease ends.

        Samples that the reviewer voted on are left out, and those that have as many votes and leases as the policy
        asks for. A lease that has run out, or that a clock which jumped back has made too long, does not count.

        Args:
            wanted: which samples, and in which order; only pending ones are given.
            after: the sample that this pass has come to.
            lease_s: how long a sample is kept for the reviewer.

        Raises:
            NotFound: the sample `after` is not there.
        """
        now_s = time.time()
        stale = or_(lease_table.c.until < now_s, lease_table.c.until > now_s + 2 * lease_s)
        of_sample = votes.c.sample_id == samples.c.id
        voted = select(votes.c.sample_id).where(of_sample, votes.c.reviewer == reviewer)
        cast = select(func.count()).where(of_sample).scalar_subquery()
        held_by_others = (lease_table.c.sample_id == samples.c.id, lease_table.c.reviewer != reviewer)
        held = select(func.count()).where(*held_by_others).scalar_subquery()
        wanted = replace(wanted or _QUEUE, review=SampleState.PENDING)
        statement, order = search.matching(wanted, samples)
        with self._database.writing() as transaction:
            connection = transaction.connection
            connection.execute(delete(lease_table).where(stale))
            overlap = review_states.policy(connection).overlap
            free = statement.where(~voted.exists(), cast + held < overlap).limit(limit)
            free = search.behind(connection, free, wanted, order, after)
            rows = [sample_row(row) for row in connection.execute(free)]
            leases.hold(connection, [row.id for row in rows], reviewer, now_s + lease_s)
        return rows

    def hold(self, sample_id: str, reviewer: str, *, lease_s: float = 600.0) -> None:
        """Lease one sample to a reviewer."""
        with self._database.writing() as transaction:
            leases.hold(transaction.connection, [sample_id], reviewer, time.time() + lease_s)

    def release(self, reviewer: str) -> None:
        """End all leases of a reviewer, who goes away."""
        with self._database.writing() as transaction:
            transaction.connection.execute(delete(lease_table).where(lease_table.c.reviewer == reviewer))

    def left_for(self, reviewer: str) -> int:
        """How many pending samples a reviewer has not voted on."""
        pending_with_vote = votes.join(samples, samples.c.id == votes.c.sample_id)
        voted = (votes.c.reviewer == reviewer, samples.c.state == SampleState.PENDING)
        statement = select(func.count()).select_from(pending_with_vote).where(*voted)
        with self._database.reading() as connection:
            pending = counts(connection).samples["pending"]
            if not pending or review_states.policy(connection).overlap == 1:
                return pending
            return pending - (connection.scalar(statement) or 0)

    def save(self, name: str, query: Mapping[str, str], *, made_by: str) -> None:
        """Store a filter under a name, in place of the one of that name."""
        values = {"query": dict(query), "made_by": made_by, "at": now()}
        with self._database.writing() as transaction:
            connection = transaction.connection
            transaction.changed(queues.name, name)
            connection.execute(insert_new(connection, queues).values(name=name, **values))
            connection.execute(queues.update().where(queues.c.name == name).values(**values))

    def remove(self, name: str) -> None:
        """Forget a saved filter.

        Raises:
            NotFound: there is none of this name.
        """
        with self._database.writing() as transaction:
            transaction.changed(queues.name, name)
            if not transaction.connection.execute(delete(queues).where(queues.c.name == name)).rowcount:
                raise NotFound("queue", name)

    def saved(self) -> dict[str, dict[str, str]]:
        """Name → query of every saved filter, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(queues).order_by(queues.c.name))
            return {row.name: dict(row.query) for row in rows}
