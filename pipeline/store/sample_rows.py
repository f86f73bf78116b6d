"""Rows of samples, as several repositories read and change them inside their own transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from sqlalchemy import Connection, select, update

from pipeline.domain.quality import GateFailure
from pipeline.domain.sample_facts import SeenDistractor
from pipeline.domain.spec import SampleSpec
from pipeline.errors import NotFound
from pipeline.store.counters import SAMPLES, count
from pipeline.store.rows import SampleRow, SampleState
from pipeline.store.schema import samples
from pipeline.store.sql import AnyRow


class _StoredFailure(TypedDict):
    gate: str
    value: float
    limit: float


class _StoredDistractor(TypedDict):
    box: list[int]
    visible: float
    runs: list[int]


def state_of(connection: Connection, sample_id: str) -> SampleState:
    """Where a sample stands.

    Raises:
        NotFound: none with this id.
    """
    state = connection.scalar(select(samples.c.state).where(samples.c.id == sample_id))
    if state is None:
        raise NotFound("sample", sample_id)
    return SampleState(state)


def change_review(
    connection: Connection, sample_id: str, state: SampleState, decided_by: str | None, reason: str | None
) -> None:
    """Set what review says of a rendered sample, and the counters with it."""
    before = state_of(connection, sample_id)
    values = {"state": str(state), "decided_by": decided_by, "reason": reason}
    connection.execute(update(samples).where(samples.c.id == sample_id).values(**values))
    change_state_count(connection, before, state)


def change_state_count(connection: Connection, before: SampleState, after: SampleState) -> None:
    """Keep the counters in step with a sample that goes from one state to another."""
    if before is not after:
        count(connection, SAMPLES, before, -1)
        count(connection, SAMPLES, after, 1)


def sample_row(row: AnyRow) -> SampleRow:
    """A row of the table as callers see it."""
    return SampleRow(
        spec=SampleSpec.from_json(row.spec),
        state=SampleState(row.state),
        plan=row.plan,
        split=row.split,
        image_id=row.image_id,
        mask_id=row.mask_id,
        boxes=tuple(tuple(box) for box in row.boxes or ()),
        homographies=_matrices(row.homographies),
        visible=tuple(row.visible or ()),
        scores=row.scores or {},
        failed_gates=tuple(map(_gate_failure, row.failed_gates or ())),
        descriptor=row.descriptor,
        timings=row.timings or {},
        exact=row.exact,
        failure=row.failure or "",
        created_at=row.created_at,
        rendered_at=row.rendered_at or "",
        cluster=row.cluster or "",
        predicted_acceptance=row.promise,
        distractors=seen_distractors(row.distractors),
    )


def seen_distractors(stored: Sequence[_StoredDistractor] | None) -> tuple[SeenDistractor, ...]:
    """What is seen of the distractors of a sample, as callers see it."""
    return tuple(
        SeenDistractor(box=(x0, y0, x1, y1), visible=each["visible"], runs=tuple(each["runs"]))
        for each in stored or ()
        for x0, y0, x1, y1 in (each["box"],)
    )


def _gate_failure(stored: str | _StoredFailure) -> GateFailure:
    """A failed quality gate; earlier versions stored its sentence."""
    return GateFailure.parse(stored) if isinstance(stored, str) else GateFailure(**stored)


def _matrices(
    stored: Sequence[Sequence[Sequence[float]]] | None,
) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(tuple(tuple(row) for row in matrix) for matrix in stored or ())
