"""What was measured for the limits of the quality gates is read again where it still holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import gates
from benchmarks.gates import Kept, run_of

ROOT = Path(gates.__file__).resolve().parents[1]


def test_a_run_goes_on_with_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "kept.jsonl"
    assert Kept(path, "a").value("clean 0", lambda: {"halo": 0.5}) == {"halo": 0.5}
    assert Kept(path, "a").value("clean 0", lambda: {"halo": 9.0}) == {"halo": 0.5}
    assert Kept(path, "a").value("clean 1", lambda: None) is None


def test_what_another_run_measured_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text('["Pixels 160 clean 0", 0.25]\n')  # of a version that did not tell the run
    Kept(path, "a").value("clean 0", lambda: 1.0)
    assert Kept(path, "b").value("clean 0", lambda: 2.0) == 2.0
    assert Kept(path, "a").value("clean 0", lambda: 3.0) == 1.0


def test_a_kill_in_mid_line_loses_that_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    Kept(path, "a").value("clean 0", lambda: [1.0])
    whole = path.read_text()
    for length in range(1, len(whole)):
        path.write_text(whole + whole[:length])
        kept = Kept(path, "a")
        assert kept.value("clean 0", lambda: [9.0]) == [1.0]
        kept.value("clean 1", lambda: [2.0])
        assert Kept(path, "a").value("clean 1", lambda: [9.0]) == [2.0]


def test_two_runs_can_write_to_one_file_and_the_second_cuts_nothing_that_the_first_is_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.jsonl"
    first = Kept(path, "a")
    first.value("clean 0", lambda: [1.0])
    written = path.read_bytes()
    monkeypatch.setattr(Path, "read_bytes", lambda _: written[:-4])  # the second reads in mid-write
    second = Kept(path, "a")
    monkeypatch.undo()
    second.value("clean 1", lambda: [2.0])
    first.value("clean 2", lambda: [3.0])
    both = Kept(path, "a")
    assert [both.value(f"clean {place}", lambda: [9.0]) for place in range(3)] == [[1.0], [2.0], [3.0]]


def test_a_run_is_that_of_its_data_and_of_the_code_that_measures(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("pipeline/domain/quality.py", "benchmarks/gate_examples.py", "ui/app.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    first = run_of(tmp_path / "photos", root)
    assert run_of(tmp_path / "photos", root) == first != run_of(tmp_path / "others", root)
    (root / "ui/app.py").write_text("other = 1")
    assert run_of(tmp_path / "photos", root) == first
    (root / "pipeline/domain/quality.py").write_text("other = 1")
    assert run_of(tmp_path / "photos", root) != first
