"""Opening a library, and what it says when the world does not let it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text

from pipeline.errors import LibraryBusy, LibraryUnusable
from pipeline.store import Library, SampleFilter, schema
from pipeline.store.lock import Work
from tests.toy_library import add_subject, filled, picture


def test_a_missing_library_is_named_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(LibraryUnusable) as refusal:
        Library.open(tmp_path / "nowhere")
    assert str(refusal.value) == (
        f"no library at {tmp_path}/nowhere; "
        f"make one with `python -m pipeline import SOURCE --library {tmp_path}/nowhere`"
    )
    assert not (tmp_path / "nowhere").exists()


def test_a_file_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(LibraryUnusable, match=r"photo\.jpg is a file; a library is a folder"):
        Library.open(tmp_path / "photo.jpg", create=True)


def test_a_library_keeps_everything_over_close_and_open(tmp_path: Path) -> None:
    with Library.open(tmp_path, create=True) as library:
        ids = filled(library)
    with Library.open(tmp_path) as library:
        assert [row.id for row in library.samples.list(SampleFilter(order="plan"))] == ids
        assert library.verify() == []


def test_only_an_empty_library_that_nobody_works_in_is_deleted(tmp_path: Path) -> None:
    with Library.open(tmp_path / "filled", create=True) as library:
        filled(library)
        assert not library.delete_if_empty()
        assert library.verify() == []
    with Library.open(tmp_path / "empty", create=True) as library:
        with library.work_lock("import"):
            assert not library.delete_if_empty()
        assert (tmp_path / "empty").is_dir()
        assert library.delete_if_empty()
        assert not (tmp_path / "empty").exists()


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    Library.open(tmp_path, create=True).close()
    with sqlite3.connect(tmp_path / "backlot.sqlite") as database:
        database.execute("INSERT INTO schema_version VALUES (99, '2030-01-01')")
    with pytest.raises(
        LibraryUnusable,
        match=rf"newer version \(schema 99, this one knows {schema.VERSION}\); update the studio",
    ):
        Library.open(tmp_path)


def test_an_older_schema_is_brought_up_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Library.open(tmp_path, create=True).close()
    later = (schema.VERSION + 1, schema.VERSION + 2)
    steps = {
        version: lambda connection, v=version: connection.execute(
            text(f"CREATE TABLE added_{v} (id INTEGER)")
        )
        for version in later
    }
    monkeypatch.setattr(schema, "VERSION", later[-1])
    monkeypatch.setattr(schema, "STEPS", steps)
    Library.open(tmp_path).close()
    Library.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "backlot.sqlite") as database:
        versions = [row[0] for row in database.execute("SELECT version FROM schema_version ORDER BY 1")]
        assert versions == [later[0] - 1, *later]
        assert database.execute(f"SELECT count(*) FROM added_{later[-1]}").fetchone() == (0,)


def test_a_failed_migration_step_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Library.open(tmp_path, create=True).close()

    def half(connection) -> None:
        connection.execute(text("CREATE TABLE half_done (id INTEGER)"))
        raise RuntimeError("power cut")

    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(schema, "STEPS", {schema.VERSION: half})
    with pytest.raises(RuntimeError, match="power cut"):
        Library.open(tmp_path)
    monkeypatch.undo()
    with Library.open(tmp_path) as library:
        assert library.verify() == []
    with sqlite3.connect(tmp_path / "backlot.sqlite") as database:
        assert database.execute("SELECT name FROM sqlite_master WHERE name = 'half_done'").fetchall() == []


def test_an_empty_database_file_of_a_killed_creation_is_completed(tmp_path: Path) -> None:
    (tmp_path / "backlot.sqlite").touch()
    with Library.open(tmp_path) as library:
        assert library.counts().subjects == 0


@pytest.mark.parametrize("damage", [b"this is no database at all" * 400, b""], ids=["other file", "cut"])
def test_a_damaged_database_is_one_sentence(tmp_path: Path, damage: bytes) -> None:
    with Library.open(tmp_path, create=True) as library:
        filled(library)
    path = tmp_path / "backlot.sqlite"
    for left in tmp_path.glob("backlot.sqlite-*"):
        left.unlink()
    path.write_bytes(damage or path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(LibraryUnusable, match=r"is damaged \(.+\); put a backup of backlot\.sqlite back"):
        Library.open(tmp_path).samples.list()


def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    Library.open(tmp_path / "library", create=True).close()
    for path in (tmp_path / "library").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (tmp_path / "library").chmod(0o555)
    assert _in_child_as_nobody(tmp_path / "library") == (
        f"library {tmp_path}/library is read-only; make it writable, or copy it to a folder of yours"
    )


def _in_child_as_nobody(path: Path) -> str:
    """What opening the library says to a user who may only read it (root may write everywhere)."""
    for folder in path.parents:
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o555)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            Library.open(path)
            sentence = "opened"
        except BaseException as error:
            sentence = str(error)
        os.write(writer, sentence.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        return pipe.read()


def test_a_full_disk_keeps_what_was_stored_and_leaves_nothing_half_written(library: Library) -> None:
    kept = library.images.put(picture(1))
    big = picture(2, side_px=200)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(LibraryUnusable, match="no space left on the disk of library"):
            library.images.put(big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert [path for path in (library.path / "blobs").rglob("*") if path.is_file()] == [
        library.images.path(kept)
    ]
    assert np.array_equal(library.images.read(library.images.put(big)), big)


def test_a_second_worker_is_told_who_holds_the_library(library: Library) -> None:
    with library.work_lock("generate"), Library.open(library.path) as second:
        with pytest.raises(LibraryBusy) as refusal, second.work_lock("import"):
            pass
        assert f"is in use by process {os.getpid()} (generate since " in str(refusal.value)
        add_subject(second, 1)  # short writes go on
    with library.work_lock("import"):
        pass


def test_what_a_killed_process_left_is_no_work_even_where_its_number_is_taken_again(library: Library) -> None:
    holder = library.path / "work.json"
    facts = {"pid": os.getpid(), "what": "generate", "since": "12:00", "plan": "floors"}
    holder.write_text(json.dumps(facts))  # as after a restart of a container
    assert library.present_work() is None
    assert not holder.exists()
    with library.work_lock("generate"):
        library.note_work("floors")
        assert library.present_work() == Work("generate", "floors")  # held by this very process
        assert holder.exists()
    assert library.present_work() is None


def test_the_lock_is_free_after_work_that_failed(library: Library) -> None:
    with pytest.raises(ZeroDivisionError), library.work_lock("generate"):
        raise ZeroDivisionError
    with library.work_lock("generate"):
        pass


def test_a_database_without_room_stores_all_of_a_change_or_nothing(library: Library) -> None:
    library.close()
    event.listen(
        library._database.engine,
        "connect",
        lambda connection, _: connection.execute("PRAGMA max_page_count=60"),
    )

    def fill() -> None:
        for number in range(500):
            library.photos.record_refusal("photos", f"{number}.jpg", "x" * 2000)

    with pytest.raises(LibraryUnusable, match="no space left on the disk of library"):
        fill()
    with Library.open(library.path) as again:
        kept = len(again.photos.refusals())
        again.photos.record_refusal("photos", "last.jpg", "there is room again")
        assert 0 < kept < 500
        assert len(again.photos.refusals()) == kept + 1
        assert again.verify() == []
