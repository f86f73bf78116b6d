"""Create in the browser: what is kept is the variant that was picked, and a kept one says so."""

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
