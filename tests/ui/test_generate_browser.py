"""Generate in the browser: a click starts the plan that is shown, and the page waits for the starter set."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.services.photos.service import PhotoService
from pipeline.services.plans.service import PlanService
from pipeline.services.reports import RunProgress, RunState
from pipeline.services.samples.background_run import BackgroundRun
from pipeline.store import Library
from tests.toy_library import add_subject, render, spec
from tests.ui.browser import HANG_S, opened_page, served, set_at_end

pytestmark = pytest.mark.browser
REFUSED = "The plan is being updated; start it when the new one is shown."


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The counts with which runs were started; none of them runs."""
    counts: list[int | None] = []
    monkeypatch.setattr(BackgroundRun, "start", lambda _run, _text, overrides: counts.append(overrides.count))
    return counts


def test_a_click_before_the_new_plan_has_come_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[int | None]
) -> None:
    asked, arrives, preview = threading.Event(), threading.Event(), PlanService.preview

    def slow_preview(service: PlanService, recipe: str | None, overrides: Any) -> object:
        if overrides.count == 7 and not asked.is_set():  # for the page; a click does not wait for it
            asked.set()
            arrives.wait()
        return preview(service, recipe, overrides)

    monkeypatch.setattr(PlanService, "preview", slow_preview)
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    with served(tmp_path) as app, opened_page() as page, set_at_end(arrives):
        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#plan .figure b:text-is('20')")
        page.fill("#count textarea, #count input", "7")
        assert asked.wait(HANG_S)
        page.click("#start-run")
        page.wait_for_selector(f"#start-said:has-text('{REFUSED}')")
        assert page.inner_text("#plan .figure b") == "7"
        arrives.set()
        page.wait_for_selector("#plan [data-testid=status-tracker].hide", state="attached")
        assert page.inner_text("#start-said").strip() == REFUSED
        assert started == []
        page.click("#start-run")
        page.wait_for_selector("#start-said .said", state="detached")
    assert started == [7]


def test_a_click_after_another_recipe_was_selected_does_not_start_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    asked, arrives, preview = threading.Event(), threading.Event(), PlanService.preview

    def slow_preview(service: PlanService, recipe: str | None, overrides: Any) -> object:
        if "name: street" in str(recipe) and not asked.is_set():  # for the page; a click does not wait for it
            asked.set()
            arrives.wait()
        return preview(service, recipe, overrides)

    monkeypatch.setattr(PlanService, "preview", slow_preview)
    monkeypatch.setattr(BackgroundRun, "start", lambda _run, text, _overrides: texts.append(text))
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    with served(tmp_path) as app, opened_page() as page, set_at_end(arrives):
        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#plan .figure b:text-is('20')")
        for name in ("heaps", "street"):
            page.click("#recipe input")
            page.click(f"#recipe [role=option]:has-text('{name}')")
        assert asked.wait(HANG_S)
        page.click("#start-run")
        page.wait_for_selector(f"#start-said:has-text('{REFUSED}')")
        assert texts == []
        page.click("#start-run")
        page.wait_for_selector("#start-said .said", state="detached")
        assert ["name: street" in text for text in texts] == [True]


def test_the_page_becomes_ready_when_the_starter_set_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = threading.Event()

    def fill(photos: PhotoService, on_progress: Any) -> None:
        on_progress(40, 220, "bolt")
        complete.wait()
        add_subject(photos.library, 1)

    monkeypatch.setattr(PhotoService, "wants_starter", True)
    monkeypatch.setattr(PhotoService, "fill_with_starter", fill)
    with served(tmp_path) as app, opened_page() as page, set_at_end(complete):
        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#importing:has-text('40 of 220 photos')")
        assert page.is_disabled("#start-run")
        assert "No photos yet" not in page.inner_text("body")
        complete.set()
        page.wait_for_selector("#plan .figure b:text-is('20')")
        page.wait_for_selector("#start-run:enabled")
        page.wait_for_selector("#importing", state="hidden")


def test_a_proposal_of_a_study_is_filled_in_and_its_plan_shown(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    study = tmp_path / "runs" / "study-1"
    study.mkdir(parents=True)
    (study / "proposal.yaml").write_text("# Make these 33.\nname: weak classes\nclasses: {bolt: 33}\n")
    with served(tmp_path) as app, opened_page() as page:
        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#plan .figure b:text-is('20')")
        page.wait_for_selector("#proposal-reasons:has-text('Make these 33.')")
        page.click("#use-proposal")
        page.wait_for_selector("#plan .figure b:text-is('33')")
        page.wait_for_selector("#start-run:enabled")


def test_runs_are_listed_their_images_open_and_a_paused_one_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        specs = [spec(add_subject(library, 1), seed=seed) for seed in range(9)]
        library.plans.add("walls", "name: walls", specs[8:])
        library.plans.add("floors", "name: floors", specs[:8])
        for planned in (*specs[:6], specs[8]):
            render(library, planned)
    working = RunProgress(state=RunState.RUNNING, recipe="floors", done=6, total=8)
    in_progress = [working]
    monkeypatch.setattr(BackgroundRun, "progress", property(lambda _run: in_progress[0]))
    with served(tmp_path) as app, opened_page() as page:
        page.goto(f"{app.address}/generate")
        page.wait_for_selector(".bar .badge:text-is('6/8')")
        page.wait_for_function("document.title.startsWith('(6 of 8) ')")
        in_progress[0] = RunProgress()
        page.wait_for_function("!document.title.startsWith('(')")
        page.wait_for_selector("#runs tr.chosen:has-text('paused'):has-text('6 of 8')")
        page.click("#all-images button:has-text('All 6 images of floors')")
        page.wait_for_selector("#gallery .tile >> nth=5")
        page.click("#gallery .tile >> nth=0")
        page.wait_for_selector(".gallery-view[open] figcaption:has-text('take 5')")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(".gallery-view[open] figcaption:has-text('take 4')")
        page.keyboard.press("Escape")
        page.wait_for_selector(".gallery-view", state="hidden")
        page.click("#drop-run")
        page.wait_for_selector("#runs tr:has-text('floors'):has-text('6 of 6')")
        page.click("#runs button:text-is('walls')")
        page.wait_for_selector("#gallery .tile >> nth=1", state="detached")
        page.wait_for_selector("#drop-run", state="hidden")
    with Library.open(tmp_path / "library") as library:
        assert library.counts().samples["planned"] == 7
