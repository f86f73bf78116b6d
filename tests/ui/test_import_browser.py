"""The import panel in the browser: a zip with a split, a check before it, a folder, and Stop."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.services.photos import importing as imports
from pipeline.services.photos.workers import Job
from pipeline.sources import SourceItem
from pipeline.store import Library
from tests.ui.browser import HANG_S, LocalApp, opened_page, served, set_at_end
from tests.ui.test_photos_browser import photograph
from ui.pages.photos.import_job import ImportJob

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
COLOURS = ((170, 40, 40), (40, 60, 150), (30, 120, 40))
NAMES = ("bolt/0.png", "bolt/1.png", "nut/2.png")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[LocalApp]:
    with served(tmp_path) as app:
        yield app


def parts() -> dict[str, bytes]:
    """File name → PNG: three discs in two classes."""
    return {name: photograph((80, 80), rgb=rgb) for name, rgb in zip(NAMES, COLOURS, strict=True)}


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in parts().items():
            file.writestr(name, data)
    return path


def splits(folder: Path) -> dict[str, str]:
    """Name → split of the stored photos."""
    with Library.open(folder / "library") as library:
        return {photo.name: photo.split for photo in library.photos.list()}


def chosen(page: Page, app: LocalApp, file: Path) -> None:
    """Open the page and put a file into the drop zone."""
    page.goto(app.address)
    page.wait_for_selector(".first-import", state="attached")
    page.set_input_files("#import-files input[type=file]", str(file))
    page.wait_for_selector("#import-files .file-preview")


def test_a_zip_is_checked_and_then_imported_into_the_chosen_split(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        chosen(page, app, archive(tmp_path / "parts.zip"))
        page.click("#import-split label:has-text('test')")
        page.check("#import-check input")
        page.click("text=Import files")
        page.wait_for_selector("text=Checked, nothing was written: 3 photos would be added.")
        assert splits(tmp_path) == {}
        page.uncheck("#import-check input")
        page.click("text=Import files")
        page.wait_for_selector("text=3 photos added.")
        cells = page.inner_text("#import-said table").split()
        assert " ".join(cells) == "class train test bolt 0 2 nut 0 1"
        page.wait_for_function("document.querySelectorAll('#photos .tile').length === 3")
        page.wait_for_selector("#import-files .file-preview", state="detached")
        page.wait_for_selector("#import-stop", state="hidden")
        page.wait_for_selector(".first-import", state="detached")
    assert splits(tmp_path) == dict.fromkeys(NAMES, "test")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_chosen_folder_arrives_with_its_sub_folders(app: LocalApp, tmp_path: Path, width: int) -> None:
    for name, data in parts().items():
        path = tmp_path / "set" / ("train" if name.startswith("nut") else "test") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "set" / "train" / "bolt").mkdir()
    (tmp_path / "set" / "train" / "bolt" / "3.png").write_bytes(photograph((60, 60), rgb=(90, 90, 20)))
    with opened_page(width, 844) as page:
        page.goto(app.address)
        page.wait_for_selector(".first-import", state="attached")
        panel, overview = (
            page.locator("#import").bounding_box(),
            page.locator(".columns > .main").bounding_box(),
        )
        assert panel is not None
        assert overview is not None
        assert (
            panel["x"] + panel["y"] < overview["x"] + overview["y"]
        )  # to the left of the overview, or above
        page.set_input_files("#import-folder input", str(tmp_path / "set"))
        page.wait_for_selector("#import-files .file-preview :text('set')")
        page.click("text=Import files")
        page.wait_for_selector("text=4 photos added.")
        page.wait_for_selector("text=The folders name the splits: test, train")
    assert splits(tmp_path) == {
        "set/test/bolt/0.png": "test",
        "set/test/bolt/1.png": "test",
        "set/train/bolt/3.png": "train",
        "set/train/nut/2.png": "train",
    }


def test_photos_appear_as_they_come_and_stop_keeps_them(
    app: LocalApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, asked_to_stop, stop = threading.Event(), threading.Event(), ImportJob.stop

    def noted_stop(job: ImportJob) -> None:
        stop(job)
        asked_to_stop.set()

    def paused(items: Iterator[SourceItem], job: Job[Any, Any, Any]) -> Iterator[Any]:
        for number, item in enumerate(items):
            if number == 1:
                go_on.wait()
            yield job.work(item, job.shared)

    monkeypatch.setattr(imports, "on_all_cores", paused)
    monkeypatch.setattr(ImportJob, "stop", noted_stop)
    with set_at_end(go_on), opened_page() as page:
        chosen(page, app, archive(tmp_path / "parts.zip"))
        page.click("text=Import files")
        page.wait_for_function("document.querySelectorAll('#photos .tile').length === 1")
        page.wait_for_selector("#import-progress :text('1 of 3')")
        page.reload()
        page.wait_for_selector("#import-progress :text('1 of 3')")
        page.click("#import-stop")
        assert asked_to_stop.wait(HANG_S)
        go_on.set()
        page.wait_for_selector("text=Stopped after 1 photo, which is in the library")
        page.wait_for_selector("#import-stop", state="hidden")
        page.wait_for_selector("#import button:has-text('Import files'):enabled")
    assert splits(tmp_path) == {"bolt/0.png": "train"}
