"""The import panel: what it starts, how it is followed and stopped, and what it says of the end."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from pipeline.errors import InvalidRequest
from pipeline.publish.credits import published_source
from pipeline.services.photos import importing as imports
from pipeline.services.photos.workers import Job
from pipeline.services.reports import ImportReport, NearDuplicate
from pipeline.sources import SourceItem
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import add_subject
from ui.pages.photos.import_job import ImportJob
from ui.pages.photos.import_report import report_html
from ui.pages.photos.importing import ImportPanel

HANG_S = 300  # reached only where something hangs
POLLED = ("first", "progress", "add", "stop", "timer", "message", "exclude", "leaking", "files", "changed")


@pytest.fixture
def panel(studio: Studio) -> ImportPanel:
    return ImportPanel(studio, ImportJob(studio))


def polled(panel: ImportPanel, seen: str = "") -> dict[str, Any]:
    """What the timer's answer changes, by what it is."""
    answer = dict(zip(POLLED, panel.poll(seen), strict=True))
    return {name: value for name, value in answer.items() if value != gr.skip()}


def ended(panel: ImportPanel) -> dict[str, Any]:
    panel.job.wait()
    return polled(panel)


def photo(blue: int) -> bytes:
    pixels = np.full((64, 64, 3), 235, np.uint8)
    pixels[20:44, 20:44] = (30, 90, blue)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def archive(path: Path, *names: str) -> str:
    with zipfile.ZipFile(path, "w") as file:
        for number, name in enumerate(names):
            file.writestr(name, photo(20 * number))
    return str(path)


def test_an_empty_library_shows_the_panel_first(studio: Studio, panel: ImportPanel) -> None:
    assert "first-import" in str(panel.opened()[0])
    change_settings(studio, starter=True)  # which is about to be filled
    assert panel.opened()[0] == ""
    change_settings(studio, starter=False)
    add_subject(studio.library, 1)
    assert panel.opened()[0] == ""


def test_a_page_that_opens_late_leaves_the_timer_of_an_import_begun_meanwhile_alone(
    panel: ImportPanel,
) -> None:
    assert panel.opened()[1:] == (gr.skip(),) * 4


