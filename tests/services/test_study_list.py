"""The studies of the runs folder as the Train page lists them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.errors import InvalidRequest, StudioError
from pipeline.services.studies.comparing import comparison_report
from pipeline.services.studies.files import newest_progress, read_progress, written_ns
from pipeline.services.studies.listing import (
    StudyState,
    listed_studies,
    studies_mark,
    study_folder,
    study_report,
)
from pipeline.services.studies.process import StudyService
from tests.toy_studies import right, write_study

ARMS = {"real": right(*[0.6] * 6), "mixed": right(*[0.9] * 6)}


def unfinished(folder: Path, log: str | None) -> Path:
    """A study of the Train page that left no result."""
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps({"release": "/releases/second", "network": "probe"}))
    start = {"event": "start", "done": 0, "total": 4, "arms": ["real", "mixed"], "seeds": [0, 1]}
    (folder / "progress.jsonl").write_text(json.dumps(start) + "\n")
    if log is not None:
        (folder / "study.log").write_text(log)
    return folder


def written_at(folder: Path, seconds: float) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (seconds, seconds))


def test_a_finished_study_is_listed_with_what_it_showed(tmp_path: Path) -> None:
    write_study(tmp_path / "study-1", ARMS)
    (study,) = listed_studies(tmp_path, running=None)
    assert (study.name, study.state, study.release) == ("study-1", StudyState.FINISHED, "first")
    assert (study.network, study.arms, study.seeds) == ("small", 2, 6)
    assert (study.best, study.accuracy, study.certain) == ("Real + synthetic", 0.9, True)
    assert study.verdict == "Mixed is best: 80.0 % against 70.0 %."
    assert not study.has_report


def test_without_a_claim_the_arm_with_the_best_mean_is_shown_as_not_certain(tmp_path: Path) -> None:
    write_study(tmp_path / "study-1", ARMS, best=None)
    (study,) = listed_studies(tmp_path, running=None)
    assert (study.best, study.certain) == ("Real + synthetic", False)


def test_the_newest_study_comes_first_and_other_folders_are_left_out(tmp_path: Path) -> None:
    for number, name in enumerate(("b", "a", "c")):
        written_at(write_study(tmp_path / name, ARMS), 1000.0 + number)
    (tmp_path / "demo" / "release").mkdir(parents=True)
    assert [study.name for study in listed_studies(tmp_path, running=None)] == ["c", "a", "b"]
    assert listed_studies(tmp_path / "nowhere", running=None) == []


@pytest.mark.parametrize(
    ("log", "state"),
    [
        ("study: 3 of 9\nbacklot: interrupted; finished work is kept\n", StudyState.STOPPED),
        ("", StudyState.STOPPED),  # killed
        ("backlot: the disk is full\n", StudyState.FAILED),
        ("Traceback (most recent call last):\nValueError: no\n", StudyState.FAILED),
        (None, StudyState.STOPPED),  # of the command line, long ago
    ],
)
def test_a_study_without_a_result_tells_how_it_ended(
    tmp_path: Path, log: str | None, state: StudyState
) -> None:
    written_at(unfinished(tmp_path / "study-2", log), 1000.0)
    (study,) = listed_studies(tmp_path, running=None)
    assert (study.state, study.release, study.network) == (state, "second", "probe")
    assert (study.arms, study.seeds, study.best, study.verdict) == (2, 2, "", "")


def test_a_study_in_progress_is_running_here_or_on_the_command_line(tmp_path: Path) -> None:
    here = unfinished(tmp_path / "study-1", "")
    elsewhere = unfinished(tmp_path / "study-2", None)
    with FileLock(elsewhere / ".study.lock"):
        listed = {study.name: study.state for study in listed_studies(tmp_path, running=here)}
    assert listed == {"study-1": StudyState.RUNNING, "study-2": StudyState.RUNNING}
    listed = {study.name: study.state for study in listed_studies(tmp_path, running=here)}
    assert listed == {"study-1": StudyState.RUNNING, "study-2": StudyState.STOPPED}


@pytest.mark.parametrize("log", ["", None])  # of the page before a restart of the studio; of the command line
def test_a_study_with_a_result_runs_while_its_further_networks_are_trained(
    tmp_path: Path, log: str | None
) -> None:
    folder = write_study(tmp_path / "study-1", ARMS)
    if log is not None:
        (folder / "study.log").write_text(log)
    written_at(folder, 1000.0)
    (folder / "small").mkdir()
    further = folder / "small" / "progress.jsonl"
    further.write_text("{}\n")
    os.utime(further, (5000.0, 5000.0))
    with FileLock(folder / ".study.lock"):
        during = studies_mark(tmp_path, running=None)
        (study,) = listed_studies(tmp_path, running=None)
        assert (study.state, study.at.timestamp(), study.best) == (
            StudyState.RUNNING,
            5000.0,
            "Real + synthetic",
        )
        with pytest.raises(InvalidRequest, match="'study-1' is in progress; stop it before you delete it"):
            StudyService(tmp_path).delete("study-1")
    assert studies_mark(tmp_path, running=None) != during
    (study,) = listed_studies(tmp_path, running=None)
    assert study.state is StudyState.FINISHED
    StudyService(tmp_path).delete("study-1")
    assert not folder.exists()


def test_a_damaged_line_of_progress_is_passed_over(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "study-1", "")
    whole = (folder / "progress.jsonl").read_bytes()
    (folder / "progress.jsonl").write_bytes(b'{"done": \n\xff\x00\n[1]\n' + whole + b'{"done": 1')
    (study,) = listed_studies(tmp_path, running=None)
    assert (study.arms, study.seeds) == (2, 2)
    assert [line.total for line in read_progress(folder)] == [4]


def test_a_study_is_deleted_with_its_files_but_not_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    write_study(runs / "study-1", ARMS)
    service = StudyService(runs)
    monkeypatch.setattr(StudyService, "running", property(lambda _: runs / "study-1"))
    with pytest.raises(
        InvalidRequest, match="the study 'study-1' is in progress; stop it before you delete it"
    ):
        service.delete("study-1")
    assert (runs / "study-1" / "study.json").is_file()
    monkeypatch.undo()
    service.delete("study-1")
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("name", ["../elsewhere", "..", "", "study-9", "release"])
def test_only_listed_studies_are_read_and_deleted(tmp_path: Path, name: str) -> None:
    runs = tmp_path / "runs"
    write_study(tmp_path / "elsewhere", ARMS)
    (runs / "release").mkdir(parents=True)
    with pytest.raises(InvalidRequest, match="any more; reload the page and select another"):
        study_folder(runs, name)
    with pytest.raises(InvalidRequest):
        StudyService(runs).delete(name)
    assert (tmp_path / "elsewhere" / "study.json").is_file()
    assert (runs / "release").is_dir()


def test_a_report_is_read_where_there_is_one(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study-1", ARMS)
    with pytest.raises(InvalidRequest, match="the study 'study-1' has no report"):
        study_report(folder)
    (folder / "report.html").write_text("<p>whole</p>")
    assert study_report(folder) == "<p>whole</p>"


def test_the_mark_changes_when_a_study_begins_ends_or_goes(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "study-1", "")
    marks = [studies_mark(tmp_path, running=folder), studies_mark(tmp_path, running=None)]
    write_study(tmp_path / "study-2", ARMS)
    marks.append(studies_mark(tmp_path, running=None))
    assert len({repr(mark) for mark in marks}) == 3
    assert studies_mark(tmp_path, running=None) == marks[-1]


def test_a_study_that_is_deleted_while_it_is_listed_is_no_error(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study-1", ARMS)
    written = folder / "study.json"
    assert written_ns(written) == written.stat().st_mtime_ns
    StudyService(tmp_path).delete("study-1")
    assert (written_ns(written), written_ns(folder), newest_progress(folder)) == (0, 0, folder)


def test_two_studies_are_compared_in_a_process_of_their_own(tmp_path: Path) -> None:
    a, b = (write_study(tmp_path / name, ARMS) for name in "ab")
    assert "Backlot: two studies compared" in comparison_report(a, b)
    (b / "study.json").write_text("{}")
    with pytest.raises(StudioError, match=r"b holds no finished study"):
        comparison_report(a, b)


def test_a_comparison_that_breaks_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.run

    def broken(_: list[str], **options: object) -> object:
        return real([sys.executable, "-c", "raise ValueError('secret')"], **options)  # type: ignore[call-overload]

    monkeypatch.setattr("pipeline.services.studies.comparing.subprocess.run", broken)
    with pytest.raises(StudioError, match=r"^the comparison failed with an unexpected error"):
        comparison_report(tmp_path / "a", tmp_path / "b")


def test_a_comparison_that_takes_too_long_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(command: list[str], **options: float) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr("pipeline.services.studies.comparing.subprocess.run", slow)
    with pytest.raises(StudioError, match=r"^the comparison took more than 5 minutes and was stopped"):
        comparison_report(tmp_path / "a", tmp_path / "b")
