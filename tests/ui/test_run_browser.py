"""A run in the browser: paused, gone on with, and finished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.starter import subjects
from pipeline.store import Library
from tests.ui.browser import App, opened_page
from tests.ui.test_loop_browser import write_parts

pytestmark = pytest.mark.browser
LONG_MS = 240_000
COUNT = 10


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    running = App(tmp_path, batch_size=1)
    try:
        yield running
    finally:
        running.stop()


def test_a_run_is_paused_and_goes_on_to_its_end(app: App, tmp_path: Path) -> None:
    photos = write_parts(tmp_path / "photos", subjects(), 1)
    with opened_page() as page:
        page.goto(app.address)
        page.click("text=From another source")
        page.fill("#source textarea, #source input", str(photos))
        page.click("label:has-text('train'):not(:has-text('random'))")
        page.click("#import-path")
        page.wait_for_function("document.querySelectorAll('#photos .tile').length === 3")
        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#plan .figure")
        page.fill("#count textarea, #count input", str(COUNT))
        page.wait_for_selector(f"#plan .figure b:text-is('{COUNT}')")
        page.click("#start-run")
        page.wait_for_selector("#latest .tile", timeout=LONG_MS)
        page.click("#pause-run")
        page.wait_for_selector("#run .run.paused", timeout=LONG_MS)
        kept = _rendered(tmp_path)
        assert 1 <= kept < COUNT
        page.goto(f"{app.address}/generate")  # a page that is loaded anew knows of the paused run
        page.wait_for_selector("#run .run.paused")
        page.click("#resume-run")
        page.wait_for_selector("#run .run.done", timeout=LONG_MS)
    assert _rendered(tmp_path) == COUNT
    assert "Traceback" not in app.said()


def _rendered(folder: Path) -> int:
    with Library.open(folder / "library") as library:
        return len(library.samples.list(limit=100))
