"""A study that was started from the page is found again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.services.studies.process import StudyRequest, StudyService, _reason, study_progress

HANG_S = 400  # reached only where a process hangs


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Exit codes of the next studies; nothing is trained."""
    codes: list[int] = []
    real = subprocess.Popen

    def ended(_: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", f"raise SystemExit({codes.pop(0)})"], **options)

    monkeypatch.setattr("pipeline.services.studies.process.subprocess.Popen", ended)
    return codes


def begun(process: StudyService, release: Path, **other: Any) -> Path:
    out = process.start(StudyRequest(release=str(release), **{"seeds": 3, **other}))
    process.wait(HANG_S)
    return out


def test_the_same_study_goes_on_where_it_was_stopped_and_another_does_not(
    tmp_path: Path, exits: list[int]
) -> None:
    release = tmp_path / "release"
    release.mkdir()
    (release / "index.parquet").write_text("one")
    process = StudyService(tmp_path / "runs")
    exits += [130, 0, 0, 0, 0]
    first = begun(process, release)
    assert begun(process, release, seeds=6) == first
    assert begun(StudyService(tmp_path / "runs"), release) == first  # the app was started anew
    assert begun(process, release, steps=50) != first
    (release / "index.parquet").write_text("one and two")
    assert begun(process, release) != first


def test_further_networks_may_be_added_to_a_study_and_another_first_one_is_another_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    real = subprocess.Popen

    def noted(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        commands.append(command)
        return real([sys.executable, "-c", ""], **options)

    monkeypatch.setattr("pipeline.services.studies.process.subprocess.Popen", noted)
    service = StudyService(tmp_path / "runs")
    first = begun(service, tmp_path / "release")
    assert begun(service, tmp_path / "release", networks=("probe", "small")) == first
    assert begun(service, tmp_path / "release", networks=("small", "probe")) != first
    after = [command[command.index("--network") + 1 :][:3] for command in commands]
    assert [names[: names.index("--propose")] for names in after] == [
        ["probe"],
        ["probe", "small"],
        ["small", "probe"],
    ]


def test_the_runs_of_a_further_network_are_shown_while_it_is_trained(tmp_path: Path) -> None:
    of_first, of_other = tmp_path / "progress.jsonl", tmp_path / "small" / "progress.jsonl"
    of_other.parent.mkdir()
    for file, done in ((of_first, 6), (of_other, 2)):
        point = {"done": done, "total": 6, "arm": "real", "seed": 0, "step": 10, "accuracy": done / 10}
        file.write_text(json.dumps(point) + "\n")
        os.utime(file, (1000 - done, 1000 - done))  # the other network's was written last
    running = study_progress(tmp_path, running=True)
    assert (running.network, running.done, running.curves) == ("small", 2, {"real": [(10, 0.2)]})
    ended = study_progress(tmp_path, running=False)
    assert (ended.network, ended.done, ended.curves) == ("", 6, {"real": [(10, 0.6)]})
    os.utime(of_first, (2000, 2000))  # the study was resumed, and is at its first network again
    assert study_progress(tmp_path, running=True).network == ""


def test_a_study_that_failed_is_not_taken_up_again(tmp_path: Path, exits: list[int]) -> None:
    process = StudyService(tmp_path / "runs")
    exits += [1, 0]
    failed = begun(process, tmp_path)
    assert begun(process, tmp_path) != failed


def test_a_verdict_is_shown_after_the_app_was_started_anew(tmp_path: Path) -> None:
    assert StudyService(tmp_path).progress.verdict == ""
    out = tmp_path / "study-20260101-000000"
    out.mkdir()
    result = {"verdict": "Mixed is best.", "test": "field", "seeds": [0], "arms": []}
    (out / "study.json").write_text(json.dumps(result))
    (out / "report.html").write_text("<p>whole</p>")
    shown = StudyService(tmp_path).progress
    assert (shown.verdict, shown.report_html, shown.running) == ("Mixed is best.", "<p>whole</p>", False)


def test_a_study_starts_from_any_folder_and_its_paths_are_those_of_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "release").mkdir(parents=True)
    (elsewhere / "field").mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != ""])
    process = StudyService(Path("runs"))
    out = process.start(StudyRequest(release="release", test="field", seeds=3))
    process.wait(HANG_S)
    assert out == elsewhere / "runs" / out.name
    # the training ran and found the user's folder, which holds nothing to train on
    assert (out / "study.log").read_text().strip() == (
        f"backlot: {elsewhere / 'release'} holds neither a release (data/*.parquet) nor class folders with images; "
        "choose a published release or a folder class/*.jpg"
    )


