"""Decisions in the database: append-only events, and the states that follow from them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, insert, select

from pipeline.domain.release import ReviewFacts
from pipeline.domain.review import (
    AUTOMATIC,
    BULK,
    GATE,
    HELPER,
    LASTING,
    RELEASE,
    SETTLE,
    Decision,
    Policy,
    Rule,
    Verdict,
    outcome,
)
from pipeline.domain.review import votes as votes_of
from pipeline.errors import InvalidRequest, NotAllowed
from pipeline.store import leases as leasing
from pipeline.store import samples as sample_rows
from pipeline.store.agreement import by_sample, krippendorffs_alpha
from pipeline.store.counts import counts
from pipeline.store.rows import PEOPLE, DecisionRow, SampleState, VoteRow
from pipeline.store.schema import decisions, now, review_policies, samples, votes

_UNRENDERED = (SampleState.PLANNED, SampleState.FAILED)


def record(connection: Connection, decision: Decision) -> SampleState:
    """Append a decision and update the sample's state and the counters; the new state.

    A client id that was stored before changes nothing. An undo with nothing to take back stores nothing.

    Raises:
        NotFound: no such sample.
        InvalidRequest: the sample has no picture yet.
        NotAllowed: the sample is disputed, and the decision does not come from a lead who settles it.
    """
    was = sample_rows.state_of(connection, decision.sample_id)
    if was in _UNRENDERED:
        raise InvalidRequest(
            f"sample {decision.sample_id} has no picture yet; generate it before deciding on it"
        )
    if decision.client_id and _stored(connection, decision.client_id):
        return was
    if _is_for_a_lead(decision, was):
        raise NotAllowed(decision.reviewer, "settle what others disagree on")
    undoes = None
    if decision.verdict is Verdict.UNDO:
        undoes = _last_standing(connection, decision.reviewer, decision.sample_id)
        if undoes is None:
            return was
    connection.execute(insert(decisions).values(**_values(decision), undoes=undoes and undoes.seq))
    leasing.give_back(connection, decision.sample_id, decision.reviewer)
    return follow(connection, decision.sample_id)


def record_many(connection: Connection, many: Iterable[Decision]) -> int:
    """Append decisions, but for those on disputed samples, which a lead settles one by one; how many were new.

    Raises:
        NotFound, InvalidRequest: see `record`.
    """
    last = last_event(connection)
    for decision in many:
        if not _is_for_a_lead(decision, sample_rows.state_of(connection, decision.sample_id)):
            record(connection, decision)
    new = select(func.count()).select_from(decisions).where(decisions.c.seq > last)
    return connection.scalar(new) or 0


def _is_for_a_lead(decision: Decision, state: SampleState) -> bool:
    """Whether a person's verdict would settle a dispute without a lead."""
    by_person = decision.via not in AUTOMATIC and decision.via != SETTLE
    return state is SampleState.DISPUTED and decision.verdict in LASTING and by_person


def undo(connection: Connection, reviewer: str, client_id: str, via: str) -> str | None:
    """Take back a reviewer's last standing decision; its sample, or None when there is none."""
    if client_id and (stored := _stored(connection, client_id)):
        return stored.sample_id
    last = _last_standing(connection, reviewer)
    if last is None:
        return None
    _take_back(connection, last, client_id, via)
    return last.sample_id


def undo_batch(connection: Connection, reviewer: str, batch: str, limit: int) -> int:
    """Take back at most so many standing decisions of a reviewer whose client ids begin with "batch:"; how many."""
    mine = decisions.c.client_id.between(f"{batch}:", f"{batch};"), decisions.c.reviewer == reviewer
    standing = select(decisions).where(*mine, decisions.c.verdict != Verdict.UNDO, ~_undone())
    rows = list(connection.execute(standing.limit(limit)))
    for row in rows:
        _take_back(connection, row, "", BULK)
    return len(rows)


def _take_back(connection: Connection, event: Row, client_id: str, via: str) -> None:
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
    follow(connection, event.sample_id)


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


def last_event(connection: Connection) -> int:
    """Number of the newest event; 0 before the first."""
    return connection.scalar(select(func.max(decisions.c.seq))) or 0


def policy(connection: Connection) -> Policy:
    """How many people look at a sample, and what their votes add up to."""
    row = connection.execute(
        select(review_policies).order_by(review_policies.c.seq.desc()).limit(1)
    ).one_or_none()
    return Policy() if row is None else Policy(overlap=row.overlap, rule=Rule(row.rule))


def set_policy(connection: Connection, wanted: Policy) -> int:
    """Change the policy and every state that follows from it; how many states changed."""
    if policy(connection) == wanted:
        return 0
    values = {"overlap": wanted.overlap, "rule": str(wanted.rule), "at": now()}
    connection.execute(insert(review_policies).values(**values))
    return rebuild(connection)


def left_for(connection: Connection, reviewer: str) -> int:
    """How many pending samples a reviewer has not voted on."""
    pending = counts(connection).samples["pending"]
    if not pending or policy(connection).overlap == 1:
        return pending
    mine = (
        select(func.count())
        .select_from(votes.join(samples, samples.c.id == votes.c.sample_id))
        .where(votes.c.reviewer == reviewer, samples.c.state == SampleState.PENDING)
    )
    return pending - (connection.scalar(mine) or 0)


