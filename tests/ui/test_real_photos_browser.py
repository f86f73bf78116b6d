"""Sixty photographs in a zip, as a new user brings them: through every page to a finished study, nothing refused."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui.browser import LONG_MS, App, opened_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

DATA = Path(__file__).parents[3] / "shared" / "data" / "trash"
CLASSES = ("glass", "metal", "paper", "plastic")
PER_CLASS = 15
_RELEASE_IS_CHOSEN = "document.querySelector('#release input')?.value"  # by the page, when it is loaded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not DATA.is_dir(), reason="the photographs of ../shared/data/trash are not there"),
]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    running = App(tmp_path)
    try:
        yield running
    finally:
        running.stop()


def test_photographs_go_from_a_zip_to_a_finished_study(app: App, tmp_path: Path) -> None:
    archive = tmp_path / "trash.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for label in CLASSES:
            for photo in sorted((DATA / label).iterdir())[:PER_CLASS]:
                file.write(photo, f"{label}/{photo.name}")
    with opened_page() as page:
        _import(page, app, archive)
        _check_outlines(page)
        _generate(page, app)
        _review(page)
        release = tmp_path / "releases" / "trash"
        _publish(page, app, release)
        page.wait_for_function(_RELEASE_IS_CHOSEN)
        page.fill("#seeds input[type=number]", "2")
        page.click("#start-study")
        page.wait_for_selector(".verdict", timeout=LONG_MS)
        _not_refused(page)
    assert "Traceback" not in app.said()


def _import(page: Page, app: App, archive: Path) -> None:
    page.goto(app.address)
    page.wait_for_selector(".first-import", state="attached")
    page.set_input_files("#import-files input[type=file]", str(archive))
    page.wait_for_selector("#import-files .file-preview")
    page.click("text=Import files")
    page.wait_for_selector("text=60 photos added.", timeout=LONG_MS)
    page.wait_for_function("document.querySelectorAll('#photos .tile').length === 60")
    cells = page.inner_text("#import-said table").split()
    for label in CLASSES:  # at least five test photos of each class
        train, test = cells[cells.index(label) + 1 : cells.index(label) + 3]
        assert int(train) + int(test) == PER_CLASS
        assert int(test) >= 5
    _not_refused(page)


def _check_outlines(page: Page) -> None:
    """Exclude the photo with the least trusted outline and confirm all others."""
    page.click("text=Check the outlines")
    page.wait_for_selector(".check h2:has-text('.jpg')")
    left = int(page.inner_text(".check [data-part=count]"))
    assert 0 < left < 40
    for remaining in range(left - 1, -1, -1):
        page.keyboard.press("x" if remaining == left - 1 else "a")
        page.wait_for_function(
            f"document.querySelector('.check [data-part=count]').textContent === '{remaining}'"
        )
    page.wait_for_selector("text=Every outline is checked")
    page.keyboard.press("Escape")
    page.wait_for_selector("#photos .tile")


def _generate(page: Page, app: App) -> None:
    page.goto(f"{app.address}/generate")
    page.wait_for_selector("#plan .figure b")
    page.fill("#count textarea, #count input", "8")
    page.wait_for_selector("#plan .figure b:text-is('8')")
    page.click("#start-run")
    page.wait_for_selector("#run .run.done", timeout=LONG_MS)
    _not_refused(page)
    page.click("text=Review them")


def _review(page: Page) -> None:
    page.wait_for_selector(".review[data-sample]")
    for _ in range(8):
        shown = page.get_attribute(".review", "data-sample")
        page.keyboard.press("a")
        page.wait_for_function(
            "(before) => document.querySelector('.review').dataset.sample !== before", arg=shown
        )
    page.wait_for_function("document.querySelector('[data-part=saving]').textContent === 'all saved'")


def _publish(page: Page, app: App, release: Path) -> None:
    page.goto(f"{app.address}/publish")
    page.wait_for_selector("#release-preview .figure")
    page.fill("#folder textarea, #folder input", str(release))
    page.click("#publish")
    page.click("text=Train on it", timeout=LONG_MS)
    _not_refused(page)


def _not_refused(page: Page) -> None:
    """Nothing on the page refuses or failed."""
    assert page.locator(".refusal .said.bad").count() == 0
    assert page.locator("[data-testid='status-tracker'] .error").count() == 0