def test_a_name_on_the_hub_stays_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    real = subprocess.Popen

    def noted(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        commands.append(command)
        return real([sys.executable, "-c", ""], **options)

    monkeypatch.setattr("pipeline.services.studies.process.subprocess.Popen", noted)
    monkeypatch.chdir(tmp_path)
    begun(StudyService(Path("runs")), Path("ann/parts"))
    assert commands[0][commands[0].index("--dataset") + 1] == "ann/parts"


def test_a_leak_is_allowed_on_request_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    real = subprocess.Popen

    def noted(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        commands.append(command)
        return real([sys.executable, "-c", ""], **options)

    monkeypatch.setattr("pipeline.services.studies.process.subprocess.Popen", noted)
    for allow in (False, True):
        begun(StudyService(tmp_path / "runs"), tmp_path, allow_leak=allow)
    assert ["--allow-leak" in command for command in commands] == [False, True]


def test_the_page_says_why_a_study_failed_and_shows_no_traceback(tmp_path: Path) -> None:
    log = tmp_path / "study.log"
    log.write_text("study: 3 of 9\nbacklot: no class has two photos; import more\n\n")
    assert _reason(log) == "backlot: no class has two photos; import more"
    log.write_text(
        'study: 3 of 9\nTraceback (most recent call last):\n  File "a.py"\ncv2.error: !ssize.empty()\n'
    )
    assert _reason(log) == (
        "The study failed with an unexpected error; see study.log in its folder. Finished runs are kept."
    )
    log.write_text(
        "Traceback (most recent call last):\nValueError: logged and handled\nbacklot: the disk is full\n"
    )
    assert _reason(log) == "backlot: the disk is full"


def test_the_time_left_is_estimated_from_the_runs_that_have_ended(tmp_path: Path) -> None:
    lines: list[dict[str, object]] = [{"done": 0, "total": 5, "stage": "computing features"}]
    lines += [{"done": done, "total": 5, "seconds": seconds} for done, seconds in ((1, 9), (2, 2), (3, 3))]
    for count, expected in ((1, (None, "computing features")), (4, (6.0, ""))):
        (tmp_path / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[:count]))
        progress = study_progress(tmp_path, running=True)
        assert (progress.seconds_left, progress.stage) == expected


def test_a_study_that_ends_without_output_refers_to_its_log(tmp_path: Path, exits: list[int]) -> None:
    process = StudyService(tmp_path / "runs")
    exits.append(1)
    begun(process, tmp_path)
    assert process.progress.sentence == "The study stopped without an error message; see study.log."


def test_curves_of_the_first_seed_are_read_from_a_file_whose_last_line_is_half_written(
    tmp_path: Path,
) -> None:
    point = {"event": "point", "done": 1, "total": 4, "arm": "real", "seed": 3, "first_seed": 3, "step": 10}
    lines = [
        json.dumps(point | {"accuracy": 0.5}),
        json.dumps(point | {"seed": 4, "accuracy": 0.9}),
        '{"event": "po',
    ]
    (tmp_path / "progress.jsonl").write_text("\n".join(lines))
    progress = study_progress(tmp_path, running=True)
    assert (progress.done, progress.total, progress.curves) == (1, 4, {"real": [(10, 0.5)]})


def test_a_study_from_the_page_proposes_the_next_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    real = subprocess.Popen

    def noted(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        commands.append(command)
        return real([sys.executable, "-c", ""], **options)

    monkeypatch.setattr("pipeline.services.studies.process.subprocess.Popen", noted)
    service = StudyService(tmp_path / "runs")
    out = begun(service, tmp_path)
    assert commands[0][-2:] == ["--propose", str(out / "proposal.yaml")]
    assert service.proposals() == []
    (out / "proposal.yaml").write_text("# Make these 7.\nname: weak classes\nclasses: {bolt: 7}\n")
    (proposal,) = service.proposals()
    assert (proposal.study, proposal.recipe.total, proposal.reasons) == (out.name, 7, ("Make these 7.",))
