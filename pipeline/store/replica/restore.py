"""A database restored from a journal. What the database already holds stays as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, insert, select, update

from pipeline.domain.spec import SampleSpec
from pipeline.store import counters, review_states
from pipeline.store.replica.journal import KEYS, Journal, JournalRow, Key, image_ids_of, number_of, text_of
from pipeline.store.rows import RENDERED_STATES, SampleState
from pipeline.store.schema import (
    auto_review_checks,
    auto_review_limits,
    decisions,
    gold_answers,
    gold_items,
    note_findables,
    photos,
    plan_specs,
    plans,
    queues,
    refusals,
    review_policies,
    sample_photos,
    samples,
)
from pipeline.store.sql import chunks

IsThere = Callable[[str], bool]  # whether an image is in the library
_OF_THE_IMAGE = {  # columns of samples that come with the image
    "image_id", "mask_id", "boxes", "homographies", "visible", "scores", "failed_gates", "descriptor", "timings",
    "exact", "rendered_at", "model", "cluster", "distractors",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored from a journal."""

    photos: int = 0
    samples: int = 0
    decisions: int = 0
    lost: tuple[str, ...] = ()  # samples with decisions, but without their image
    left_out: int = 0  # decisions on unknown samples; the journal keeps them
    damaged: tuple[str, ...] = ()  # lines that cannot be read, "file:number"


def restore(connection: Connection, journal: Journal, is_there: IsThere) -> Restored:
    """Add to a database the entries of a journal that it lacks; repeating it changes nothing."""
    new_photos = [row for row in _new(connection, photos, journal) if _whole(photos, row, is_there)]
    _insert(connection, photos, new_photos)
    for table in (refusals, plans, queues, review_policies, auto_review_limits):
        _insert(connection, table, _new(connection, table, journal))
    restored_samples = _restore_samples(connection, journal, is_there)
    taken, left_out = _restore_decisions(connection, journal)
    _restore_gold(connection, journal)
    known = _known(connection, samples)
    checks = _new(connection, auto_review_checks, journal)
    _insert(connection, auto_review_checks, [row for row in checks if (row["sample_id"],) in known])
    review_states.rebuild(connection)
    counters.recount(connection)
    return Restored(
        photos=len(new_photos),
        samples=restored_samples,
        decisions=taken,
        lost=_lost(connection),
        left_out=left_out,
    )


def _restore_samples(connection: Connection, journal: Journal, is_there: IsThere) -> int:
    """Restore samples that have their images; of the others only those with decisions, as not rendered yet."""
    decided = {row["sample_id"] for row in journal.rows[decisions.name].values()}
    photo_ids = {photo_id for (photo_id,) in _known(connection, photos)}
    rendered = _rendered(connection)
    known = _known(connection, samples)
    new: list[JournalRow] = []
    lost: list[JournalRow] = []
    again: list[JournalRow] = []
    for key, row in journal.rows[samples.name].items():
        spec = SampleSpec.from_json(text_of(row, "spec"))
        if row["id"] in rendered or not set(spec.photo_ids) <= photo_ids:
            continue
        if _whole(samples, row, is_there):
            (again if key in known else new).append(row | {"state": str(SampleState.PENDING)})
        elif row["id"] in decided and key not in known:
            lost.append(
                row | dict.fromkeys(_OF_THE_IMAGE) | {"score": 0.0, "state": str(SampleState.PLANNED)}
            )
    _insert(connection, samples, [*new, *lost])
    _link(connection, [*new, *lost])
    for row in again:
        values = {name: row[name] for name in (*_OF_THE_IMAGE, "score", "state")}
        connection.execute(update(samples).where(samples.c.id == row["id"]).values(**values))
    _note(connection, [*new, *again])
    _join_plans(connection, {text_of(row, "id") for row in (*new, *again)})
    return len(new) + len(again)


def _link(connection: Connection, rows: Iterable[JournalRow]) -> None:
    links = (
        {"sample_id": row["id"], "position": position, "subject_id": photo_id}
        for row in rows
        for position, photo_id in enumerate(SampleSpec.from_json(text_of(row, "spec")).photo_ids)
    )
    for chunk in chunks(links):
        connection.execute(insert(sample_photos), chunk)


