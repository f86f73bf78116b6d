"""Subjects and refusals in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pipeline.errors import NotFound
from pipeline.store.counts import EXCLUDED, SUBJECTS, count
from pipeline.store.database import insert_new
from pipeline.store.rows import Box, NewPhoto, Photo, Refusal
from pipeline.store.schema import now, refusals, subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFilter:
    """Which subjects are wanted; None = no matter."""

    label: str | None = None
    split: str | None = None
    doubtful: bool | None = None  # True: has doubts and is not excluded
    usable: bool | None = None  # True: cut out, no doubts, not excluded
    limit: int | None = None


def add(connection: Connection, new: NewPhoto, mask_id: str | None) -> bool:
    """Store a subject; False when its id is there already."""
    values = {
        **{name: getattr(new, name) for name in _PLAIN_FIELDS},
        **_cutout_values(new.cutout_id, mask_id, new.mask_score, new.mask_doubts, new.mask_origin, new.box),
        "excluded": False,
        "added_at": now(),
    }
    if not connection.execute(insert_new(connection, subjects).values(**values)).rowcount:
        return False
    count(connection, SUBJECTS, new.label, 1)
    return True


def change_cutout(
    connection: Connection,
    subject_id: str,
    cutout_id: str,
    mask_id: str,
    *,
    score: float,
    doubts: Sequence[str],
    origin: str,
    box: Box | None,
) -> None:
    """Give a subject another cut-out.

    Raises:
        NotFound: no subject with this id.
    """
    values = _cutout_values(cutout_id, mask_id, score, doubts, origin, box)
    if not connection.execute(update(subjects).where(subjects.c.id == subject_id).values(**values)).rowcount:
        raise NotFound("subject", subject_id)


def exclude(connection: Connection, subject_id: str, excluded: bool) -> None:
    """Take a subject out of all use, or back in.

    Raises:
        NotFound: no subject with this id.
    """
    was = one(connection, subject_id)
    connection.execute(update(subjects).where(subjects.c.id == subject_id).values(excluded=excluded))
    count(connection, EXCLUDED, was.label, int(excluded) - int(was.excluded))


def one(connection: Connection, subject_id: str) -> Photo:
    """A subject.

    Raises:
        NotFound: no subject with this id.
    """
    row = connection.execute(select(subjects).where(subjects.c.id == subject_id)).one_or_none()
    if row is None:
        raise NotFound("subject", subject_id)
    return _subject(row)


def ids(connection: Connection) -> set[str]:
    """The ids of all photos."""
    return set(connection.scalars(select(subjects.c.id)))


def some(connection: Connection, wanted: PhotoFilter) -> list[Photo]:
    """Subjects in order of import."""
    statement = select(subjects).order_by(subjects.c.seq).limit(wanted.limit)
    if wanted.label is not None:
        statement = statement.where(subjects.c.label == wanted.label)
    if wanted.split is not None:
        statement = statement.where(subjects.c.split == wanted.split)
    if wanted.doubtful is not None:
        statement = statement.where((subjects.c.doubtful & ~subjects.c.excluded) == wanted.doubtful)
    if wanted.usable is not None:
        fit = subjects.c.cutout_id.is_not(None) & ~subjects.c.doubtful & ~subjects.c.excluded
        statement = statement.where(fit if wanted.usable else ~fit)
    return [_subject(row) for row in connection.execute(statement)]


def record_refusal(connection: Connection, refusal: Refusal) -> None:
    """Note a file that did not become a subject; the first reason for a file stays."""
    connection.execute(
        insert_new(connection, refusals).values(
            source=refusal.source, name=refusal.name, reason=refusal.reason, at=now()
        )
    )


def all_refusals(connection: Connection) -> list[Refusal]:
    """All refused files, in the order in which they were met."""
    rows = connection.execute(
        select(refusals.c.source, refusals.c.name, refusals.c.reason).order_by(refusals.c.seq)
    )
    return [Refusal(source=source, name=name, reason=reason) for source, name, reason in rows]


_PLAIN_FIELDS = ("id", "label", "name", "source", "split", "photo_id", "height", "width")


def _cutout_values(
    cutout_id: str | None,
    mask_id: str | None,
    score: float,
    doubts: Sequence[str],
    origin: str,
    box: Box | None,
) -> dict[str, Any]:
    return {
        "cutout_id": cutout_id,
        "mask_id": mask_id,
        "mask_score": float(score),
        "mask_doubts": list(doubts),
        "doubtful": bool(doubts),
        "mask_origin": str(origin),
        "box": None if box is None else [int(value) for value in box],
    }


def _subject(row: Row) -> Photo:
    plain = {name: getattr(row, name) for name in (*_PLAIN_FIELDS, *_SAME_FIELDS)}
    box = None if row.box is None else tuple(row.box)
    return Photo(**plain, mask_doubts=tuple(row.mask_doubts), box=box)


_SAME_FIELDS = ("cutout_id", "mask_id", "mask_score", "mask_origin", "excluded", "added_at")
