"""What a release takes out of the database: accepted samples and real photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from sqlalchemy import Connection, exists, func, select

from pipeline.domain.distractors import ShapeSpec
from pipeline.domain.habits import review_seconds
from pipeline.domain.methods import present_name
from pipeline.domain.release import (
    IDENTITY,
    Matrix,
    MethodYield,
    Origin,
    ReleaseDistractor,
    ReleaseRow,
    Subset,
)
from pipeline.domain.review import AUTOMATIC, Verdict, recipe_of_plan
from pipeline.domain.sample_facts import SeenDistractor
from pipeline.domain.spec import SampleSpec
from pipeline.store.database import Database
from pipeline.store.rows import RENDERED_STATES, SampleState
from pipeline.store.sample_rows import seen_distractors
from pipeline.store.schema import decisions, photos, sample_photos, samples

PHOTO = "photo"  # method of a real row
_TIMED_SAMPLES = 1000  # the newest of a method and model
_OF_EXCLUDED = exists().where(
    sample_photos.c.sample_id == samples.c.id,
    sample_photos.c.subject_id == photos.c.id,
    photos.c.excluded,
)


class ReleaseRepository:
    """The rows that a release consists of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, subset: Subset, *, split: str | None = None) -> Iterator[ReleaseRow]:
        """Photos in order of import, or samples in that of the first verdict of their kind; none of an excluded photo.

        So what is new comes last, and a second opinion moves nothing. The samples of a deleted photo stay in releases;
        the photo itself does not.
        """
        with self._database.reading() as connection:
            if subset is Subset.REAL:
                yield from _real(connection, split)
            elif subset is Subset.SYNTHETIC:
                yield from _samples(connection, split, SampleState.ACCEPTED, Verdict.ACCEPT)
            else:
                yield from _samples(connection, split, SampleState.REJECTED, Verdict.REJECT)

    def yields(self) -> list[MethodYield]:
        """What came of the rendered samples, by method and model."""
        columns = (samples.c.method, samples.c.model, samples.c.state)
        statement = (
            select(*columns, func.count()).where(samples.c.state.in_(RENDERED_STATES)).group_by(*columns)
        )
        counts: dict[tuple[str, str], Counter[SampleState]] = {}
        with self._database.reading() as connection:
            for method, model, state, number in connection.execute(statement):
                counts.setdefault((method, model or ""), Counter())[SampleState(state)] = number
            reviewed = _review_seconds(connection)
            return [
                MethodYield(
                    method=present_name(method),
                    model=model,
                    rendered=by_state.total(),
                    accepted=by_state[SampleState.ACCEPTED],
                    rejected=by_state[SampleState.REJECTED],
                    seconds=_median_seconds(connection, method, model),
                    review_seconds=reviewed.get((method, model)),
                )
                for (method, model), by_state in sorted(counts.items())
            ]


def _median_seconds(connection: Connection, method: str, model: str) -> float | None:
    """The median time of the newest images of a method and model; None where none was timed, as after an import."""
    same = (samples.c.method == method, func.coalesce(samples.c.model, "") == model)
    rendered = select(samples.c.timings).where(*same, samples.c.state.in_(RENDERED_STATES))
    newest = connection.scalars(rendered.order_by(samples.c.seq.desc()).limit(_TIMED_SAMPLES))
    seconds = [timings["total"] for timings in newest if timings and "total" in timings]
    return round(median(seconds), 3) if seconds else None


def _review_seconds(connection: Connection) -> dict[tuple[str, str], float]:
    """(method, model) → how long people took to decide on all of its samples; without those that nobody timed."""
    columns = (decisions.c.reviewer, decisions.c.at, samples.c.method, func.coalesce(samples.c.model, ""))
    by_people = (
        select(*columns)
        .join(samples, samples.c.id == decisions.c.sample_id)
        .where(decisions.c.via.not_in(AUTOMATIC))
        .order_by(decisions.c.seq)
    )
    events = ((row[0], row[1], (row[2], row[3])) for row in connection.execute(by_people))
    return {kind: round(seconds, 1) for kind, seconds in review_seconds(events).items()}


def _real(connection: Connection, split: str | None) -> Iterator[ReleaseRow]:
    present = ~photos.c.excluded & photos.c.deleted_at.is_(None)
    statement = select(photos).where(present).order_by(photos.c.seq)
    if split is not None:
        statement = statement.where(photos.c.split == split)
    for row in connection.execute(statement):
        yield ReleaseRow(
            image_id=row.photo_id,
            mask_id=row.mask_id,
            label=row.label,
            split=row.split,
            origin=Origin.REAL,
            method=PHOTO,
            sample_id=row.id,
            source_ids=(row.id,),
            boxes=() if row.box is None else (tuple(row.box),),
            homographies=(IDENTITY,),
            source=row.source,
            place=row.seq,
        )


def _samples(
    connection: Connection, split: str | None, state: SampleState, verdict: Verdict
) -> Iterator[ReleaseRow]:
    decided = (
        select(func.min(decisions.c.seq))
        .where(decisions.c.sample_id == samples.c.id, decisions.c.verdict == verdict)
        .scalar_subquery()
        .label("decided")
    )
    statement = select(samples, decided).where(samples.c.state == state, ~_OF_EXCLUDED)
    if split is not None:
        statement = statement.where(samples.c.split == split)
    for row in connection.execute(statement.order_by(decided, samples.c.seq)):
        spec = SampleSpec.from_json(row.spec)
        placed = spec.method.facts.places_object
        yield ReleaseRow(
            image_id=row.image_id,
            mask_id=row.mask_id if placed else None,
            label=spec.label,
            split=row.split,
            origin=Origin.SYNTHETIC,
            method=str(spec.method),
            sample_id=spec.id,
            source_ids=spec.photo_ids,
            prompt=spec.prompt,
            slots=spec.slots,
            seed=spec.seed,
            model=spec.model,
            revision=spec.revision,
            boxes=tuple(tuple(box) for box in row.boxes or ()) if placed else (),
            homographies=_matrices(row.homographies) if placed else (),
            scores=row.scores or {},
            reason=row.reason or "",
            recipe=recipe_of_plan(row.plan),
            distractors=tuple(_distractors(spec, seen_distractors(row.distractors))),
            place=row.decided or 0,
        )


def _distractors(spec: SampleSpec, seen: Sequence[SeenDistractor]) -> Iterator[ReleaseDistractor]:
    """Join what the spec says of distractors with what is seen of them."""
    if len(seen) != len(spec.distractors):  # came with a release that does not tell it
        return
    for distractor, facts in zip(spec.distractors, seen, strict=True):
        named = (
            {"shape": str(distractor.form)}
            if isinstance(distractor, ShapeSpec)
            else {"label": distractor.label, "source_id": distractor.photo_id}
        )
        yield ReleaseDistractor(box=facts.box, runs=tuple(facts.runs), **named)


def _matrices(stored: Sequence[Sequence[Sequence[float]]] | None) -> tuple[Matrix, ...]:
    """3 x 3 matrices, which JSON stores as lists."""
    return tuple(((a, b, c), (d, e, f), (g, h, i)) for (a, b, c), (d, e, f), (g, h, i) in stored or ())
