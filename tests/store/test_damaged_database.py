"""A database file that was emptied or overwritten is reported as damaged by every command, in one sentence."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.errors import LibraryUnusable
from pipeline.store import Library
from tests.toy_library import filled

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "library_v1"
PAGE = 1024  # bytes, of the fixture's database
COMMANDS = [
    ("status",),
    ("verify",),
    ("verify", "--repair"),
    ("gate",),
    ("import", "starter"),
    ("publish", "--to", "OUT"),
    ("export", "--to", "OUT", "--format", "folders"),
    ("decisions", "--to", "OUT.csv"),
    ("generate", "--recipe", "RECIPE"),
]


def emptied(data: bytes) -> bytes:
    return b""


def first_page_overwritten(data: bytes) -> bytes:
    return b"\xff" * PAGE + data[PAGE:]


def one_page_overwritten(data: bytes) -> bytes:
    """The sixtieth page: of a table that few commands read."""
    return data[: 60 * PAGE] + bytes(PAGE) + data[61 * PAGE :]


@pytest.mark.parametrize("damage", [emptied, first_page_overwritten, one_page_overwritten])
def test_every_command_says_that_the_database_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage
) -> None:
    library = tmp_path / "library"
    shutil.copytree(FIXTURE, library)
    database = library / "backlot.sqlite"
    damaged = damage(database.read_bytes())
    (tmp_path / "recipe.yaml").write_text("name: any\n")
    for command, *options in COMMANDS:
        database.write_bytes(damaged)
        given = [
            option.replace("OUT", str(tmp_path / "out")).replace("RECIPE", str(tmp_path / "recipe.yaml"))
            for option in options
        ]
        assert main([command, "--library", str(library), *given]) == 1, command
        captured = capsys.readouterr()
        assert captured.err.startswith(f"backlot: library {library} is damaged ("), command
        assert captured.err.count("\n") == 1, command
        assert captured.out == "", command


def test_an_emptied_database_is_not_made_anew_over_the_pictures(tmp_path: Path) -> None:
    with Library.open(tmp_path, create=True) as library:
        filled(library)
    for left in tmp_path.glob("backlot.sqlite*"):
        left.write_bytes(b"") if left.name == "backlot.sqlite" else left.unlink()
    with pytest.raises(LibraryUnusable, match="its database is empty, its pictures are there"):
        Library.open(tmp_path, create=True)


def test_an_overwritten_value_is_a_sentence_and_verify_names_its_table(tmp_path: Path) -> None:
    with Library.open(tmp_path, create=True) as library:
        filled(library)
        with sqlite3.connect(tmp_path / "backlot.sqlite") as connection:
            connection.execute("UPDATE samples SET boxes = '[[6, 4, \x01' WHERE seq = 1")
        assert library.verify() == ["database: a value in table samples cannot be read"]
        with pytest.raises(LibraryUnusable, match="a stored value cannot be read"):
            library.samples.list()