def vote_rows(connection: Connection, sample_id: str | None) -> list[VoteRow]:
    """The standing votes of people on a sample, or on all."""
    columns = (votes.c.sample_id, votes.c.reviewer, votes.c.verdict, votes.c.reason, samples.c.label)
    statement = select(*columns).join(samples, samples.c.id == votes.c.sample_id)
    if sample_id is not None:
        statement = statement.where(votes.c.sample_id == sample_id)
    return [
        VoteRow(**row._mapping)
        for row in connection.execute(statement.order_by(votes.c.sample_id, votes.c.reviewer))
    ]


def rebuild(connection: Connection) -> int:
    """Set every sample's review state and votes by replaying all events; how many states were different."""
    for sample_id in list(wrong_votes(connection)):
        statement = select(decisions).where(decisions.c.sample_id == sample_id).order_by(decisions.c.seq)
        _keep_votes(connection, sample_id, connection.execute(statement).all())
    changed = 0
    for sample_id, was, state, decided_by, reason in list(replayed(connection)):
        if was != (state, decided_by, reason):
            sample_rows.change_review(connection, sample_id, state, decided_by, reason)
            changed += 1
    return changed


def wrong_votes(connection: Connection) -> Iterator[str]:
    """Samples whose stored votes do not follow from the events."""
    stored: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(votes.c.sample_id, votes.c.reviewer, votes.c.decision)):
        stored.setdefault(row.sample_id, {})[row.reviewer] = row.decision
    in_order = select(decisions).order_by(decisions.c.sample_id, decisions.c.seq)
    for sample_id, rows in groupby(connection.execute(in_order), key=lambda row: row.sample_id):
        wanted = {name: row.seq for name, row in votes_of(rows).items()}
        if stored.pop(sample_id, {}) != wanted:
            yield sample_id
    yield from stored


_Outcome = tuple[SampleState, str | None, str | None]  # state, decided by, reason


def replayed(connection: Connection) -> Iterator[tuple[str, _Outcome, SampleState, str | None, str | None]]:
    """(id, stored outcome, state, decided by, reason) of every rendered sample; the last three by replay."""
    rendered = samples.c.state.not_in((SampleState.PLANNED, SampleState.FAILED))
    columns = (samples.c.id, samples.c.state, samples.c.decided_by, samples.c.reason)
    stored = connection.execute(select(*columns).where(rendered)).all()
    in_order = select(decisions).order_by(decisions.c.sample_id, decisions.c.seq)
    present = policy(connection)
    by_sample = {
        sample_id: _outcome(rows, present)
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
        decisions.c.via.not_in(AUTOMATIC), decisions.c.verdict.in_(LASTING), ~_undone()
    )
    waiting = counts(connection).samples
    shared = {
        sample_id: said
        for sample_id, said in by_sample(
            (row.sample_id, row.reviewer, row.verdict) for row in vote_rows(connection, None)
        ).items()
        if len(said) > 1
    }
    return ReviewFacts(
        accepted_by_people=found.get((SampleState.ACCEPTED, PEOPLE), 0),
        accepted_by_gates=found.get((SampleState.ACCEPTED, GATE), 0),
        accepted_by_helper=found.get((SampleState.ACCEPTED, HELPER), 0),
        accepted_by_release=found.get((SampleState.ACCEPTED, RELEASE), 0),
        rejected_by_people=found.get((SampleState.REJECTED, PEOPLE), 0),
        rejected_by_gates=found.get((SampleState.REJECTED, GATE), 0),
        rejected_by_helper=found.get((SampleState.REJECTED, HELPER), 0),
        pending=waiting["pending"] + waiting["disputed"],
        reviewers=connection.scalar(people) or 0,
        agreement=krippendorffs_alpha(shared),
        shared=len(shared),
        reasons=dict(sorted(reasons.items())),
    )


def follow(connection: Connection, sample_id: str) -> SampleState:
    """Set the state and the votes of one sample from its own events; its state.

    A sample without a picture keeps its state: it is not under review.
    """
    statement = select(decisions).where(decisions.c.sample_id == sample_id).order_by(decisions.c.seq)
    rows = connection.execute(statement).all()
    was = sample_rows.state_of(connection, sample_id)
    if not rows:
        return was
    _keep_votes(connection, sample_id, rows)
    if was in _UNRENDERED:
        return was
    state, decided_by, reason = _outcome(rows, policy(connection))
    sample_rows.change_review(connection, sample_id, state, decided_by, reason)
    return state


def _keep_votes(connection: Connection, sample_id: str, rows: Sequence[Row]) -> None:
    connection.execute(delete(votes).where(votes.c.sample_id == sample_id))
    for reviewer, row in votes_of(rows).items():
        values = {"verdict": row.verdict, "reason": row.reason, "decision": row.seq}
        connection.execute(insert(votes).values(sample_id=sample_id, reviewer=reviewer, **values))


def _outcome(rows: Iterable[Row], present: Policy) -> _Outcome:
    """What the events on one sample, oldest first, add up to, as it is stored."""
    result = outcome(rows, present)
    decisive = result.decisive
    if decisive is None:
        return SampleState(result.state), None, None
    decided_by = decisive.via if decisive.via in AUTOMATIC else PEOPLE
    return SampleState(result.state), decided_by, decisive.reason


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
