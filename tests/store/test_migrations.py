"""Libraries that older versions wrote."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, delete, insert, text

from pipeline.domain.review import Verdict
from pipeline.domain.spec import Method
from pipeline.store import Library, SampleFilter, SampleOrder, schema
from tests.toy_library import add_subject, decision, filled, spec

# what each version brought
TABLES = {
    3: (
        "sample_words",
        "sample_scores",
        "queues",
        "gold_answers",
        "gold_items",
        "helper_limits",
        "helper_checks",
    ),
    4: (),
    5: ("embeddings",),
    6: (),
    7: (),
    8: (),
    9: (),
    10: (),
    2: ("votes", "leases", "review_policies"),
}
INDEXES = {7: ("samples_by_group",)}
COLUMNS = {3: ("model", "cluster", "promise", "certainty")}


def downgrade(connection: Connection, to: int) -> None:
    """Take away what came after a version."""
    for version in range(schema.VERSION, to, -1):
        for name in TABLES[version]:
            connection.execute(text(f"DROP TABLE {name}"))
        if version == 10:
            connection.execute(text("ALTER TABLE samples DROP COLUMN distractors"))
        if version == 9:
            connection.execute(text("ALTER TABLE plans DROP COLUMN request"))
        if version == 6:
            connection.execute(text("ALTER TABLE subjects DROP COLUMN deleted_at"))
        for name in INDEXES.get(version, ()):
            connection.execute(text(f"DROP INDEX {name}"))
        for name in COLUMNS.get(version, ()):
            connection.execute(text(f"DROP INDEX samples_by_{name}"))
            connection.execute(text(f"ALTER TABLE samples DROP COLUMN {name}"))
    connection.execute(delete(schema.schema_version))
    connection.execute(insert(schema.schema_version).values(version=to, applied_at="then"))


def test_a_library_of_version_1_gets_its_votes_and_is_found_by_word_model_and_score(tmp_path: Path) -> None:
    with Library.open(tmp_path / "old", create=True) as library:
        first, second, third, fourth = filled(library)
        library.review.record(decision(first))
        library.review.record(decision(first, Verdict.REJECT, reason="halo"))
        library.review.record(decision(second))
        library.review.undo("ann")
        library.review.record(decision(second, Verdict.REJECT, reviewer="gate", via="gate"))
        with library._database.writing() as transaction:
            connection = transaction.connection
            downgrade(connection, 1)
    with Library.open(tmp_path / "old") as library:
        assert [(one.sample_id, one.verdict, one.reason) for one in library.review.votes()] == [
            (first, "reject", "halo")
        ]
        found = library.samples.list(
            SampleFilter(
                model="nano", word=("surface", "gravel"), score="sharpness", low=0.5, order=SampleOrder.LOWEST
            )
        )
        assert [row.id for row in found] == [first, second, third, fourth]
        assert [(row.cluster, row.predicted_acceptance) for row in found] == [(row.id, 0.5) for row in found]
        assert library.verify() == []


def test_the_method_sdxl_of_version_3_is_found_as_text_to_image(tmp_path: Path) -> None:
    with Library.open(tmp_path / "old", create=True) as library:
        sample = spec(add_subject(library, 1), method=Method.TEXT_TO_IMAGE)
        library.plans.add("floors", "method: sdxl", [sample])
        with library._database.writing() as transaction:
            connection = transaction.connection
            connection.execute(text("UPDATE samples SET method = 'sdxl'"))
            downgrade(connection, 3)
    with Library.open(tmp_path / "old") as library:
        with library._database.reading() as connection:
            stored = connection.execute(text("SELECT id, method FROM samples")).all()
        assert [tuple(row) for row in stored] == [(sample.id, "text_to_image")]


def test_the_photos_of_version_5_can_be_deleted(tmp_path: Path) -> None:
    with Library.open(tmp_path / "old", create=True) as library:
        photo = add_subject(library, 1)
        with library._database.writing() as transaction:
            downgrade(transaction.connection, 5)
    with Library.open(tmp_path / "old") as library:
        assert library.photos.list() == [photo]
        assert library.photos.delete([photo.id]).photos == 1
        assert library.verify() == []


def test_a_library_of_version_6_is_listed_by_groups(tmp_path: Path) -> None:
    with Library.open(tmp_path / "old", create=True) as library:
        first, second, _, _ = filled(library)
        with library._database.writing() as transaction:
            downgrade(transaction.connection, 6)
    with Library.open(tmp_path / "old") as library:
        library.samples.set_groups({second: first})
        listed = library.samples.list(SampleFilter(review="pending", order=SampleOrder.GROUPS))
        assert [row.id for row in listed] == [second, first]
        with library._database.reading() as connection:
            names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index'")).all()
        assert "samples_by_group" in names


def test_an_empty_mask_that_version_7_let_somebody_confirm_is_to_be_checked(tmp_path: Path) -> None:
    with Library.open(tmp_path / "old", create=True) as library:
        photo, other = add_subject(library, 1), add_subject(library, 2)
        with library._database.writing() as transaction:
            connection = transaction.connection
            connection.execute(
                text("UPDATE subjects SET box = '[0, 0, 0, 0]' WHERE id = :photo"), {"photo": photo.id}
            )
            downgrade(connection, 7)
    with Library.open(tmp_path / "old") as library:
        shown = library.photos.get(photo.id)
        assert (shown.box, shown.mask_doubts, shown.usable) == (None, ("No object was found",), False)
        assert library.photos.list(doubtful=True) == [shown]
        assert library.photos.list(usable=True) == [other]
