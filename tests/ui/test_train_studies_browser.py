"""The list of studies in a browser: open a report, compare two, delete one after a question."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.toy_studies import right, write_study
from tests.ui.browser import HANG_S, LONG_MS, opened_page, served, set_at_end
from ui.pages.train.studies import Studies

pytestmark = pytest.mark.browser


def test_studies_are_opened_compared_and_deleted(tmp_path: Path) -> None:
    for name, rate in (("study-1", 0.6), ("study-2", 0.9)):
        folder = write_study(
            tmp_path / "runs" / name, {"real": right(*[0.6] * 6), "mixed": right(*[rate] * 6)}
        )
        (folder / "report.html").write_text(f"<p>report of {name}</p>")
    with served(tmp_path) as app, opened_page() as page:
        page.goto(f"{app.address}/train")
        page.click("[data-pick=study-1]")
        page.click("#open-study")
        page.frame_locator("#opened-study iframe").locator("text=report of study-1").wait_for()
        page.click("[data-pick=study-2]")
        page.click("#compare-studies")
        compared = page.frame_locator("#opened-study iframe")
        compared.locator("text=B is better with Real + synthetic (+30.0 points).").wait_for(timeout=LONG_MS)
        page.click("[data-pick=study-2]")
        page.click("#delete-study")
        page.click("#confirm-delete button:has-text('Keep it')")
        page.wait_for_selector("#confirm-delete", state="hidden")
        assert (tmp_path / "runs" / "study-1").is_dir()
        page.click("#delete-study")
        page.click("#delete-study-now")
        page.wait_for_selector("[data-pick=study-1]", state="detached")
        assert page.locator("[data-pick]").count() == 1
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == ["study-2"]


def test_a_question_that_comes_late_deletes_the_study_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, arrives, ask = threading.Event(), threading.Event(), Studies.ask

    def slow_ask(studies: Studies, chosen: list[str]) -> tuple[object, ...]:
        answer = ask(studies, chosen)
        asked.set()
        arrives.wait()
        return answer

    monkeypatch.setattr(Studies, "ask", slow_ask)
    for name in ("study-1", "study-2"):
        write_study(tmp_path / "runs" / name, {"real": right(*[0.6] * 6), "mixed": right(*[0.9] * 6)})
    with served(tmp_path) as app, opened_page() as page, set_at_end(arrives):
        page.goto(f"{app.address}/train")
        page.click("[data-pick=study-1]")
        page.click("#delete-study")
        assert asked.wait(HANG_S)
        page.click("[data-pick=study-1][aria-pressed=true]")
        page.wait_for_selector("[data-pick=study-1][aria-pressed=false]")
        page.click("[data-pick=study-2]")
        page.wait_for_selector("[data-pick=study-2][aria-pressed=true]")
        arrives.set()
        page.wait_for_selector("#confirm-delete:has-text('Delete study-1 with its runs')")
        page.click("#delete-study-now")
        page.wait_for_selector("[data-pick=study-1]", state="detached")
        page.wait_for_selector("[data-pick=study-2][aria-pressed=true]")
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == ["study-2"]
