"""Samples by filter and order. Every statement walks one index in the order that is asked for and probes the rest."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, FromClause, exists, select, tuple_

from pipeline.errors import NotFound
from pipeline.store.rows import BY_SCORE, RENDERED_STATES, SampleFilter, SampleOrder, SampleState
from pipeline.store.schema import sample_scores, sample_slot_values, samples, votes
from pipeline.store.sql import AnyColumn, AnyRow, AnySelect, Selected

_DRIVERS = (
    "cluster",
    "label",
    "model",
    "method",
)  # the first that is asked for leads where the order is by seq
_DOWN = (
    SampleOrder.NEWEST,
    SampleOrder.PREDICTED_ACCEPTANCE,
    SampleOrder.HIGHEST,
    SampleOrder.GROUPS,
)
_UNREJECTED = tuple(state for state in RENDERED_STATES if state is not SampleState.REJECTED)


def distinct(connection: Connection, column: AnyColumn, *where: ColumnElement[bool]) -> list[str]:
    """The different values of an indexed column, one search each ("loose index scan")."""
    values: list[str] = []
    statement = select(column).where(*where).order_by(column).limit(1)
    value = connection.scalar(statement.where(column >= ""))
    while value is not None:
        values.append(value)
        value = connection.scalar(statement.where(column > value))
    return values


def matching(wanted: SampleFilter, *columns: Selected) -> tuple[AnySelect, tuple[AnyColumn, ...]]:
    """A statement over the samples of one state that fit, in order, and the columns of the order."""
    score: FromClause | None = None
    statement = select(*columns)
    if wanted.order in BY_SCORE:
        score = sample_scores.alias("listed")
        statement = statement.select_from(score.join(samples, samples.c.seq == score.c.seq))
        statement = statement.where(score.c.name == wanted.score)
    order = _order(wanted.order, score)
    for condition in _conditions(wanted, score):
        statement = statement.where(condition)
    statement = statement.order_by(*(column.desc() if wanted.order in _DOWN else column for column in order))
    return statement, order


def behind(
    connection: Connection,
    statement: AnySelect,
    wanted: SampleFilter,
    order: tuple[AnyColumn, ...],
    after: str | None,
) -> AnySelect:
    """Keyset paging: the cost of a page does not grow with its number.

    Raises:
        NotFound: the sample `after` is not there.
    """
    if after is None:
        return statement
    place = connection.execute(select(samples).where(samples.c.id == after)).one_or_none()
    if place is None:
        raise NotFound("sample", after)
    if wanted.order in BY_SCORE:
        of_place = (sample_scores.c.seq == place.seq, sample_scores.c.name == wanted.score)
        values = [connection.scalar(select(sample_scores.c.value).where(*of_place)), place.seq]
    else:
        values = [place._mapping[column] for column in order]
    here, there = tuple_(*order), tuple_(*values)
    return statement.where(here < there if wanted.order in _DOWN else here > there)


def statements(wanted: SampleFilter, *columns: Selected) -> list[AnySelect]:
    """A statement over the samples that fit for every state that is asked for; see `matching`."""
    return [matching(replace(wanted, review=state), *columns)[0] for state in _states(wanted)]


def walk(
    connection: Connection, wanted: SampleFilter, limit: int, after: str | None, *columns: Selected
) -> Iterator[AnyRow]:
    """The rows of every state that is asked for, merged in their order: one index walk for each state."""
    parts = []
    for state in _states(wanted):
        of_state = replace(wanted, review=state)
        statement, order = matching(of_state, *columns)
        keys = [column.label(f"key_{place}") for place, column in enumerate(order)]
        statement = behind(connection, statement.add_columns(*keys), of_state, order, after).limit(limit)
        parts.append(connection.execute(statement))

    def key(row: AnyRow) -> tuple[float | str, ...]:
        return tuple(getattr(row, f"key_{place}") for place in range(len(order)))

    return heapq.merge(*parts, key=key, reverse=wanted.order in _DOWN)


def _states(wanted: SampleFilter) -> tuple[str, ...]:
    return RENDERED_STATES if wanted.review is None else (SampleState(wanted.review),)


def _order(order: SampleOrder, score: FromClause | None) -> tuple[AnyColumn, ...]:
    match order:
        case SampleOrder.NEWEST | SampleOrder.PLAN:
            return (samples.c.seq,)
        case SampleOrder.QUEUE:
            return (samples.c.score, samples.c.seq)
        case SampleOrder.PREDICTED_ACCEPTANCE:
            return (samples.c.promise, samples.c.seq)
        case SampleOrder.UNCERTAINTY:
            return (samples.c.certainty, samples.c.seq)
        case (
            SampleOrder.GROUPS
        ):  # the best is the most likely to be accepted, then the furthest from failing a gate
            return (samples.c.cluster, samples.c.promise, samples.c.score, samples.c.seq)
        case _:
            assert score is not None
            return (score.c.value, score.c.seq)


def _conditions(wanted: SampleFilter, score: FromClause | None) -> Iterator[ColumnElement[bool]]:
    leads = wanted.order in (SampleOrder.NEWEST, SampleOrder.PLAN)
    yield samples.c.state == wanted.review if score is None else _probed(samples.c.state) == wanted.review
    for name in _DRIVERS:
        value = getattr(wanted, name)
        if value is not None:
            yield (samples.c[name] if leads else _probed(samples.c[name])) == value
            leads = False
    if wanted.order is SampleOrder.GROUPS:
        other = samples.alias("other")
        same_group = (other.c.cluster == samples.c.cluster, other.c.seq != samples.c.seq)
        yield exists().where(*same_group, other.c.state.in_(_UNREJECTED))
    if wanted.since is not None:
        yield samples.c.rendered_at >= wanted.since
    if wanted.until is not None:
        yield samples.c.rendered_at < wanted.until
    if wanted.word is not None:
        slot, value = wanted.word
        of_sample = sample_slot_values.c.seq == samples.c.seq
        yield exists().where(
            of_sample, sample_slot_values.c.slot == slot, sample_slot_values.c.value == value
        )
    if wanted.reviewer is not None:
        yield exists().where(votes.c.sample_id == samples.c.id, votes.c.reviewer == wanted.reviewer)
    if wanted.low is not None or wanted.high is not None:
        yield from _range(wanted, score)


def _range(wanted: SampleFilter, score: FromClause | None) -> Iterator[ColumnElement[bool]]:
    column = sample_scores.c.value if score is None else score.c.value
    inside = []
    if wanted.low is not None:
        inside.append(column >= wanted.low)
    if wanted.high is not None:
        inside.append(column <= wanted.high)
    if score is not None:
        yield from inside
    else:
        yield exists().where(
            sample_scores.c.seq == samples.c.seq, sample_scores.c.name == wanted.score, *inside
        )


def _probed(column: AnyColumn) -> AnyColumn:
    """A text column that the planner must not search by: another index leads."""
    return column.concat("")
