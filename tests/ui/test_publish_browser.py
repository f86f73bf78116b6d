"""The Publish page against a Hub: what would change, the push, and a second one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipeline.store import Library
from tests.hub.server import LoopbackHub
from tests.toy_library import decision, filled
from tests.ui.browser import HANG_S, App, opened_page, served, set_at_end
from ui.pages.publish.page import Publishing

pytestmark = pytest.mark.browser


def test_a_release_goes_to_the_hub_from_the_page(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        for sample_id in filled(library, samples=4):
            library.review.record(decision(sample_id))
    token = hub.account("ann")
    for name, value in hub.environment(token, tmp_path / "hf").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    app = App(tmp_path)
    try:
        with opened_page() as page:
            page.goto(f"{app.address}/publish")
            page.wait_for_selector("#release-preview .figure")
            page.click("#compare")
            page.wait_for_selector("#publish-said:has-text('would be written')")
            page.click("label:has-text('the Hugging Face Hub')")
            page.wait_for_selector("#publish-said .said", state="detached")
            page.fill("#hub-name textarea, #hub-name input", "ann/parts")
            page.keyboard.press("Enter")
            page.wait_for_selector("#card h1:has-text('parts')")
            page.click("#compare")
            page.wait_for_selector("#publish-said:has-text('would send')")
            assert "data/synthetic/train-" in page.inner_text("#publish-said table")
            assert hub.names() == []
            page.click("#publish")
            page.wait_for_selector("#publish-said:has-text('release 1 pushed to')")
            assert page.get_attribute("#publish-said a.go", "href") == f"{hub.address}/datasets/ann/parts"
            page.click("#publish")
            page.wait_for_selector("#publish-said:has-text('nothing changed')")
            page.fill("#hub-name textarea, #hub-name input", "")
            page.click("#publish")
            page.wait_for_selector("text=the name of the repository is empty; enter one such as")
            page.wait_for_selector("#publish-said .said, #publish-said .go", state="detached")
    finally:
        app.stop()
    assert hub.tags("ann/parts") == {"v1": hub.head("ann/parts")}
    assert len(hub.commits("ann/parts")) == 2
    assert token not in app.said()


def test_the_outcome_stays_though_the_preview_comes_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, arrives, preview = threading.Event(), threading.Event(), Publishing.preview
    is_gated = threading.Event()

    def slow_preview(publishing: Publishing, place: str, folder: str, name: str) -> tuple[str, str]:
        inside, card = preview(publishing, place, folder, name)
        if is_gated.is_set():
            asked.set()
            arrives.wait()
        return f'{inside}<p id="previewed">{Path(folder).name}</p>', card

    monkeypatch.setattr(Publishing, "preview", slow_preview)
    with Library.open(tmp_path / "library", create=True) as library:
        for sample_id in filled(library, samples=2):
            library.review.record(decision(sample_id))
    with served(tmp_path) as app, opened_page() as page, set_at_end(arrives):
        page.goto(f"{app.address}/publish")
        page.wait_for_selector("#release-preview .figure")
        is_gated.set()
        page.click("label:has-text('the Hugging Face Hub')")
        assert asked.wait(HANG_S)
        page.click("label:has-text('a folder')")
        page.fill("#folder textarea, #folder input", str(tmp_path / "typed"))
        page.click("#publish")
        page.wait_for_selector("#publish-said .said.good")
        arrives.set()
        page.wait_for_selector("#previewed:text-is('typed')")
        assert page.is_visible("#publish-said .said.good")
    assert (tmp_path / "typed" / "release.json").exists()
