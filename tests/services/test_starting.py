"""Two starts at once: one begins, the other is refused in one sentence. Closing sends decisions before it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.errors import Cancelled, StudioError
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides
from pipeline.services.reports import RunState
from pipeline.services.samples.background_run import BackgroundRun
from pipeline.services.studies.process import StudyRequest, StudyService
from pipeline.settings import Settings
from pipeline.store import Library
from pipeline.studio import Studio

STARTS = 8
HANG_S = 300  # reached only where something hangs


def outcomes(start: Callable[[], object]) -> list[str]:
    """What several threads hear that start at the same moment; "" for the one that may."""
    together = threading.Barrier(STARTS)

    def heard(_: int) -> str:
        together.wait()
        try:
            start()
        except StudioError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(STARTS) as threads:
        return sorted(threads.map(heard, range(STARTS)))


def test_of_several_runs_that_start_at_once_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = threading.Event()

    def rendered(*_: object, **__: object) -> None:
        finish.wait(HANG_S)
        raise Cancelled

    monkeypatch.setattr("pipeline.services.samples.background_run.render_plan", rendered)
    real = threading.Thread.start

    def slowly(thread: threading.Thread) -> None:  # the moment between the look and the start, made long
        if thread.name == "backlot-run":
            threading.Event().wait(0.05)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", slowly)
    with Library.open(tmp_path, create=True) as library:
        run = BackgroundRun(library, FileAccess(), 1)
        assert outcomes(lambda: run.start(None, Overrides())) == [
            "", *["a run is already in progress; pause it or wait for it to finish"] * (STARTS - 1),
        ]  # fmt: skip
        finish.set()
        run.wait(HANG_S)


def test_a_run_that_has_said_how_it_ended_is_resumed_while_its_thread_still_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, said, may_end = BackgroundRun._work, threading.Event(), threading.Event()

    def rendered(*_: object, **__: object) -> None:
        raise Cancelled

    def ending(run: BackgroundRun) -> None:
        work(run)
        said.set()
        may_end.wait(HANG_S)

    monkeypatch.setattr("pipeline.services.samples.background_run.render_plan", rendered)
    monkeypatch.setattr(BackgroundRun, "_work", ending)
    with Library.open(tmp_path, create=True) as library:
        run = BackgroundRun(library, FileAccess(), 1)
        run.start(None, Overrides())
        try:
            assert said.wait(HANG_S)
            assert (run.progress.state, run.alive) == (RunState.PAUSED, False)
            run.resume()
        finally:
            may_end.set()
        run.wait(HANG_S)


def test_of_several_studies_that_start_at_once_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> SimpleNamespace:
        threading.Event().wait(0.05)
        return SimpleNamespace(poll=lambda: None)

    monkeypatch.setattr("pipeline.services.studies.process.subprocess.Popen", started)
    studies = StudyService(tmp_path / "runs")

    def start() -> None:
        studies.start(StudyRequest(release=str(tmp_path), seeds=3))

    assert outcomes(start) == [
        "", *["a study is already in progress; stop it or wait for it to finish"] * (STARTS - 1)
    ]  # fmt: skip


def test_closing_sends_decisions_before_it_waits_and_waits_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    studio = Studio(Settings(library=tmp_path / "library", starter=False))
    dataset = SimpleNamespace(send=lambda: calls.append("send"), close=lambda: calls.append("close"))
    monkeypatch.setattr(studio, "_opened", replace(studio._opened, dataset=dataset))
    monkeypatch.setattr(BackgroundRun, "wait", lambda _, timeout_s=None: calls.append(timeout_s))
    studio.close()
    assert calls == ["send", 10.0, "close"]


def test_closing_goes_on_when_sending_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise StudioError("the Hub cannot be reached")

    closed: list[bool] = []
    studio = Studio(Settings(library=tmp_path / "library", starter=False))
    dataset = SimpleNamespace(send=refuse, close=lambda: closed.append(True))
    monkeypatch.setattr(studio, "_opened", replace(studio._opened, dataset=dataset))
    studio.close()
    assert closed == [True]
