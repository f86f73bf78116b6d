"""The states and votes of samples, which follow from the decisions on them: the one fold, as the database keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection, delete, insert, select

from pipeline.domain.review import AUTOMATIC, Policy, Rule, outcome
from pipeline.domain.review import votes as votes_of
from pipeline.store.rows import PEOPLE, SampleState
from pipeline.store.sample_rows import change_review, state_of
from pipeline.store.schema import decisions, review_policies, samples, votes
from pipeline.store.sql import AnyRow

UNRENDERED = (SampleState.PLANNED, SampleState.FAILED)  # not under review
_Outcome = tuple[SampleState, str | None, str | None]  # state, decided by, reason


def policy(connection: Connection) -> Policy:
    """How many people look at a sample, and what their votes add up to."""
    row = connection.execute(
        select(review_policies).order_by(review_policies.c.seq.desc()).limit(1)
    ).one_or_none()
    return Policy() if row is None else Policy(overlap=row.overlap, rule=Rule(row.rule))


def follow(connection: Connection, sample_id: str) -> SampleState:
    """Set the state and the votes of one sample from its own events; its state.

    A sample without an image keeps its state: it is not under review.
    """
    statement = select(decisions).where(decisions.c.sample_id == sample_id).order_by(decisions.c.seq)
    rows = connection.execute(statement).all()
    before = state_of(connection, sample_id)
    if not rows:
        return before
    _store_votes(connection, sample_id, rows)
    if before in UNRENDERED:
        return before
    state, decided_by, reason = _outcome(rows, policy(connection))
    change_review(connection, sample_id, state, decided_by, reason)
    return state


def rebuild(connection: Connection) -> int:
    """Set every sample's review state and votes by replaying all events; how many states were different."""
    for sample_id in list(wrong_votes(connection)):
        statement = select(decisions).where(decisions.c.sample_id == sample_id).order_by(decisions.c.seq)
        _store_votes(connection, sample_id, connection.execute(statement).all())
    changed = 0
    for sample_id, stored, state, decided_by, reason in list(replayed(connection)):
        if stored != (state, decided_by, reason):
            change_review(connection, sample_id, state, decided_by, reason)
            changed += 1
    return changed


def wrong_votes(connection: Connection) -> Iterator[str]:
    """Samples whose stored votes do not follow from the events."""
    stored: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(votes.c.sample_id, votes.c.reviewer, votes.c.decision)):
        stored.setdefault(row.sample_id, {})[row.reviewer] = row.decision
    in_order = select(decisions).order_by(decisions.c.sample_id, decisions.c.seq)
    for sample_id, rows in groupby(connection.execute(in_order), key=lambda row: row.sample_id):
        cast = {name: row.seq for name, row in votes_of(rows).items()}
        if stored.pop(sample_id, {}) != cast:
            yield sample_id
    yield from stored


def replayed(connection: Connection) -> Iterator[tuple[str, _Outcome, SampleState, str | None, str | None]]:
    """(id, stored outcome, state, decided by, reason) of every rendered sample; the last three by replay."""
    rendered = samples.c.state.not_in(UNRENDERED)
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


def _store_votes(connection: Connection, sample_id: str, rows: Sequence[AnyRow]) -> None:
    connection.execute(delete(votes).where(votes.c.sample_id == sample_id))
    for reviewer, row in votes_of(rows).items():
        values = {"verdict": row.verdict, "reason": row.reason, "decision": row.seq}
        connection.execute(insert(votes).values(sample_id=sample_id, reviewer=reviewer, **values))


def _outcome(rows: Iterable[AnyRow], present: Policy) -> _Outcome:
    """What the events on one sample, oldest first, add up to, as it is stored."""
    result = outcome(rows, present)
    decisive = result.decisive
    if decisive is None:
        return SampleState(result.state), None, None
    decided_by = decisive.via if decisive.via in AUTOMATIC else PEOPLE
    return SampleState(result.state), decided_by, decisive.reason
