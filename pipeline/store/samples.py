"""Rendered samples in the database."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from pipeline.domain.spec import SampleSpec
from pipeline.errors import NotFound
from pipeline.store.counts import SAMPLES, count
from pipeline.store.rows import PEOPLE, RENDERED_STATES, Rendered, SampleRow, SampleState
from pipeline.store.schema import (
    helper_checks,
    leases,
    note_findables,
    now,
    sample_scores,
    sample_words,
    samples,
)


def record(connection: Connection, rendered: Rendered) -> bool:
    """Store a rendered sample; False when it was stored before.

    Raises:
        NotFound: no such spec.
    """
    was = state_of(connection, rendered.spec_id)
    if was in RENDERED_STATES:
        return False
    row = connection.execute(
        select(samples.c.seq, samples.c.spec).where(samples.c.id == rendered.spec_id)
    ).one()
    spec = SampleSpec.from_json(row.spec)
    values = _rendered_values(rendered) | {"model": spec.model}
    connection.execute(update(samples).where(samples.c.seq == row.seq).values(**values))
    note_findables(connection, row.seq, spec.slots, values["scores"])
    _recount(connection, was, SampleState.PENDING)
    return True


def pictures(connection: Connection, spec_ids: Sequence[str] | None) -> list[tuple[str, list[str]]]:
    """(id, its picture ids) of the rendered samples among those given, or of all."""
    columns = select(samples.c.id, samples.c.image_id, samples.c.mask_id)
    rendered = columns.where(samples.c.state.in_(RENDERED_STATES))
    chunks = (
        [rendered]
        if spec_ids is None
        else [
            rendered.where(samples.c.id.in_(spec_ids[start : start + _CHUNK]))
            for start in range(0, len(spec_ids), _CHUNK)
        ]
    )
    return [
        (sample_id, [blob_id for blob_id in (image_id, mask_id) if blob_id])
        for statement in chunks
        for sample_id, image_id, mask_id in connection.execute(statement)
    ]


def plan_again(connection: Connection, sample_id: str) -> None:
    """Take a rendered sample for one that is planned only. Its decisions stay, and hold again once it is rendered."""
    was = state_of(connection, sample_id)
    seq = select(samples.c.seq).where(samples.c.id == sample_id).scalar_subquery()
    for table in (sample_words, sample_scores):
        connection.execute(delete(table).where(table.c.seq == seq))
    for table in (leases, helper_checks):
        connection.execute(delete(table).where(table.c.sample_id == sample_id))
    values = dict.fromkeys(_OF_THE_IMAGE) | {"state": str(SampleState.PLANNED), "score": 0.0}
    connection.execute(update(samples).where(samples.c.id == sample_id).values(**values))
    _recount(connection, was, SampleState.PLANNED)


_CHUNK = 500  # ids in one statement
_OF_THE_IMAGE = (  # columns that come with the image
    "image_id", "mask_id", "boxes", "homographies", "visible", "scores", "failed_gates", "descriptor", "timings",
    "exact", "rendered_at", "model", "cluster", "decided_by", "reason",
)  # fmt: skip


def record_failure(connection: Connection, spec_id: str, sentence: str) -> None:
    """Note why a spec could not be rendered; a picture that is there already stays.

    Raises:
        NotFound: no such spec.
    """
    was = state_of(connection, spec_id)
    if was in RENDERED_STATES:
        return
    values = {"state": str(SampleState.FAILED), "failure": sentence}
    connection.execute(update(samples).where(samples.c.id == spec_id).values(**values))
    _recount(connection, was, SampleState.FAILED)


def change_review(
    connection: Connection, sample_id: str, state: SampleState, decided_by: str | None, reason: str | None
) -> None:
    """Set what review says of a rendered sample, and the counters with it."""
    was = state_of(connection, sample_id)
    values = {"state": str(state), "decided_by": decided_by, "reason": reason}
    connection.execute(update(samples).where(samples.c.id == sample_id).values(**values))
    _recount(connection, was, state)


def one(connection: Connection, sample_id: str) -> SampleRow:
    """A sample, rendered or not.

    Raises:
        NotFound: none with this id.
    """
    row = connection.execute(select(samples).where(samples.c.id == sample_id)).one_or_none()
    if row is None:
        raise NotFound("sample", sample_id)
    return sample_row(row)


def decided_by_people(connection: Connection, limit: int) -> list[tuple[SampleSpec, bool]]:
    """(spec, accepted) of the newest samples that people decided, at most so many of either kind."""
    found = []
    for state in (SampleState.ACCEPTED, SampleState.REJECTED):
        statement = select(samples.c.spec).where(samples.c.state == state, samples.c.decided_by == PEOPLE)
        for (spec,) in connection.execute(statement.order_by(samples.c.seq.desc()).limit(limit)):
            found.append((SampleSpec.from_json(spec), state is SampleState.ACCEPTED))
    return found


def looks(connection: Connection, label: str) -> list[tuple[str, bytes]]:
    """(cluster, descriptor) of the rendered samples of a class."""
    found: list[tuple[str, bytes]] = []
    for state in RENDERED_STATES:
        statement = select(samples.c.cluster, samples.c.descriptor)
        of_class = statement.where(samples.c.label == label, samples.c.state == state)
        for cluster, descriptor in connection.execute(of_class.where(samples.c.descriptor.is_not(None))):
            found.append((cluster, descriptor))
    return found


def failures(connection: Connection) -> list[tuple[str, str]]:
    """(id, sentence) of the specs whose last try failed, in plan order."""
    failed = samples.c.state == SampleState.FAILED
    rows = connection.execute(select(samples.c.id, samples.c.failure).where(failed).order_by(samples.c.seq))
    return [(sample_id, sentence or "") for sample_id, sentence in rows]


def state_of(connection: Connection, sample_id: str) -> SampleState:
    """Where a sample stands.

    Raises:
        NotFound: none with this id.
    """
    state = connection.scalar(select(samples.c.state).where(samples.c.id == sample_id))
    if state is None:
        raise NotFound("sample", sample_id)
    return SampleState(state)


def _recount(connection: Connection, was: SampleState, state: SampleState) -> None:
    if was is not state:
        count(connection, SAMPLES, was, -1)
        count(connection, SAMPLES, state, 1)


def _rendered_values(rendered: Rendered) -> dict[str, Any]:
    return {
        "state": str(SampleState.PENDING),
        "image_id": rendered.image_id,
        "mask_id": rendered.mask_id,
        "boxes": [[int(value) for value in box] for box in rendered.boxes],
        "homographies": [
            [[float(value) for value in row] for row in matrix] for matrix in rendered.homographies
        ],
        "visible": [float(share) for share in rendered.visible],
        "scores": _finite(rendered.scores),
        "failed_gates": [str(sentence) for sentence in rendered.failed_gates],
        "descriptor": rendered.descriptor,
        "timings": _finite(rendered.timings),
        "exact": bool(rendered.exact),
        "failure": None,
        "rendered_at": now(),
        "score": float(rendered.score),
        "cluster": rendered.cluster or rendered.spec_id,
    }


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """JSON knows no NaN: a score that could not be computed is left out."""
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


def sample_row(row: Row) -> SampleRow:
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
        failed_gates=tuple(row.failed_gates or ()),
        descriptor=row.descriptor,
        timings=row.timings or {},
        exact=row.exact,
        failure=row.failure or "",
        created_at=row.created_at,
        rendered_at=row.rendered_at or "",
        cluster=row.cluster or "",
        promise=row.promise,
    )


def _matrices(stored: Sequence[Any] | None) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(tuple(tuple(row) for row in matrix) for matrix in stored or ())
