"""Create in the browser where answers come late: what was picked and dragged last is what counts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.store import Library
from tests.toy_library import add_subject
from tests.ui.browser import HANG_S, LONG_MS, opened_page, served, set_at_end
from ui.pages.create import page as create_page
from ui.pages.create.controls import Values
from ui.pages.create.session import Creating

pytestmark = pytest.mark.browser


def test_keep_waits_for_the_variant_that_was_picked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, arrives, result = threading.Event(), threading.Event(), create_page._result

    def slow_result(creating: Any, sample_id: str, ids: Sequence[str], request: Any) -> tuple[object, ...]:
        if sample_id == ids[1] and not asked.is_set():
            asked.set()
            arrives.wait()
        return result(creating, sample_id, list(ids), request)

    monkeypatch.setattr(create_page, "_result", slow_result)
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    with served(tmp_path) as app, opened_page() as page, set_at_end(arrives):
        page.goto(f"{app.address}/create")
        page.wait_for_selector("#stage img")
        page.wait_for_selector("#chips button")  # the prompt comes with them
        page.fill("#prompt textarea", "")
        page.click("#create")
        page.wait_for_selector("#create-said:has-text('the prompt is empty')")
        page.fill("#prompt textarea", "grass floor")
        assert "the prompt is empty" in page.inner_text("#create-said")
        page.click("#create")
        page.wait_for_function("document.querySelectorAll('#variants .tile').length === 4", timeout=LONG_MS)
        second = page.get_attribute("#variants .tile >> nth=1", "data-pick")
        assert page.is_enabled("#keep")
        page.click("#variants .tile >> nth=1")
        assert asked.wait(HANG_S)
        page.wait_for_selector("#keep[disabled]")
        arrives.set()
        page.click("#keep")
        page.wait_for_selector("#create-said:has-text('it is now on the Review page')")
        page.wait_for_selector("#keep[disabled]:text-is('Kept')")
        page.click("#variants .tile >> nth=0")
        page.wait_for_selector("#keep:text-is('Keep this image')")
        assert "Review page" not in page.inner_text("#create-said")
        page.click("#variants .tile >> nth=1")
        page.wait_for_selector("#keep[disabled]:text-is('Kept')")
        page.wait_for_selector("#create-said:has-text('it is now on the Review page')")
    with Library.open(tmp_path / "library") as library:
        assert [row.id for row in library.samples.list(limit=9)] == [second]


def test_the_stage_shows_where_the_object_was_dragged_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, arrives, last, preview = threading.Event(), threading.Event(), threading.Event(), Creating.preview

    def slow_preview(creating: Creating, values: Values) -> str:
        placement = creating.controls.placement(values)
        if placement.x != 0.5 and not asked.is_set():
            asked.set()
            arrives.wait()
        if placement.x > 0.77:  # the step before ends at 0.75
            last.set()
        return preview(creating, values)

    monkeypatch.setattr(Creating, "preview", slow_preview)
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    with served(tmp_path) as app, opened_page() as page, set_at_end(arrives):
        page.goto(f"{app.address}/create")
        page.wait_for_selector("#stage img")
        box = page.locator("#stage img").bounding_box()
        assert box is not None

        def move(x: float, y: float) -> None:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

        move(0.4, 0.5)
        page.mouse.down()
        assert asked.wait(HANG_S)
        before = page.get_attribute("#stage img", "src")
        for step in range(1, 9):
            move(0.4 + 0.05 * step, 0.5 - 0.04 * step)
        page.wait_for_function("document.querySelector('.pane input[type=number]').value > 0.77")
        page.mouse.up()
        arrives.set()
        assert last.wait(HANG_S)
        page.wait_for_function("src => document.querySelector('#stage img').src !== src", arg=before)
        assert float(page.input_value(".pane input[type=number] >> nth=0")) > 0.77


def test_two_chips_are_both_written_into_the_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, arrives, extend = threading.Event(), threading.Event(), create_page.with_slot_value

    def slow_extend(prompt: str, value: str, vocabulary: Any) -> str:
        asked.set()
        arrives.wait()
        return extend(prompt, value, vocabulary)

    monkeypatch.setattr(create_page, "with_slot_value", slow_extend)
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    with served(tmp_path) as app, opened_page() as page, set_at_end(arrives):
        page.goto(f"{app.address}/create")
        page.wait_for_selector("#chips button")
        page.click("#chips button:text-is('grass')")
        assert asked.wait(HANG_S)
        page.click("#chips button:text-is('dim light')")
        arrives.set()
        page.wait_for_function(
            "(text => text.includes('grass') && text.includes('dim light'))"
            "(document.querySelector('#prompt textarea').value)"
        )
