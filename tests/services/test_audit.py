"""The export of decisions."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.domain.review import Verdict
from pipeline.errors import InvalidRequest, StudioError
from pipeline.services.review.insights import InsightService
from pipeline.store import Library
from tests.toy_library import decision, filled


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        first, second, *_ = filled(opened)
        opened.review.record(decision(first, Verdict.REJECT, reason="seam"))
        opened.review.record(decision(second))
        opened.review.undo("ann")
        yield opened


def test_parquet_and_csv_hold_every_event_in_order(library: Library, tmp_path: Path) -> None:
    assert InsightService(library).export_decisions(tmp_path / "a" / "d.parquet") == 3
    assert InsightService(library).export_decisions(tmp_path / "d.csv") == 3
    rows = pq.read_table(tmp_path / "a" / "d.parquet").to_pylist()
    assert [row["verdict"] for row in rows] == ["reject", "accept", "undo"]
    assert [row["undoes"] for row in rows] == [None, None, rows[1]["seq"]]
    assert (rows[0]["reason"], rows[0]["label"], rows[0]["method"]) == ("seam", "bolt", "inpaint")
    assert json.loads(rows[0]["shown"]) == {}
    with (tmp_path / "d.csv").open(newline="") as file:
        assert [row["client_id"] for row in csv.DictReader(file)] == [row["client_id"] for row in rows]


def test_another_kind_of_file_and_a_closed_place_are_refused(library: Library, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"d\.json is neither"):
        InsightService(library).export_decisions(tmp_path / "d.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="cannot be written"):
        InsightService(library).export_decisions(tmp_path / "file" / "d.csv")
    assert not list(tmp_path.rglob("*.part"))


def test_the_command_says_how_many(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decisions", "--library", str(library.path), "--to", str(tmp_path / "d.csv")]) == 0
    assert capsys.readouterr().out.startswith("3 decisions written to ")
