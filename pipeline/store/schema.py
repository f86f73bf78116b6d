"""The tables and their versions. Portable SQL only; what is special to a dialect is in `database.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    exists,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.schema import CreateColumn

from pipeline.domain.photos import NO_OBJECT
from pipeline.domain.placement import is_empty

VERSION = 10  # of the tables below; raise it together with a step in STEPS

metadata = MetaData()

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("applied_at", String(40), nullable=False),
)

photos = Table(
    "subjects",
    metadata,
    Column("seq", Integer, primary_key=True),  # order of import
    Column("id", String(64), nullable=False, unique=True),
    Column("label", String(200), nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("split", String(20), nullable=False),
    Column("photo_id", String(64), nullable=False),
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("cutout_id", String(64)),
    Column("mask_id", String(64)),
    Column("mask_score", Float, nullable=False),
    Column("mask_doubts", JSON, nullable=False),
    Column("doubtful", Boolean, nullable=False),
    Column("mask_origin", String(40), nullable=False),
    Column("box", JSON),
    Column("excluded", Boolean, nullable=False),
    Column("added_at", String(40), nullable=False),
    Column(
        "deleted_at", String(40)
    ),  # a deleted photo has no images; its row stays for the samples made from it
    Index("subjects_by_label", "label", "seq"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("source", "name"),
)

embeddings = Table(  # of photos and samples; computed again where they are missing
    "embeddings",
    metadata,
    Column("image_id", String(64), primary_key=True),
    Column("embedder", String(80), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float16, little-endian
)

plans = Table(
    "plans",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("recipe_yaml", Text, nullable=False),
    Column("specs", Integer, nullable=False),
    Column("updated_at", String(40), nullable=False),
    Column("request", JSON(none_as_null=True)),  # recipe, note and changes that a person asked for
)

samples = Table(
    "samples",
    metadata,
    Column("seq", Integer, primary_key=True),  # order of planning
    Column("id", String(64), nullable=False, unique=True),
    Column("plan", String(200), nullable=False),
    Column("label", String(200), nullable=False),
    Column("method", String(20), nullable=False),
    Column("split", String(20), nullable=False),
    Column("spec", Text, nullable=False),  # canonical JSON; its hash is the id
    Column("state", String(20), nullable=False),
    Column("score", Float, nullable=False),  # the queue's order, low first
    Column("decided_by", String(20)),  # people or gate, for accepted and rejected ones
    Column("reason", String(40)),  # of the standing rejection
    Column("image_id", String(64)),
    Column("mask_id", String(64)),
    Column("boxes", JSON),
    Column("homographies", JSON),
    Column("visible", JSON),
    Column("scores", JSON),
    Column("failed_gates", JSON),
    Column("descriptor", LargeBinary),
    Column("timings", JSON),
    Column("exact", Boolean),
    Column("distractors", JSON(none_as_null=True)),  # what is seen of each; null without any
    Column("failure", Text),
    Column("created_at", String(40), nullable=False),
    Column("rendered_at", String(40)),
    Column("model", String(200)),
    Column(
        "cluster", String(64)
    ),  # group of near-duplicates: id of its first sample, its own where it is alone
    Column("promise", Float, nullable=False, server_default="0.5"),  # predicted acceptance
    Column("certainty", Float, nullable=False, server_default="0.0"),  # |promise - 1/2|
    Index("samples_queue", "state", "score", "seq"),
    Index("samples_by_state", "state", "seq"),
    Index("samples_by_label", "label", "state", "seq"),
    Index("samples_by_method", "method", "state", "seq"),
    Index("samples_by_model", "model", "state", "seq"),
    Index("samples_by_cluster", "cluster", "state", "seq"),
    Index("samples_by_promise", "state", "promise", "seq"),
    Index("samples_by_certainty", "state", "certainty", "seq"),
    Index("samples_by_group", "state", "cluster", "promise", "score", "seq"),
)

sample_slot_values = Table(  # the values of the prompt's slots, of rendered samples
    "sample_words",
    metadata,
    Column("slot", String(100), primary_key=True),
    Column("value", String(400), primary_key=True),
    Column("seq", Integer, ForeignKey("samples.seq", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)

sample_scores = Table(  # the scores, one a row, so that samples are found and listed by them
    "sample_scores",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Float, primary_key=True),
    Column("seq", Integer, ForeignKey("samples.seq", ondelete="CASCADE"), primary_key=True),
    Index("sample_scores_by_sample", "seq", "name"),
    sqlite_with_rowid=False,
)

sample_photos = Table(
    "sample_subjects",
    metadata,
    Column("sample_id", String(64), ForeignKey("samples.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),  # back to front
    Column("subject_id", String(64), ForeignKey("subjects.id"), nullable=False),
    Index("sample_subjects_by_subject", "subject_id"),
)

plan_specs = Table(
    "plan_specs",
    metadata,
    Column("plan", String(200), ForeignKey("plans.name"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sample_id", String(64), ForeignKey("samples.id"), nullable=False),
    Index("plan_specs_by_sample", "sample_id"),
)

decisions = Table(  # append-only: rows are never changed nor deleted
    "decisions",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("client_id", String(80), nullable=False, unique=True),  # makes a repeated send count once
    Column("sample_id", String(64), ForeignKey("samples.id"), nullable=False),
    Column("reviewer", String(200), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reason", String(40)),
    Column("comment", Text, nullable=False),
    Column("via", String(20), nullable=False),
    Column("at", String(40), nullable=False),
    Column("shown", JSON, nullable=False),
    Column("undoes", Integer, ForeignKey("decisions.seq"), unique=True),  # the event that an undo takes back
    Index("decisions_by_sample", "sample_id", "seq"),
    Index("decisions_by_reviewer", "reviewer", "seq"),
)

votes = Table(  # a view of the decisions: the last standing accept or reject of each person
    "votes",
    metadata,
    Column("sample_id", String(64), ForeignKey("samples.id"), primary_key=True),
    Column("reviewer", String(200), primary_key=True),
    Column("verdict", String(20), nullable=False),
    Column("reason", String(40)),
    Column("decision", Integer, nullable=False),  # seq of the event
    Index("votes_by_reviewer", "reviewer", "sample_id"),
)

leases = Table(  # who is looking at what, so that no two do
    "leases",
    metadata,
    Column("sample_id", String(64), ForeignKey("samples.id"), primary_key=True),
    Column("reviewer", String(200), primary_key=True),
    Column("until", Float, nullable=False),  # seconds since 1970, UTC
    Index("leases_by_time", "until"),
    Index("leases_by_reviewer", "reviewer"),
)

review_policies = Table(  # the last row holds
    "review_policies",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("overlap", Integer, nullable=False),
    Column("rule", String(20), nullable=False),
    Column("at", String(40), nullable=False),
)

queues = Table(  # filters with a name, for everybody
    "queues",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("query", JSON, nullable=False),  # fields of the filter → text
    Column("made_by", String(200), nullable=False),
    Column("at", String(40), nullable=False),
)

gold_items = Table(  # samples and photographs whose right answer is known; dealt among the others as a check
    "gold_items",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),  # looks like a sample's
    Column("sample_id", String(64), ForeignKey("samples.id"), unique=True),
    Column("subject_id", String(64), ForeignKey("subjects.id"), unique=True),
    Column("verdict", String(20), nullable=False),  # the known answer
    Column("made_by", String(200), nullable=False),
    Column("at", String(40), nullable=False),
)

gold_answers = Table(  # append-only, like the decisions
    "gold_answers",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("client_id", String(80), nullable=False, unique=True),
    Column("gold_id", String(64), ForeignKey("gold_items.id"), nullable=False),
    Column("reviewer", String(200), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reason", String(40)),
    Column("via", String(20), nullable=False),
    Column("at", String(40), nullable=False),
    Index("gold_answers_by_reviewer", "reviewer", "gold_id", "seq"),
)

auto_review_limits = Table(  # what the auto-reviewer may decide by itself; the last row holds
    "helper_limits",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("accept_from", Float),  # predicted acceptance at or above which it accepts; None: it never does
    Column("reject_below", Float),
    Column("set_by", String(200), nullable=False),
    Column("at", String(40), nullable=False),
)

auto_review_checks = Table(  # samples that it would have decided, left to people as a check
    "helper_checks",
    metadata,
    Column("sample_id", String(64), ForeignKey("samples.id"), primary_key=True),
    Column("verdict", String(20), nullable=False),  # what it would have decided
    Column("promise", Float, nullable=False),
    Column("at", String(40), nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("scope", String(20), primary_key=True),  # subjects or excluded (key: label), samples (key: state)
    Column("key", String(200), primary_key=True),
    Column("value", Integer, nullable=False),
)


def _add_votes(connection: Connection) -> None:
    """Version 2: several reviewers. The votes follow from the decisions that are there."""
    metadata.create_all(connection, tables=[votes, leases, review_policies])
    undo = decisions.alias("undo")
    last = (
        select(func.max(decisions.c.seq))
        .where(
            decisions.c.verdict.in_(("accept", "reject")),
            decisions.c.via != "gate",
            ~exists().where(undo.c.undoes == decisions.c.seq),
        )
        .group_by(decisions.c.sample_id, decisions.c.reviewer)
    )
    columns = (decisions.c.sample_id, decisions.c.reviewer, decisions.c.verdict, decisions.c.reason)
    standing = select(*columns, decisions.c.seq).where(decisions.c.seq.in_(last))
    names = ["sample_id", "reviewer", "verdict", "reason", "decision"]
    connection.execute(insert(votes).from_select(names, standing))


_FOUND_BY = ("model", "cluster", "promise", "certainty")  # columns of samples that came with version 3


def _add_filters(connection: Connection) -> None:
    """Version 3: samples are found by model, word, score and cluster; queues, gold items and the auto-reviewer."""
    new = [
        sample_slot_values,
        sample_scores,
        queues,
        gold_items,
        gold_answers,
        auto_review_limits,
        auto_review_checks,
    ]
    metadata.create_all(connection, tables=new)
    for name in _FOUND_BY:
        column = CreateColumn(samples.c[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE samples ADD COLUMN {column}")
    for index in samples.indexes:
        if index.name in {f"samples_by_{name}" for name in _FOUND_BY}:
            index.create(connection)
    columns = (samples.c.seq, samples.c.id, samples.c.spec, samples.c.scores)
    rendered = samples.c.image_id.is_not(None)
    for seq, sample_id, spec, scores in connection.execute(select(*columns).where(rendered)).all():
        parsed = json.loads(spec)
        note_findables(connection, seq, parsed["slots"], scores or {})
        values = {"model": parsed["model"], "cluster": sample_id}
        connection.execute(update(samples).where(samples.c.seq == seq).values(**values))


def note_findables(
    connection: Connection, seq: int, slots: Iterable[tuple[str, str]], scores: Mapping[str, float]
) -> None:
    """Store the slot values and scores that a rendered sample is found by."""
    values = [{"slot": slot, "value": value, "seq": seq} for slot, value in dict(slots).items()]
    if values:
        connection.execute(insert(sample_slot_values), values)
    if scores:
        rows = [{"name": name, "value": value, "seq": seq} for name, value in scores.items()]
        connection.execute(insert(sample_scores), rows)


def _rename_text_to_image(connection: Connection) -> None:
    """Version 4: the method `sdxl` is called `text_to_image`. The specs keep the old name, of which ids are hashed."""
    connection.execute(update(samples).where(samples.c.method == "sdxl").values(method="text_to_image"))


def _add_embeddings(connection: Connection) -> None:
    """Version 5: images have embeddings. Those of earlier photos are computed when they are asked for."""
    metadata.create_all(connection, tables=[embeddings])


def _add_deletions(connection: Connection) -> None:
    """Version 6: photos can be deleted."""
    column = CreateColumn(photos.c.deleted_at).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {photos.name} ADD COLUMN {column}")


def _add_group_order(connection: Connection) -> None:
    """Version 7: samples are listed by groups of near-duplicates, the best of each first."""
    next(index for index in samples.indexes if index.name == "samples_by_group").create(connection)


def _doubt_empty_masks(connection: Connection) -> None:
    """Version 8: an empty mask has no box, and is to be checked; version 7 let a person confirm one."""
    boxes = connection.execute(select(photos.c.seq, photos.c.box, photos.c.mask_doubts)).all()
    for seq, box, doubts in boxes:
        if box is not None and is_empty(box):
            values = {"box": None, "mask_doubts": list(doubts) or [NO_OBJECT], "doubtful": True}
            connection.execute(update(photos).where(photos.c.seq == seq).values(**values))


def _add_requests(connection: Connection) -> None:
    """Version 9: a plan knows what was asked for, so that its run can be resumed from the list of runs."""
    column = CreateColumn(plans.c.request).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {plans.name} ADD COLUMN {column}")


def _add_distractors(connection: Connection) -> None:
    """Version 10: samples may show distractors. Those of earlier versions have none."""
    column = CreateColumn(samples.c.distractors).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE {samples.name} ADD COLUMN {column}")


# version → what brings the version before it there
STEPS: dict[int, Callable[[Connection], None]] = {
    2: _add_votes,
    3: _add_filters,
    4: _rename_text_to_image,
    5: _add_embeddings,
    6: _add_deletions,
    7: _add_group_order,
    8: _doubt_empty_masks,
    9: _add_requests,
    10: _add_distractors,
}


def now() -> str:
    """The present, ISO in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def stored_version(connection: Connection) -> int | None:
    """The version of the tables in a database; None where there are none yet."""
    if not inspect(connection).has_table(schema_version.name):
        return None
    return connection.scalar(
        select(schema_version.c.version).order_by(schema_version.c.version.desc()).limit(1)
    )


def migrate(connection: Connection) -> None:
    """Bring the tables of a database to VERSION, in the caller's transaction. Again: no change."""
    version = stored_version(connection)
    if version is None:
        metadata.create_all(connection)
        steps = [VERSION]
    else:
        steps = list(range(version + 1, VERSION + 1))
        for step in steps:
            STEPS[step](connection)
    for step in steps:
        connection.execute(insert(schema_version).values(version=step, applied_at=now()))