def test_a_tick_that_an_import_began_after_tells_of_it_lest_the_page_lose_it(
    panel: ImportPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = iter((False, True, True))  # it begins while the tick is being answered
    monkeypatch.setattr(ImportJob, "running", property(lambda _job: next(running)))
    shown = polled(panel)
    assert (shown["timer"].active, shown["stop"].visible, shown["add"].interactive) == (True, True, False)
    assert "message" not in shown


def test_loose_pictures_need_a_class(studio: Studio, panel: ImportPanel, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"choose a \.zip, a folder or some image files"):
        panel.start_files(None, "bolt", "", False, False)
    with pytest.raises(InvalidRequest, match="name the class of these images"):
        panel.start_files([str(tmp_path / "one.png")], " ", "", False, False)
    with pytest.raises(InvalidRequest, match="cannot be a folder name"):
        panel.start_files([str(tmp_path / "one.png")], "../up", "", False, False)
    assert not panel.job.running
    assert studio.library.counts().classes == {}


def test_loose_pictures_are_published_as_uploaded(studio: Studio, panel: ImportPanel, tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(photo(160))
    panel.start_files([str(tmp_path / "one.png")], "bolt", "train", False, False)
    shown = ended(panel)
    assert "1 photo added." in shown["message"]
    assert (shown["files"], shown["add"].interactive, shown["stop"].visible) == (None, True, False)
    (subject,) = studio.library.photos.list()
    assert (subject.label, subject.name, subject.split) == ("bolt", "bolt/one.png", "train")
    assert published_source(subject.source) == "uploaded"


def test_uploads_of_one_file_name_are_all_imported(
    studio: Studio, panel: ImportPanel, tmp_path: Path
) -> None:
    uploads = []
    for number, path in enumerate(("1/a.png", "2/a.png", "2/deep/A.png", "3/a (2).png")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(photo(40 * number))
        uploads.append(str(tmp_path / path))
    panel.start_files(uploads, "bolt", "train", False, False)
    panel.job.wait()
    assert sorted(subject.name for subject in studio.library.photos.list()) == [
        "bolt/A (4).png",
        "bolt/a (2).png",
        "bolt/a (3).png",
        "bolt/a.png",
    ]


class _Signal(threading.Event):
    """The stop signal of an import: a wait for it says so, and ends when the test lets it."""

    def __init__(self, *, is_stopped: bool) -> None:
        super().__init__()
        self.waited_for, self.may_end = threading.Event(), threading.Event()
        self.is_stopped = is_stopped

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_for.set()
        assert self.may_end.wait(HANG_S)
        return self.is_stopped


@pytest.mark.parametrize(
    ("is_stopped", "said", "photos"),
    [(False, "1 photo added.", 1), (True, "Stopped before the first photo was added.", 0)],
    ids=["goes on", "is stopped"],
)
def test_an_import_waits_for_a_library_that_is_busy(
    studio: Studio, panel: ImportPanel, tmp_path: Path, is_stopped: bool, said: str, photos: int
) -> None:
    signal = _Signal(is_stopped=is_stopped)
    panel.job._stop = signal
    source = archive(tmp_path / "parts.zip", "bolt/0.png")
    with studio.library.work_lock("generate"):
        panel.start_files([source], "", "train", False, False)
        assert signal.waited_for.wait(HANG_S)
        assert "waiting for another task to finish: generate" in polled(panel)["progress"]
    signal.may_end.set()
    assert said in ended(panel)["message"]
    assert len(studio.library.photos.list()) == photos


def test_a_check_writes_nothing_and_keeps_the_files_for_the_import(
    studio: Studio, panel: ImportPanel, tmp_path: Path
) -> None:
    source = archive(tmp_path / "parts.zip", "bolt/0.png", "bolt/1.png", "nut/2.png")
    panel.start_files([source], "", "test", True, False)
    shown = ended(panel)
    assert "Checked, nothing was written: 3 photos would be added." in shown["message"]
    assert (
        "<tr><th>bolt</th><td>0</td><td>2</td></tr><tr><th>nut</th><td>0</td><td>1</td></tr>"
        in shown["message"]
    )
    assert "files" not in shown
    assert studio.library.photos.list() == []
    panel.start_files([source], "", "test", False, False)
    assert ended(panel)["files"] is None
    assert len(studio.library.photos.list(split="test")) == 3


def test_known_photos_take_the_new_class_on_request(
    studio: Studio, panel: ImportPanel, tmp_path: Path
) -> None:
    for label, relabel in (("bolt", False), ("hex bolt", False), ("hex bolt", True)):
        source = archive(tmp_path / f"{label}.zip", f"{label}/0.png")
        panel.start_files([source], "", "", False, relabel)
        message = ended(panel)["message"]
        assert ("Tick “Give known photos the new class”" in message) == (label != "bolt" and not relabel)
    assert dict(studio.library.counts().classes) == {"hex bolt": 1}


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Imports wait before their second photo: the first event is set then, the second lets them go on."""
    reached, go_on = threading.Event(), threading.Event()

    def on_all_cores(items: Iterator[SourceItem], job: Job[Any, Any, Any]) -> Iterator[Any]:
        for number, item in enumerate(items):
            if number == 1:
                reached.set()
                go_on.wait(HANG_S)
            yield job.work(item, job.shared)

    monkeypatch.setattr(imports, "on_all_cores", on_all_cores)
    yield reached, go_on
    go_on.set()


def test_an_import_is_followed_photo_by_photo_and_stopped(
    studio: Studio, panel: ImportPanel, tmp_path: Path, paused: tuple[threading.Event, threading.Event]
) -> None:
    reached, go_on = paused
    source = archive(tmp_path / "parts.zip", "bolt/0.png", "bolt/1.png", "bolt/2.png")
    panel.start_files([source], "", "train", False, False)
    assert reached.wait(HANG_S)
    shown = polled(panel)
    assert "1 of 3 · bolt/0.png" in shown["progress"]
    assert (shown["add"].interactive, shown["stop"].visible, shown["timer"].active) == (False, True, True)
    assert shown["changed"] == "0 1"  # the page shows the first photo
    assert "changed" not in polled(panel, "0 1")
    assert "message" not in shown
    assert "1 of 3" in str(panel.opened()[1])  # another page, or the same after a reload
    with pytest.raises(InvalidRequest, match="an import is in progress"):
        panel.start_files([source], "", "train", False, False)
    panel.stop()
    go_on.set()
    shown = ended(panel)
    assert "Stopped after 1 photo, which is in the library" in shown["message"]
    assert (shown["progress"], shown["stop"].visible, shown["timer"].active) == ("", False, False)
    assert "files" not in shown  # the same import again adds the rest
    panel.start_files([source], "", "train", False, False)
    assert "2 photos added, 1 already in the library." in ended(panel)["message"]


def test_a_failed_import_names_the_upload_without_its_path_and_leaves_the_panel_usable(
    studio: Studio, panel: ImportPanel, tmp_path: Path
) -> None:
    (tmp_path / "parts.zip").write_bytes(b"no zip")
    panel.start_files([str(tmp_path / "parts.zip")], "", "", False, False)
    shown = ended(panel)
    assert "parts.zip is not a source of photos" in shown["message"]
    assert str(tmp_path) not in shown["message"]
    assert (shown["add"].interactive, shown["stop"].visible, shown["timer"].active) == (True, False, False)
    (tmp_path / "one.png").write_bytes(b"no image")
    panel.start_files([str(tmp_path / "one.png")], "bolt", "", False, False)
    assert "none of the 1 files in the images of &#x27;bolt&#x27; can be used" in ended(panel)["message"]
    assert studio.library.photos.list() == []


def test_on_a_space_no_path_of_the_server_is_a_source(studio: Studio, tmp_path: Path) -> None:
    change_settings(studio, hosted=True, owner="ann")
    panel = ImportPanel(studio, ImportJob(studio))
    with pytest.raises(InvalidRequest, match="enter a dataset on the Hub") as refused:
        panel.start_source(str(tmp_path), "", False, False)
    assert str(tmp_path) not in str(refused.value)
    assert not panel.job.running


def report(**facts: Any) -> ImportReport:
    return replace(ImportReport(added=1, already=0, doubtful=0, refused=(), classes={"bolt": 1}), **facts)


def test_test_photos_that_look_like_training_photos_are_excluded_by_a_button(
    studio: Studio, panel: ImportPanel
) -> None:
    photos = [add_subject(studio.library, number, split="test") for number in (1, 2)]
    pairs = tuple(
        NearDuplicate(test_id=test_id, test_name="a", train_id="t", train_name="b", similarity=0.95)
        for test_id in (photos[0].id, "deleted meanwhile")
    )
    panel.job.reports = [report(near_duplicates=pairs)]
    shown = polled(panel)
    assert (shown["exclude"].value, shown["exclude"].visible) == ("Exclude the 2 test photos", True)
    assert "2 test photos are near-duplicates of training photos: a ~ b, a ~ b" in shown["message"]
    sentence, button, left, changed = panel.exclude(shown["leaking"], "1 2")
    assert "1 test photo is excluded" in str(sentence)
    assert (button.visible, left, changed) == (False, [], "1 2 excluded")  # type: ignore[attr-defined]
    assert [stored.excluded for stored in studio.library.photos.list()] == [True, False]
    panel.job.reports = [report()]
    assert not polled(panel)["exclude"].visible


def test_the_report_is_a_table_with_what_needs_attention() -> None:
    shown = report_html(
        report(
            added=21,
            already=2,
            doubtful=1,
            refused=tuple((f"bolt/{number}.txt", "is not an image file (.txt)") for number in range(9)),
            found={"bolt": {"train": 16, "test": 5}, "<nut>": {"train": 2}},
            note="the folders name the splits: test, train",
            test_photos={"bolt": 5, "<nut>": 0},
            repaired=1,
        )
    )
    assert (
        "21 photos added, 2 already in the library, the files of 1 photo restored, 9 files refused." in shown
    )
    assert "<thead><tr><th>class</th><th>train</th><th>test</th></tr></thead>" in shown
    assert "<tr><th>&lt;nut&gt;</th><td>2</td><td>0</td></tr>" in shown
    assert "The folders name the splits: test, train" in shown
    assert (
        "Too few test photos of &#x27;&lt;nut&gt;&#x27; (0); a study needs at least 5 of each class" in shown
    )
    assert "1 mask needs checking; it is shown first." in shown
    assert "bolt/7.txt: is not an image file (.txt)" in shown
    assert "bolt/8.txt" not in shown
    assert "and 1 more were refused" in shown
