"""Decisions as append-only events, the votes and states that follow from them, and the review policy."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select

from pipeline.domain.release import ReviewFacts
from pipeline.domain.review import (
    AUTO_REVIEWER,
    AUTOMATIC,
    BULK,
    GATE,
    LASTING,
    RELEASE,
    SETTLE,
    Decision,
    Policy,
    Verdict,
)
from pipeline.errors import InvalidRequest, NotAllowed
from pipeline.store import leases, review_states
from pipeline.store.counters import counts
from pipeline.store.database import Database
from pipeline.store.rows import PEOPLE, DecisionRow, SampleState, VoteRow
from pipeline.store.sample_rows import state_of
from pipeline.store.schema import decisions, now, review_policies, samples, votes
from pipeline.store.sql import AnyRow

_READ_AT_ONCE = 2000  # rows
_WRITTEN_AT_ONCE = 200  # decisions; others wait for the write lock meanwhile


class ReviewRepository:
    """Append-only decisions; every sample's state and votes follow from them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- decisions ------------------------------------------------------------------------------------------

    def record(self, decision: Decision) -> str:
        """Append a decision and update the sample's state and the counters; the new state.

        A client id that was stored before changes nothing. An undo with nothing to take back stores nothing.

        Raises:
            NotFound: there is no such sample.
            InvalidRequest: the sample has no image yet.
            NotAllowed: the sample is disputed, and the decision is not a lead's (`via` "settle").
        """
        with self._database.writing() as transaction:
            return str(_record(transaction.connection, decision))

    def record_all(self, many: Sequence[Decision]) -> int:
        """Append decisions in one transaction; how many were new.

        Those on disputed samples are left out: a lead settles those one by one.

        Raises:
            NotFound, InvalidRequest: see `record`; then none of them is stored.
        """
        with self._database.writing() as transaction:
            connection = transaction.connection
            last = _last_event(connection)
            for decision in many:
                if not _is_for_a_lead(decision, state_of(connection, decision.sample_id)):
                    _record(connection, decision)
            new = select(func.count()).select_from(decisions).where(decisions.c.seq > last)
            return connection.scalar(new) or 0

    def undo(self, reviewer: str, *, client_id: str = "", via: str = "key") -> str | None:
        """Take back a reviewer's last standing decision; its sample, or None when there is none."""
        with self._database.writing() as transaction:
            connection = transaction.connection
            if client_id and (stored := _stored(connection, client_id)):
                return str(stored.sample_id)
            last = _last_standing(connection, reviewer)
            if last is None:
                return None
            _take_back(connection, last, client_id, via)
            return str(last.sample_id)

    def undo_batch(self, reviewer: str, batch: str) -> int:
        """Take back a reviewer's standing decisions whose client ids begin with "batch:"; how many."""
        in_batch = decisions.c.client_id.between(f"{batch}:", f"{batch};")
        by_reviewer = decisions.c.reviewer == reviewer
        standing = select(decisions).where(
            in_batch, by_reviewer, decisions.c.verdict != Verdict.UNDO, ~_undone()
        )
        undone = 0
        while True:
            with self._database.writing() as transaction:
                rows = transaction.connection.execute(standing.limit(_WRITTEN_AT_ONCE)).all()
                for row in rows:
                    _take_back(transaction.connection, row, "", BULK)
            if not rows:
                return undone
            undone += len(rows)

    def decisions(self, sample_id: str | None = None) -> list[Decision]:
        """All decisions, or those on one sample, in the order in which they came."""
        statement = select(decisions).order_by(decisions.c.seq)
        if sample_id is not None:
            statement = statement.where(decisions.c.sample_id == sample_id)
        with self._database.reading() as connection:
            return [_decision(row) for row in connection.execute(statement)]

    def last_event(self) -> int:
        """Number of the newest event; 0 before the first."""
        with self._database.reading() as connection:
            return _last_event(connection)

    def decision_rows(self) -> Iterator[DecisionRow]:
        """All decisions with what they were about, oldest first; read in parts, so that nobody waits for the end."""
        columns = (decisions, samples.c.label, samples.c.method, samples.c.plan)
        statement = select(*columns).join(samples, samples.c.id == decisions.c.sample_id)
        in_order = statement.order_by(decisions.c.seq).limit(_READ_AT_ONCE)
        last = 0
        while True:
            with self._database.reading() as connection:
                part = connection.execute(in_order.where(decisions.c.seq > last)).all()
            if not part:
                return
            yield from (DecisionRow(**row._mapping) for row in part)
            last = part[-1].seq

    # --- what follows from them -----------------------------------------------------------------------------

    def state(self, sample_id: str) -> str:
        """The review state of a sample.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.reading() as connection:
            return str(state_of(connection, sample_id))

    def votes(self, sample_id: str | None = None) -> list[VoteRow]:
        """The standing votes of people on a sample, or on all, by sample and person."""
        columns = (votes.c.sample_id, votes.c.reviewer, votes.c.verdict, votes.c.reason, samples.c.label)
        statement = select(*columns).join(samples, samples.c.id == votes.c.sample_id)
        if sample_id is not None:
            statement = statement.where(votes.c.sample_id == sample_id)
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(votes.c.sample_id, votes.c.reviewer))
            return [VoteRow(**row._mapping) for row in rows]

    def policy(self) -> Policy:
        """How many people look at a sample, and what their votes add up to."""
        with self._database.reading() as connection:
            return review_states.policy(connection)

    def set_policy(self, policy: Policy) -> int:
        """Change the policy and all states that follow from it; how many states changed."""
        values = {"overlap": policy.overlap, "rule": str(policy.rule), "at": now()}
        with self._database.writing() as transaction:
            if review_states.policy(transaction.connection) == policy:
                return 0
            transaction.connection.execute(insert(review_policies).values(**values))
            return review_states.rebuild(transaction.connection)

    def facts(self) -> ReviewFacts:
        """How the samples were decided, for the card of a release; without the agreement of the reviewers."""
        people = select(func.count(func.distinct(decisions.c.reviewer))).where(
            decisions.c.via.not_in(AUTOMATIC), decisions.c.verdict.in_(LASTING), ~_undone()
        )
        several = select(votes.c.sample_id).group_by(votes.c.sample_id).having(func.count() > 1)
        with self._database.reading() as connection:
            decided = _decided_by(connection)
            waiting = counts(connection).samples
            reviewers = connection.scalar(people) or 0
            shared = connection.scalar(select(func.count()).select_from(several.subquery())) or 0
            reasons = _reasons(connection)
        accepted, rejected = SampleState.ACCEPTED, SampleState.REJECTED
        return ReviewFacts(
            accepted_by_people=decided.get((accepted, PEOPLE), 0),
            accepted_by_gates=decided.get((accepted, GATE), 0),
            accepted_by_auto_reviewer=decided.get((accepted, AUTO_REVIEWER), 0),
            accepted_by_release=decided.get((accepted, RELEASE), 0),
            rejected_by_people=decided.get((rejected, PEOPLE), 0),
            rejected_by_gates=decided.get((rejected, GATE), 0),
            rejected_by_auto_reviewer=decided.get((rejected, AUTO_REVIEWER), 0),
            pending=waiting["pending"] + waiting["disputed"],
            reviewers=reviewers,
            shared=shared,
            reasons=reasons,
        )


def _decided_by(connection: Connection) -> Mapping[tuple[str, str], int]:
    """(state, who decided) → accepted and rejected samples."""
    columns = (samples.c.state, samples.c.decided_by)
    decided = samples.c.state.in_((SampleState.ACCEPTED, SampleState.REJECTED))
    rows = connection.execute(select(*columns, func.count()).where(decided).group_by(*columns))
    return {(state, decided_by): number for state, decided_by, number in rows}


def _reasons(connection: Connection) -> dict[str, int]:
    """Reject reason → samples."""
    rejected = samples.c.state == SampleState.REJECTED
    rows = connection.execute(
        select(samples.c.reason, func.count()).where(rejected).group_by(samples.c.reason)
    )
    return dict(sorted((reason, number) for reason, number in rows if reason))


def _record(connection: Connection, decision: Decision) -> SampleState:
    before = state_of(connection, decision.sample_id)
    if before in review_states.UNRENDERED:
        raise InvalidRequest(
            f"sample {decision.sample_id} has no image yet; generate it before deciding on it"
        )
    if decision.client_id and _stored(connection, decision.client_id):
        return before
    if _is_for_a_lead(decision, before):
        raise NotAllowed(decision.reviewer, "settle what others disagree on")
    undoes = None
    if decision.verdict is Verdict.UNDO:
        undoes = _last_standing(connection, decision.reviewer, decision.sample_id)
        if undoes is None:
            return before
    connection.execute(insert(decisions).values(**_values(decision), undoes=undoes and undoes.seq))
    leases.give_back(connection, decision.sample_id, decision.reviewer)
    return review_states.follow(connection, decision.sample_id)


def _is_for_a_lead(decision: Decision, state: SampleState) -> bool:
    """Whether a person's verdict would settle a dispute without a lead."""
    by_person = decision.via not in AUTOMATIC and decision.via != SETTLE
    return state is SampleState.DISPUTED and decision.verdict in LASTING and by_person


