"""Decisions in the database: append-only events, and the states that follow from them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, Row, exists, func, insert, select

from pipeline.domain.release import ReviewFacts
from pipeline.domain.review import Decision, Verdict, states
from pipeline.errors import InvalidRequest
from pipeline.library import samples as sample_rows
from pipeline.library.counts import counts
from pipeline.library.rows import DecisionRow, SampleState
from pipeline.library.schema import decisions, now, samples

GATE = "gate"  # Decision.via of the automatic gates
_PEOPLE = "people"
_LASTING = (Verdict.ACCEPT, Verdict.REJECT)


def record(connection: Connection, decision: Decision) -> SampleState:
    """Append a decision and bring the sample's state and the counters in step; the new state.

    A client id that was stored before changes nothing. An undo with nothing to take back stores nothing.

    Raises:
        NotFound: no such sample.
        InvalidRequest: the sample has no picture yet.
    """
    was = sample_rows.state_of(connection, decision.sample_id)
    if was in (SampleState.PLANNED, SampleState.FAILED):
        raise InvalidRequest(
            f"sample {decision.sample_id} has no picture yet; generate it before deciding on it"
        )
    if decision.client_id and _stored(connection, decision.client_id):
        return was
    undoes = None
    if decision.verdict is Verdict.UNDO:
        undoes = _last_standing(connection, decision.reviewer, decision.sample_id)
        if undoes is None:
            return was
    connection.execute(insert(decisions).values(**_values(decision), undoes=undoes and undoes.seq))
    return _follow(connection, decision.sample_id)


def undo(connection: Connection, reviewer: str, client_id: str, via: str) -> str | None:
    """Take back a reviewer's last standing decision; its sample, or None when there is none."""
    if client_id and (stored := _stored(connection, client_id)):
        return stored.sample_id
    last = _last_standing(connection, reviewer)
    if last is None:
        return None
    event = replace(
        _decision(last),
        verdict=Verdict.UNDO,
        reason=None,
        comment="",
        at=now(),
        via=via,
        client_id=client_id,
        shown={},
    )
    connection.execute(insert(decisions).values(**_values(event), undoes=last.seq))
    _follow(connection, last.sample_id)
    return last.sample_id


def events(connection: Connection, sample_id: str | None = None) -> list[Decision]:
    """All decisions, or those on one sample, in the order in which they came."""
    statement = select(decisions).order_by(decisions.c.seq)
    if sample_id is not None:
        statement = statement.where(decisions.c.sample_id == sample_id)
    return [_decision(row) for row in connection.execute(statement)]


def rows(connection: Connection, after: int, limit: int) -> list[DecisionRow]:
    """The next events behind a sequence number, with what they were about."""
    statement = (
        select(decisions, samples.c.label, samples.c.method, samples.c.plan)
        .join(samples, samples.c.id == decisions.c.sample_id)
        .where(decisions.c.seq > after)
        .order_by(decisions.c.seq)
        .limit(limit)
    )
    return [DecisionRow(**row._mapping) for row in connection.execute(statement)]


def rebuild(connection: Connection) -> int:
    """Set every sample's review state by replaying all events; how many were different."""
    changed = 0
    for sample_id, was, state, decided_by, reason in list(replayed(connection)):
        if was != (state, decided_by, reason):
            sample_rows.change_review(connection, sample_id, state, decided_by, reason)
            changed += 1
    return changed


Outcome = tuple[SampleState, str | None, str | None]  # state, decided by, reason


def replayed(connection: Connection) -> Iterator[tuple[str, Outcome, SampleState, str | None, str | None]]:
    """(id, stored outcome, state, decided by, reason) of every rendered sample; the last three by replay."""
    rendered = samples.c.state.not_in((SampleState.PLANNED, SampleState.FAILED))
    columns = (samples.c.id, samples.c.state, samples.c.decided_by, samples.c.reason)
    stored = connection.execute(select(*columns).where(rendered)).all()
    in_order = select(decisions).order_by(decisions.c.sample_id, decisions.c.seq)
    by_sample = {
        sample_id: _outcome(list(rows))
        for sample_id, rows in groupby(connection.execute(in_order), key=lambda row: row.sample_id)
    }
    for sample_id, state, decided_by, reason in stored:
        outcome = by_sample.get(sample_id, (SampleState.PENDING, None, None))
        yield sample_id, (SampleState(state), decided_by, reason), *outcome


def facts(connection: Connection) -> ReviewFacts:
    """How the samples were decided, for the card of a release."""
    grouped = select(samples.c.state, samples.c.decided_by, samples.c.reason, func.count()).where(
        samples.c.state.in_((SampleState.ACCEPTED, SampleState.REJECTED))
    )
    found: dict[tuple[str, str], int] = {}
    reasons: dict[str, int] = {}
    for state, by, reason, number in connection.execute(
        grouped.group_by(samples.c.state, samples.c.decided_by, samples.c.reason)
    ):
        found[state, by] = found.get((state, by), 0) + number
        if state == SampleState.REJECTED and reason:
            reasons[reason] = reasons.get(reason, 0) + number
    people = select(func.count(func.distinct(decisions.c.reviewer))).where(
        decisions.c.via != GATE, decisions.c.verdict.in_(_LASTING), ~_undone()
    )
    return ReviewFacts(
        accepted_by_people=found.get((SampleState.ACCEPTED, _PEOPLE), 0),
        accepted_by_gates=found.get((SampleState.ACCEPTED, GATE), 0),
        rejected_by_people=found.get((SampleState.REJECTED, _PEOPLE), 0),
        rejected_by_gates=found.get((SampleState.REJECTED, GATE), 0),
        pending=counts(connection).samples["pending"],
        reviewers=connection.scalar(people) or 0,
        reasons=dict(sorted(reasons.items())),
    )


def _follow(connection: Connection, sample_id: str) -> SampleState:
    """Set the state of one sample from its events."""
    statement = select(decisions).where(decisions.c.sample_id == sample_id).order_by(decisions.c.seq)
    state, decided_by, reason = _outcome(list(connection.execute(statement)))
    sample_rows.change_review(connection, sample_id, state, decided_by, reason)
    return state


def _outcome(rows: list[Row]) -> Outcome:
    """What the events on one sample, oldest first, add up to."""
    state = SampleState(states([_decision(row) for row in rows]).get(rows[0].sample_id, SampleState.PENDING))
    if state is SampleState.PENDING:
        return state, None, None
    undone = {row.undoes for row in rows}
    verdict = Verdict.ACCEPT if state is SampleState.ACCEPTED else Verdict.REJECT
    last = [row for row in rows if row.verdict == verdict and row.seq not in undone][-1]
    return state, GATE if last.via == GATE else _PEOPLE, last.reason


def _stored(connection: Connection, client_id: str) -> Row | None:
    return connection.execute(select(decisions).where(decisions.c.client_id == client_id)).one_or_none()


def _last_standing(connection: Connection, reviewer: str, sample_id: str | None = None) -> Row | None:
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


def _decision(row: Row) -> Decision:
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