def _join_plans(connection: Connection, ids: set[str]) -> None:
    """Make samples members of the plans that they were drawn for, in the order of planning.

    A journal does not hold which samples a plan contains. Where more were drawn for it than it has specs, the older
    ones are of a plan of that name that was replaced.
    """
    new = ids - set(connection.scalars(select(plan_specs.c.sample_id)))
    if not new:
        return
    free: dict[str, int] = defaultdict(int)  # plan → its next free place
    last = select(plan_specs.c.plan, func.max(plan_specs.c.position)).group_by(plan_specs.c.plan)
    free |= {plan: position + 1 for plan, position in connection.execute(last)}
    drawn: dict[str, list[str]] = defaultdict(list)
    for sample_id, plan in connection.execute(select(samples.c.id, samples.c.plan).order_by(samples.c.seq)):
        if sample_id in new:
            drawn[plan].append(sample_id)
    for plan, number in connection.execute(select(plans.c.name, plans.c.specs)).all():
        room = max(0, number - free[plan])
        members = drawn[plan][-room:] if room else []
        rows = (
            {"plan": plan, "position": position, "sample_id": sample_id}
            for position, sample_id in enumerate(members, start=free[plan])
        )
        for chunk in chunks(rows):
            connection.execute(insert(plan_specs), chunk)


def _note(connection: Connection, rows: Iterable[JournalRow]) -> None:
    for row in rows:
        seq = connection.scalar(select(samples.c.seq).where(samples.c.id == row["id"]))
        assert seq is not None
        scores = row["scores"]
        assert scores is None or isinstance(scores, dict)
        slots = SampleSpec.from_json(text_of(row, "spec")).slots
        numbers = {name: value for name, value in (scores or {}).items() if isinstance(value, int | float)}
        note_findables(connection, seq, slots, numbers)


def _restore_decisions(connection: Connection, journal: Journal) -> tuple[int, int]:
    """Decisions in the order of the journal; (restored, left out because nothing is known of their sample)."""
    known = _known(connection, samples)
    rows = connection.execute(select(decisions.c.client_id, decisions.c.seq))
    numbers: dict[str, int] = {client_id: seq for client_id, seq in rows}  # noqa: C416, the rows are not tuples
    last = max(numbers.values(), default=0)
    new = _new(connection, decisions, journal)
    there = [row for row in new if (row["sample_id"],) in known]
    values = []
    for row in there:
        last = max(last + 1, number_of(row, "seq"))  # its own number where that is free
        numbers[text_of(row, "client_id")] = last
        plain = {name: value for name, value in row.items() if name != "undoes_id"}
        values.append(plain | {"seq": last, "undoes": numbers.get(str(row["undoes_id"]))})
    for chunk in chunks(values):
        connection.execute(insert(decisions), chunk)
    return len(there), len(new) - len(there)


def _restore_gold(connection: Connection, journal: Journal) -> None:
    """Gold items that can be shown, and the answers to them."""
    rendered, known_photos = _rendered(connection), _known(connection, photos)
    items = _new(connection, gold_items, journal)
    shown = [row for row in items if row["sample_id"] in rendered or (row["subject_id"],) in known_photos]
    _insert(connection, gold_items, shown)
    golden = _known(connection, gold_items)
    answers = _new(connection, gold_answers, journal)
    _insert(connection, gold_answers, [row for row in answers if (row["gold_id"],) in golden])


def _lost(connection: Connection) -> tuple[str, ...]:
    """Samples with decisions that are not rendered."""
    unrendered = select(samples.c.id).where(samples.c.state.not_in(RENDERED_STATES)).order_by(samples.c.seq)
    decided = select(decisions.c.sample_id)
    return tuple(connection.scalars(unrendered.where(samples.c.id.in_(decided))))


def _whole(table: Table, row: JournalRow, is_there: IsThere) -> bool:
    return all(map(is_there, image_ids_of(table.name, row)))


def _rendered(connection: Connection) -> set[str]:
    return set(connection.scalars(select(samples.c.id).where(samples.c.state.in_(RENDERED_STATES))))


def _known(connection: Connection, table: Table) -> set[Key]:
    """The keys of the rows that are there."""
    columns = [table.c[name] for name in KEYS[table.name]]
    return {tuple(row) for row in connection.execute(select(*columns))}


def _new(connection: Connection, table: Table, journal: Journal) -> list[JournalRow]:
    """The rows of a journal that are not there."""
    known = _known(connection, table)
    return [row for key, row in journal.rows[table.name].items() if key not in known]


def _insert(connection: Connection, table: Table, rows: list[JournalRow]) -> None:
    """Insert rows under their own numbers; where another row has the number, under the next free one."""
    if "seq" in table.c:
        taken = set(connection.scalars(select(table.c.seq)))
        free = max([*taken, *(row["seq"] for row in rows)], default=0) + 1
        for place, row in enumerate(rows):
            if row["seq"] in taken:
                rows[place] = row | {"seq": free}
                free += 1
            taken.add(rows[place]["seq"])
    for chunk in chunks(rows):
        connection.execute(insert(table), chunk)
