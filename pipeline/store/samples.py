"""Samples: the specs of plans, and the images that were rendered from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice

from sqlalchemy import Connection, bindparam, delete, exists, func, select, update

from pipeline.domain.contexts import Contexts
from pipeline.domain.quality import GateFailure
from pipeline.domain.sample_facts import SeenDistractor
from pipeline.domain.spec import SampleSpec
from pipeline.errors import NotFound
from pipeline.store import review_states, search
from pipeline.store.database import Database
from pipeline.store.image_files import ImageFiles
from pipeline.store.rows import PEOPLE, RENDERED_STATES, Rendered, SampleFilter, SampleRow, SampleState
from pipeline.store.sample_rows import change_state_count, sample_row, state_of
from pipeline.store.schema import (
    auto_review_checks,
    decisions,
    leases,
    note_findables,
    now,
    sample_scores,
    sample_slot_values,
    samples,
    votes,
)
from pipeline.store.sql import Values, chunks

_ALL = SampleFilter()
_OF_THE_IMAGE = (  # columns that come with the image
    "image_id", "mask_id", "boxes", "homographies", "visible", "scores", "failed_gates", "descriptor", "timings",
    "exact", "rendered_at", "model", "cluster", "decided_by", "reason", "distractors",
)  # fmt: skip

_PLANNED = select(  # what storing the image of a spec needs to know of it, in one query
    samples.c.seq,
    samples.c.state,
    samples.c.spec,
    exists().where(decisions.c.sample_id == samples.c.id).label("is_decided"),
).where(samples.c.id == bindparam("spec_id"))


class SampleRepository:
    """Rendered samples: recorded once, found by filter and order."""

    def __init__(self, database: Database, images: ImageFiles) -> None:
        self._database = database
        self._images = images

    def record(self, rendered: Rendered) -> bool:
        """Store a rendered sample; False when it was stored before.

        What was decided on it before its image was lost holds again.

        Raises:
            NotFound: there is no such spec.
        """
        self._database.settle()  # the photos that it shows are in the replica before it
        with self._database.writing() as transaction:
            connection = transaction.connection
            transaction.changed(samples.name, rendered.spec_id)
            row = connection.execute(_PLANNED, {"spec_id": rendered.spec_id}).one_or_none()
            if row is None:
                raise NotFound("sample", rendered.spec_id)
            before = SampleState(row.state)
            if before in RENDERED_STATES:
                return False
            spec = SampleSpec.from_json(row.spec)
            values = _rendered_values(rendered) | {"model": spec.model}
            connection.execute(update(samples).where(samples.c.seq == row.seq).values(**values))
            note_findables(connection, row.seq, spec.slots, _finite(rendered.facts.scores))
            change_state_count(connection, before, SampleState.PENDING)
            if row.is_decided:
                review_states.follow(connection, rendered.spec_id)
        return True

    def plan_broken_again(self, spec_ids: Sequence[str] | None = None) -> list[str]:
        """Take rendered samples whose image or mask file is missing or damaged for planned ones; their ids.

        Their decisions stay, and hold again once they are rendered.

        Args:
            spec_ids: which samples to look at; None for all.
        """
        with self._database.reading() as connection:
            rendered = _rendered_images(connection, spec_ids)
        broken = [
            sample_id for sample_id, image_ids in rendered if not all(map(self._images.is_sound, image_ids))
        ]
        if broken:
            with self._database.writing() as transaction:
                for sample_id in broken:
                    _plan_again(transaction.connection, sample_id)
        return broken

    def record_failure(self, spec_id: str, sentence: str) -> None:
        """Note why a spec could not be rendered; an image that is there already stays.

        Raises:
            NotFound: there is no such spec.
        """
        values = {"state": str(SampleState.FAILED), "failure": sentence}
        with self._database.writing() as transaction:
            connection = transaction.connection
            before = state_of(connection, spec_id)
            if before in RENDERED_STATES:
                return
            connection.execute(update(samples).where(samples.c.id == spec_id).values(**values))
            change_state_count(connection, before, SampleState.FAILED)

    def failures(self) -> list[tuple[str, str]]:
        """(id, sentence) of the specs whose last try failed, in plan order."""
        failed = samples.c.state == SampleState.FAILED
        statement = select(samples.c.id, samples.c.failure).where(failed).order_by(samples.c.seq)
        with self._database.reading() as connection:
            return [(sample_id, sentence or "") for sample_id, sentence in connection.execute(statement)]

    def is_known(self, sample_id: str) -> bool:
        """Whether there is a sample with this id, rendered or not."""
        with self._database.reading() as connection:
            return connection.scalar(select(samples.c.id).where(samples.c.id == sample_id)) is not None

    def get(self, sample_id: str) -> SampleRow:
        """A sample, rendered or not.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(samples).where(samples.c.id == sample_id)).one_or_none()
        if row is None:
            raise NotFound("sample", sample_id)
        return sample_row(row)

    def ids(self, wanted: SampleFilter, *, limit: int) -> list[str]:
        """The ids of the first samples that fit."""
        with self._database.reading() as connection:
            rows = search.walk(connection, wanted, limit, None, samples.c.id)
            return [row.id for row in islice(rows, limit)]

    def count(self, wanted: SampleFilter, *, most: int) -> int:
        """How many samples fit; `most` + 1 where there are more."""
        number = 0
        with self._database.reading() as connection:
            for statement in search.statements(wanted, samples.c.id):
                part = statement.limit(most + 1).subquery()
                number += connection.scalar(select(func.count()).select_from(part)) or 0
        return min(number, most + 1)

    def filter_choices(self) -> dict[str, list[str]]:
        """The models, scores, slots and reviewers that samples can be found by."""
        columns = {
            "models": samples.c.model,
            "scores": sample_scores.c.name,
            "slots": sample_slot_values.c.slot,
            "reviewers": votes.c.reviewer,
        }
        with self._database.reading() as connection:
            return {name: search.distinct(connection, column) for name, column in columns.items()}

    def slot_values(self, slot: str) -> list[str]:
        """The values of a prompt slot that rendered samples have."""
        with self._database.reading() as connection:
            return search.distinct(connection, sample_slot_values.c.value, sample_slot_values.c.slot == slot)

    def descriptors(self, label: str) -> Iterator[tuple[str, bytes]]:
        """Yield (cluster, descriptor) of the rendered samples of a class."""
        columns = (samples.c.cluster, samples.c.descriptor)
        described = select(*columns).where(samples.c.label == label, samples.c.descriptor.is_not(None))
        with self._database.reading() as connection:
            for state in RENDERED_STATES:
                for row in connection.execute(described.where(samples.c.state == state)):
                    yield row.cluster, row.descriptor

    def set_groups(self, groups: Mapping[str, str]) -> None:
        """Store the groups of near-duplicates of samples, sample id → id of the first sample of its group."""
        if not groups:
            return
        rows = [{"of": sample_id, "cluster": first} for sample_id, first in groups.items()]
        statement = (
            update(samples).where(samples.c.id == bindparam("of")).values(cluster=bindparam("cluster"))
        )
        with self._database.writing() as transaction:
            transaction.connection.execute(statement, rows)

    def add_measures(
        self, sample_id: str, scores: Mapping[str, float], failures: Sequence[GateFailure], *, score: float
    ) -> bool:
        """Add scores that were measured later to an undecided sample, and the gates that it fails by them.

        Args:
            score: its new place in the queue, low first.

        Returns:
            False where the sample is not undecided: then nothing changes, so that decisions rest on what was shown.
        """
        with self._database.writing() as transaction:
            connection = transaction.connection
            if state_of(connection, sample_id) is not SampleState.PENDING:
                return False
            transaction.changed(samples.name, sample_id)
            columns = (samples.c.seq, samples.c.scores, samples.c.failed_gates)
            row = connection.execute(select(*columns).where(samples.c.id == sample_id)).one()
            new = _finite(scores)
            of_sample = sample_scores.c.seq == row.seq, sample_scores.c.name.in_(new)
            connection.execute(delete(sample_scores).where(*of_sample))
            note_findables(connection, row.seq, (), new)
            values = {
                "scores": {**(row.scores or {}), **new},
                "failed_gates": [*(row.failed_gates or []), *map(asdict, failures)],
                "score": float(score),
            }
            connection.execute(update(samples).where(samples.c.seq == row.seq).values(**values))
        return True

    def accepted_contexts(self) -> Contexts:
        """Count the slot values of the accepted samples by class."""
        columns = (sample_slot_values.c.slot, samples.c.label, sample_slot_values.c.value)
        joined = sample_slot_values.join(samples, samples.c.seq == sample_slot_values.c.seq)
        statement = (
            select(*columns, func.count())
            .select_from(joined)
            .where(samples.c.state == SampleState.ACCEPTED)
            .group_by(*columns)
        )
        contexts: dict[str, dict[str, dict[str, int]]] = {}
        with self._database.reading() as connection:
            for slot, label, value, number in connection.execute(statement):
                contexts.setdefault(slot, {}).setdefault(label, {})[value] = number
        return contexts

    def accepted_show_distractors(self) -> bool:
        """Whether any accepted sample shows distractors."""
        accepted = samples.c.state == SampleState.ACCEPTED
        statement = select(samples.c.seq).where(accepted, samples.c.distractors.is_not(None)).limit(1)
        with self._database.reading() as connection:
            return connection.scalar(statement) is not None

    def decided_by_people(self, limit: int = 20_000) -> list[tuple[SampleSpec, bool]]:
        """(spec, accepted) of the newest samples that people decided, at most `limit` accepted and as many rejected."""
        by_people = select(samples.c.spec).where(samples.c.decided_by == PEOPLE)
        newest = by_people.order_by(samples.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            return [
                (SampleSpec.from_json(spec), state is SampleState.ACCEPTED)
                for state in (SampleState.ACCEPTED, SampleState.REJECTED)
                for spec in connection.scalars(newest.where(samples.c.state == state))
            ]

    def list(
        self, wanted: SampleFilter = _ALL, *, limit: int = 100, after: str | None = None
    ) -> list[SampleRow]:
        """A page of rendered samples, behind the sample `after`; newest first without a filter.

        Raises:
            NotFound: the sample `after` is not there.
        """
        with self._database.reading() as connection:
            rows = islice(search.walk(connection, wanted, limit, after, samples), limit)
            return [sample_row(row) for row in rows]


def _rendered_images(connection: Connection, spec_ids: Sequence[str] | None) -> list[tuple[str, list[str]]]:
    """(id, its image ids) of the rendered samples among those given, or of all."""
    columns = select(samples.c.id, samples.c.image_id, samples.c.mask_id)
    rendered = columns.where(samples.c.state.in_(RENDERED_STATES))
    statements = (
        [rendered]
        if spec_ids is None
        else [rendered.where(samples.c.id.in_(chunk)) for chunk in chunks(spec_ids)]
    )
    return [
        (sample_id, list(filter(None, (image_id, mask_id))))
        for statement in statements
        for sample_id, image_id, mask_id in connection.execute(statement)
    ]


def _plan_again(connection: Connection, sample_id: str) -> None:
    """Take a rendered sample for one that is planned only. Its decisions stay, and hold again once it is rendered."""
    before = state_of(connection, sample_id)
    seq = select(samples.c.seq).where(samples.c.id == sample_id).scalar_subquery()
    for table in (sample_slot_values, sample_scores):
        connection.execute(delete(table).where(table.c.seq == seq))
    for table in (leases, auto_review_checks):
        connection.execute(delete(table).where(table.c.sample_id == sample_id))
    values = dict.fromkeys(_OF_THE_IMAGE) | {"state": str(SampleState.PLANNED), "score": 0.0}
    connection.execute(update(samples).where(samples.c.id == sample_id).values(**values))
    change_state_count(connection, before, SampleState.PLANNED)


def _rendered_values(rendered: Rendered) -> Values:
    facts = rendered.facts
    return {
        "state": str(SampleState.PENDING),
        "image_id": rendered.image_id,
        "mask_id": rendered.mask_id,
        "boxes": [[int(value) for value in box] for box in facts.boxes],
        "homographies": [
            [[float(value) for value in row] for row in matrix] for matrix in facts.homographies
        ],
        "visible": [float(share) for share in facts.visible],
        "scores": _finite(facts.scores),
        "failed_gates": [asdict(failure) for failure in facts.failed_gates],
        "descriptor": None if facts.descriptor is None else facts.descriptor.astype("<f4").tobytes(),
        "timings": _finite(facts.timings),
        "exact": bool(facts.exact),
        "distractors": [_seen(each) for each in facts.distractors] or None,
        "failure": None,
        "rendered_at": now(),
        "score": float(rendered.score),
        "cluster": rendered.cluster or rendered.spec_id,
    }


def _seen(distractor: SeenDistractor) -> Values:
    return {
        "box": [int(value) for value in distractor.box],
        "visible": float(distractor.visible),
        "runs": [int(length) for length in distractor.runs],
    }


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """JSON knows no NaN: a score that could not be computed is left out."""
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}
