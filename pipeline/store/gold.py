"""Gold items: images whose right answer is known, dealt among the others to measure how well a reviewer decides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, and_, exists, func, or_, select

from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store.database import Database, insert_new
from pipeline.store.rows import RENDERED_STATES, GoldItem, SampleRow, SampleState
from pipeline.store.sample_rows import sample_row, state_of
from pipeline.store.schema import gold_answers, gold_items, now, photos, sample_photos, samples, votes
from pipeline.store.sql import AnyRow

_VERDICTS = {SampleState.ACCEPTED: "accept", SampleState.REJECTED: "reject"}
_ACCEPT, _UNDO = "accept", "undo"
_LASTING = ("accept", "reject")
_SAMPLES_OF_PHOTOS = sample_photos.join(samples, samples.c.id == sample_photos.c.sample_id)
_SHOWS_OBJECT = (samples.c.state.in_(RENDERED_STATES), samples.c.mask_id.is_not(None))


class GoldRepository:
    """Samples and photos whose right answer is known, and the answers that reviewers gave to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sample_ids: Sequence[str], *, made_by: str) -> None:
        """Make decided samples gold items, all or none; the state of each is the known answer. Again: no change.

        Raises:
            NotFound: there is no such sample.
            InvalidRequest: a sample is not decided.
        """
        with self._database.writing() as transaction:
            connection = transaction.connection
            for sample_id in sample_ids:
                verdict = _VERDICTS.get(state_of(connection, sample_id))
                if verdict is None:
                    raise InvalidRequest(
                        f"sample {sample_id} is not decided; accept or reject it, then make it a gold item"
                    )
                _add(connection, f"sample {sample_id}", verdict, made_by, sample_id=sample_id)

    def add_photos(self, number: int, *, made_by: str) -> int:
        """Make up to so many photos, of all classes in turn, gold items that must be accepted; how many are new."""
        taken = exists().where(gold_items.c.subject_id == photos.c.id)
        rank = func.row_number().over(partition_by=photos.c.label, order_by=photos.c.seq)
        free = (
            select(photos.c.id, rank.label("rank"))
            .where(~photos.c.excluded, photos.c.deleted_at.is_(None), photos.c.mask_id.is_not(None), ~taken)
            .subquery()
        )
        first = select(free.c.id).order_by(free.c.rank, free.c.id).limit(number)
        with self._database.writing() as transaction:
            ids = transaction.connection.scalars(first).all()
            for photo_id in ids:
                _add(transaction.connection, f"photo {photo_id}", _ACCEPT, made_by, subject_id=photo_id)
        return len(ids)

    def count(self) -> int:
        """How many gold items there are."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(gold_items)) or 0

    def next_for(self, reviewer: str, number: int) -> list[GoldItem]:
        """Gold items that a reviewer has not answered and did not decide, in the order in which they were made.

        A sample is among them only while it has an image, a photo only where a sample of it has one (see `cover`) and
        until it is deleted.
        """
        answered = exists().where(
            gold_answers.c.reviewer == reviewer,
            gold_answers.c.gold_id == gold_items.c.id,
            gold_answers.c.verdict != _UNDO,
        )
        voted = exists().where(votes.c.reviewer == reviewer, votes.c.sample_id == gold_items.c.sample_id)
        of_item = samples.c.id == gold_items.c.sample_id
        rendered = exists().where(of_item, samples.c.state.in_(RENDERED_STATES))
        of_photo = sample_photos.c.subject_id == gold_items.c.subject_id
        cover_of_item = exists().select_from(_SAMPLES_OF_PHOTOS).where(of_photo, *_SHOWS_OBJECT)
        deleted = exists().where(photos.c.id == gold_items.c.subject_id, photos.c.deleted_at.is_not(None))
        shown = or_(rendered, and_(cover_of_item, ~deleted))
        free = select(gold_items).where(~answered, ~voted, shown).order_by(gold_items.c.seq).limit(number)
        with self._database.reading() as connection:
            return [_item(row) for row in connection.execute(free)]

    def cover(self, photo_id: str) -> SampleRow:
        """The rendered sample whose fields a photo borrows: one made from it, with a prompt if there is one.

        A sample that shows the photo's object beside those of another class comes after all others.

        Raises:
            NotFound: no sample of the photo was rendered.
        """
        of_photo = sample_photos.c.subject_id == photo_id
        of_photo_rendered = select(samples).select_from(_SAMPLES_OF_PHOTOS).where(of_photo, *_SHOWS_OBJECT)
        label = select(photos.c.label).where(photos.c.id == photo_id).scalar_subquery()
        order = (samples.c.label != label, samples.c.method == str(Method.PASTE), samples.c.seq)
        first = of_photo_rendered.order_by(*order).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(first).one_or_none()
        if row is None:
            raise NotFound("sample of photo", photo_id)
        return sample_row(row)

    def get(self, gold_id: str) -> GoldItem | None:
        """A gold item by its id; None where the id is a sample's or unknown."""
        with self._database.reading() as connection:
            row = connection.execute(select(gold_items).where(gold_items.c.id == gold_id)).one_or_none()
        return None if row is None else _item(row)

    def answer(
        self, gold_id: str, *, reviewer: str, verdict: str, reason: str | None, via: str, client_id: str
    ) -> None:
        """Append an answer to a gold item, or an undo of it; a client id counts once. No sample's state changes."""
        values = {"gold_id": gold_id, "reviewer": reviewer, "verdict": verdict, "reason": reason, "via": via}
        with self._database.writing() as transaction:
            connection = transaction.connection
            new = insert_new(connection, gold_answers).values(client_id=client_id, at=now(), **values)
            connection.execute(new)

    def results(self) -> dict[str, tuple[int, int]]:
        """Reviewer → (right answers, answers): the last standing accept or reject of each reviewer on each item.

        An undo takes back the reviewer's last standing answer to the item, as it does with decisions.
        """
        of_item = gold_items.c.id == gold_answers.c.gold_id
        columns = (gold_answers.c.reviewer, gold_answers.c.gold_id, gold_answers.c.verdict)
        statement = select(*columns, gold_items.c.verdict.label("known")).join(gold_items, of_item)
        # (reviewer, item) → standing answers: right, wrong, or None for a skip or a flag
        standing: dict[tuple[str, str], list[bool | None]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(statement.order_by(gold_answers.c.seq)):
                answers = standing.setdefault((row.reviewer, row.gold_id), [])
                if row.verdict != _UNDO:
                    answers.append(row.verdict == row.known if row.verdict in _LASTING else None)
                elif answers:
                    answers.pop()
        totals: dict[str, tuple[int, int]] = {}
        for (reviewer, _), answers in standing.items():
            lasting = [right for right in answers if right is not None]
            if lasting:
                right, answered = totals.get(reviewer, (0, 0))
                totals[reviewer] = (right + lasting[-1], answered + 1)
        return totals


def _add(connection: Connection, what: str, verdict: str, made_by: str, **of: str) -> None:
    known = hashlib.sha256(f"gold {what}".encode()).hexdigest()[:20]  # as long as a sample's
    values = {"id": known, "verdict": verdict, "made_by": made_by, "at": now(), **of}
    connection.execute(insert_new(connection, gold_items).values(**values))


def _item(row: AnyRow) -> GoldItem:
    return GoldItem(id=row.id, sample_id=row.sample_id, photo_id=row.subject_id, verdict=row.verdict)
