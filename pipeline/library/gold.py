"""Gold items: pictures whose right answer is known, dealt among the others to see how well a reviewer looks."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, Row, exists, func, or_, select

from pipeline.errors import InvalidRequest
from pipeline.library import samples as sample_rows
from pipeline.library.engine import insert_new
from pipeline.library.rows import GoldItem, SampleState
from pipeline.library.schema import gold_answers, gold_items, now, subjects, votes

_VERDICTS = {SampleState.ACCEPTED: "accept", SampleState.REJECTED: "reject"}
_ACCEPT, _UNDO = "accept", "undo"
_LASTING = ("accept", "reject")


def add_sample(connection: Connection, sample_id: str, made_by: str) -> None:
    """Make a decided sample a gold item; its state is the known answer. Again: no change.

    Raises:
        NotFound: no such sample.
        InvalidRequest: the sample is not decided.
    """
    verdict = _VERDICTS.get(sample_rows.state_of(connection, sample_id))
    if verdict is None:
        raise InvalidRequest(
            f"sample {sample_id} is not decided; accept or reject it, then make it a gold item"
        )
    _add(connection, f"sample {sample_id}", verdict, made_by, sample_id=sample_id)


def add_photos(connection: Connection, number: int, made_by: str) -> int:
    """Make up to so many photographs, of all classes in turn, gold items that must be accepted; how many are new."""
    taken = exists().where(gold_items.c.subject_id == subjects.c.id)
    rank = func.row_number().over(partition_by=subjects.c.label, order_by=subjects.c.seq)
    free = select(subjects.c.id, rank.label("rank")).where(~subjects.c.excluded, ~taken).subquery()
    ids = list(connection.scalars(select(free.c.id).order_by(free.c.rank, free.c.id).limit(number)))
    for subject_id in ids:
        _add(connection, f"photo {subject_id}", _ACCEPT, made_by, subject_id=subject_id)
    return len(ids)


def _add(connection: Connection, what: str, verdict: str, made_by: str, **of: str) -> None:
    known = hashlib.sha256(f"gold {what}".encode()).hexdigest()[:20]  # as long as a sample's
    values = {"id": known, "verdict": verdict, "made_by": made_by, "at": now(), **of}
    connection.execute(insert_new(connection, gold_items).values(**values))


def count(connection: Connection) -> int:
    """How many gold items there are."""
    return connection.scalar(select(func.count()).select_from(gold_items)) or 0


def next_for(connection: Connection, reviewer: str, number: int) -> list[GoldItem]:
    """Gold items that a reviewer has not answered and did not decide, in the order in which they were made."""
    answered = exists().where(
        gold_answers.c.reviewer == reviewer,
        gold_answers.c.gold_id == gold_items.c.id,
        gold_answers.c.verdict != _UNDO,
    )
    voted = exists().where(votes.c.reviewer == reviewer, votes.c.sample_id == gold_items.c.sample_id)
    free = select(gold_items).where(~answered, ~voted).order_by(gold_items.c.seq).limit(number)
    return [_item(row) for row in connection.execute(free)]


def item(connection: Connection, gold_id: str) -> GoldItem | None:
    """A gold item by its id; None where the id is a sample's or unknown."""
    row = connection.execute(select(gold_items).where(gold_items.c.id == gold_id)).one_or_none()
    return None if row is None else _item(row)


def answer(
    connection: Connection,
    gold_id: str,
    reviewer: str,
    verdict: str,
    reason: str | None,
    via: str,
    client_id: str,
) -> None:
    """Append an answer, or an undo of it. A client id counts once."""
    values = {"gold_id": gold_id, "reviewer": reviewer, "verdict": verdict, "reason": reason, "via": via}
    row = {"client_id": client_id, "at": now(), **values}
    connection.execute(insert_new(connection, gold_answers).values(**row))


def hits(connection: Connection) -> dict[str, tuple[int, int]]:
    """Reviewer → (right answers, answers): the last accept or reject of each on each item that no undo follows."""
    last = select(func.max(gold_answers.c.seq)).group_by(gold_answers.c.reviewer, gold_answers.c.gold_id)
    joined = gold_answers.join(gold_items, gold_items.c.id == gold_answers.c.gold_id)
    columns = (gold_answers.c.reviewer, gold_answers.c.verdict, gold_items.c.verdict.label("known"))
    rows = select(*columns).select_from(joined)
    rows = rows.where(gold_answers.c.seq.in_(last), or_(*(gold_answers.c.verdict == one for one in _LASTING)))
    found: dict[str, tuple[int, int]] = {}
    for row in connection.execute(rows):
        right, answered = found.get(row.reviewer, (0, 0))
        found[row.reviewer] = (right + (row.verdict == row.known), answered + 1)
    return found


def _item(row: Row) -> GoldItem:
    return GoldItem(id=row.id, sample_id=row.sample_id, subject_id=row.subject_id, verdict=row.verdict)
