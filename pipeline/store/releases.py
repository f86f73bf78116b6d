"""What a release takes out of the database: accepted samples and real photos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, exists, func, select

from pipeline.domain.release import IDENTITY, Matrix, Origin, ReleaseRow, Subset
from pipeline.domain.review import Verdict
from pipeline.domain.spec import SampleSpec
from pipeline.store.database import Database
from pipeline.store.rows import SampleState
from pipeline.store.schema import decisions, photos, sample_photos, samples

PHOTO = "photo"  # method of a real row


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
    of_excluded = exists().where(
        sample_photos.c.sample_id == samples.c.id,
        sample_photos.c.subject_id == photos.c.id,
        photos.c.excluded,
    )
    decided = (
        select(func.min(decisions.c.seq))
        .where(decisions.c.sample_id == samples.c.id, decisions.c.verdict == verdict)
        .scalar_subquery()
        .label("decided")
    )
    statement = select(samples, decided).where(samples.c.state == state, ~of_excluded)
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
            source_ids=tuple(placed.photo_id for placed in spec.objects),
            prompt=spec.prompt,
            seed=spec.seed,
            model=spec.model,
            revision=spec.revision,
            boxes=tuple(tuple(box) for box in row.boxes or ()) if placed else (),
            homographies=_matrices(row.homographies) if placed else (),
            scores=row.scores or {},
            reason=row.reason or "",
            recipe=row.plan,
            place=row.decided or 0,
        )


def _matrices(stored: Sequence[Sequence[Sequence[float]]] | None) -> tuple[Matrix, ...]:
    """3 x 3 matrices, which JSON stores as lists."""
    return tuple(((a, b, c), (d, e, f), (g, h, i)) for (a, b, c), (d, e, f), (g, h, i) in stored or ())
