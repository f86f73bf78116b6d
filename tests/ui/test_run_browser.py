"""A run in the browser: paused, gone on with, and finished."""

from __future__ import annotations

import threading
from pathlib import Path

import gradio as gr
import pytest

from pipeline.services.samples.background_run import BackgroundRun
from pipeline.starter import subjects
from pipeline.store import Library
from tests.toy_library import add_subject, render, spec
from tests.ui.browser import HANG_S, LONG_MS, opened_page, served, set_at_end
from tests.ui.test_loop_browser import write_parts
from ui.pages.generate.runs import Runs

pytestmark = pytest.mark.browser
COUNT = 6


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a run was asked to pause, for which it waits after its first image: it must not end before."""
    asked, pause, on_progress = threading.Event(), BackgroundRun.pause, BackgroundRun._on_progress

    def noted_pause(run: BackgroundRun) -> None:
        pause(run)
        asked.set()

    def waiting(run: BackgroundRun, done: int, total: int | None, sample_id: str) -> None:
        on_progress(run, done, total, sample_id)
        asked.wait()

    monkeypatch.setattr(BackgroundRun, "pause", noted_pause)
    monkeypatch.setattr(BackgroundRun, "_on_progress", waiting)
    return asked


def test_a_run_is_paused_and_goes_on_to_its_end(
    tmp_path: Path, paused: threading.Event, capfd: pytest.CaptureFixture[str]
) -> None:
    photos = write_parts(tmp_path / "photos", subjects(), 1)
    with served(tmp_path, batch_size=1) as app, opened_page() as page, set_at_end(paused):
        page.goto(app.address)
        page.click("text=From another source")
        page.fill("#source textarea, #source input", str(photos))
        page.click("label:has-text('train'):not(:has-text('random'))")
        page.click("#import-path")
        page.wait_for_selector("#import-said:has-text('3 photos added.')")  # until then it holds the library
        page.wait_for_function("document.querySelectorAll('#photos .tile').length === 3")
        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#plan .figure")
        page.fill("#count textarea, #count input", str(COUNT))
        page.wait_for_selector(f"#plan .figure b:text-is('{COUNT}')")
        page.click("#start-run")
        page.wait_for_selector("#latest .tile", timeout=LONG_MS)
        page.click("#pause-run")
        page.wait_for_selector("#run .run.paused", timeout=LONG_MS)
        assert _rendered(tmp_path) == 1
        page.goto(f"{app.address}/generate")  # a page that is loaded anew knows of the paused run
        page.wait_for_selector("#run .run.paused")
        page.click("#resume-run")
        page.wait_for_selector("#run .run.done", timeout=LONG_MS)
    assert _rendered(tmp_path) == COUNT
    assert "Traceback" not in capfd.readouterr().err


def _rendered(folder: Path) -> int:
    with Library.open(folder / "library") as library:
        return len(library.samples.list(limit=100))


def two_runs(folder: Path) -> None:
    """The runs "walls" and "floors" of three images each, none of which is rendered."""
    with Library.open(folder / "library", create=True) as library:
        photo = add_subject(library, 1)
        for number, name in enumerate(("walls", "floors")):
            library.plans.add(
                name, f"name: {name}", [spec(photo, seed=10 * number + take) for take in range(3)]
            )


def test_drop_waits_for_the_run_that_was_picked_whatever_answers_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = {name: (threading.Event(), threading.Event()) for name in ("", "walls")}  # asked, arrives
    is_open, shown = threading.Event(), Runs.shown

    def slow(
        runs: Runs, picked: str, chosen: str, page: int, seen: str, request: gr.Request
    ) -> tuple[object, ...]:
        answer = shown(runs, picked, chosen, page, seen, request)
        if is_open.is_set():
            gates[picked][0].set()
            gates[picked][1].wait()
        return answer

    (ticked, tick), (picked, pick) = gates[""], gates["walls"]
    monkeypatch.setattr(Runs, "shown", slow)
    monkeypatch.setattr("ui.pages.generate.runs._POLL_S", 0.2)
    two_runs(tmp_path)
    with served(tmp_path) as app, opened_page() as page, set_at_end(tick), set_at_end(pick):
        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#runs tr.chosen:has-text('floors')")
        with Library.open(tmp_path / "library") as library:  # so that the tick has something to tell
            library.plans.add("roofs", "name: roofs", [spec(library.photos.list()[0], seed=99)])
        page.wait_for_selector("#runs button:text-is('roofs')")
        is_open.set()
        assert ticked.wait(HANG_S)
        page.click("#runs button:text-is('walls')")
        page.wait_for_selector("#drop-run[disabled]")
        tick.set()
        assert picked.wait(HANG_S)  # so the answer of the tick is there
        assert page.is_disabled("#drop-run")
        pick.set()
        page.click("#drop-run")
        page.wait_for_selector("#runs button:text-is('walls')", state="detached")
    with Library.open(tmp_path / "library") as library:
        assert len(list(library.plans.members("floors"))) == 3
        assert not list(library.plans.members("walls"))


def test_next_turns_one_page_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.pages.generate.runs._ON_A_PAGE", 1)
    monkeypatch.setattr("ui.pages.generate.runs._POLL_S", 0.2)
    with Library.open(tmp_path / "library", create=True) as library:
        specs = [spec(add_subject(library, 1), seed=seed) for seed in range(3)]
        library.plans.add("floors", "name: floors", specs)
        for planned in specs:
            render(library, planned)
    with served(tmp_path) as app, opened_page() as page:
        page.goto(f"{app.address}/generate")
        page.click("#all-images button:has-text('All 3 images of floors')")
        page.click("#next-images")
        page.wait_for_selector("#all-images :text('2 to 2 of 3')")
        page.click("#next-images")
        page.wait_for_selector("#all-images :text('3 to 3 of 3')")
        page.wait_for_selector("#next-images[disabled]")
        page.click("#all-images button:text-is('Previous')")
        page.wait_for_selector("#all-images :text('2 to 2 of 3')")