def _take_back(connection: Connection, event: AnyRow, client_id: str, via: str) -> None:
    undoing = replace(
        _decision(event),
        verdict=Verdict.UNDO,
        reason=None,
        comment="",
        at=now(),
        via=via,
        client_id=client_id,
        shown={},
    )
    connection.execute(insert(decisions).values(**_values(undoing), undoes=event.seq))
    review_states.follow(connection, event.sample_id)


def _last_event(connection: Connection) -> int:
    return connection.scalar(select(func.max(decisions.c.seq))) or 0


def _stored(connection: Connection, client_id: str) -> AnyRow | None:
    return connection.execute(select(decisions).where(decisions.c.client_id == client_id)).one_or_none()


def _last_standing(connection: Connection, reviewer: str, sample_id: str | None = None) -> AnyRow | None:
    """A reviewer's last decision that no undo has taken back."""
    statement = select(decisions).where(
        decisions.c.reviewer == reviewer, decisions.c.verdict != Verdict.UNDO, ~_undone()
    )
    if sample_id is not None:
        statement = statement.where(decisions.c.sample_id == sample_id)
    return connection.execute(statement.order_by(decisions.c.seq.desc()).limit(1)).one_or_none()


def _undone() -> ColumnElement[bool]:
    undo_event = decisions.alias("undo_event")
    return exists().where(undo_event.c.undoes == decisions.c.seq)


def _values(decision: Decision) -> dict[str, object]:
    return {
        "client_id": decision.client_id or uuid.uuid4().hex,
        "sample_id": decision.sample_id,
        "reviewer": decision.reviewer,
        "verdict": str(decision.verdict),
        "reason": None if decision.reason is None else str(decision.reason),
        "comment": decision.comment,
        "via": str(decision.via),
        "at": decision.at,
        "shown": dict(decision.shown),
    }


def _decision(row: AnyRow) -> Decision:
    return Decision(
        sample_id=row.sample_id,
        reviewer=row.reviewer,
        verdict=Verdict(row.verdict),
        reason=row.reason,
        comment=row.comment,
        at=row.at,
        via=row.via,
        client_id=row.client_id,
        shown=row.shown,
    )
