"""The app as a Space starts it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.store import Library
from tests.toy_library import filled
from tests.ui.browser import HANG_S, App, opened_page

pytestmark = pytest.mark.browser
SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "ann/backlot",
    "SPACE_AUTHOR_NAME": "ann",
    "OAUTH_CLIENT_ID": "client",
    "OAUTH_CLIENT_SECRET": "secret",
    "OAUTH_SCOPES": "openid profile contribute-repos",
    "OPENID_PROVIDER_URL": "http://127.0.0.1:9",  # nobody is there: nobody signs in
}

UNSAVED = "Object.keys(localStorage).filter((key) => key.startsWith('backlot.decision')).length"


def test_a_visitor_of_a_space_looks_and_is_asked_to_sign_in_whatever_name_the_browser_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        filled(library, samples=3)
    for name, value in SPACE.items():
        monkeypatch.setenv(name, value)
    app = App(tmp_path)
    try:
        with opened_page() as page:
            page.context.add_cookies([{"name": "backlot_reviewer", "value": "ann", "url": app.address}])
            page.goto(f"{app.address}/review")
            page.wait_for_selector(".review.is-reading[data-sample]")
            assert page.inner_text("[data-part=who]") == "visitor"
            page.wait_for_selector("#sign-in")
            assert page.is_hidden("[data-do=name]")
            assert "Sign in to decide" in page.inner_text("[data-part=saving]")
            page.keyboard.press("a")
            page.keyboard.press("g")
            page.wait_for_selector(".grid-tile")
            page.click(".grid-tile")
            page.keyboard.press("x")  # a decision would leave the selection at once and wait in the storage
            assert page.inner_text("[data-part=chosen]") == "1 selected"
            assert not page.evaluate(UNSAVED)
            assert "Sign in to decide" in page.inner_text("[data-part=said]")
    finally:
        app.stop()
    with Library.open(tmp_path / "library") as library:
        assert library.review.decisions() == []


def test_what_a_reviewer_decided_outlives_the_machine_and_its_disk(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        first, second, third = filled(library, samples=3)
    app = App(tmp_path, state=tmp_path / "state")
    try:
        with opened_page() as page:
            page.goto(f"{app.address}/review")
            page.wait_for_selector(f".review[data-sample='{first}']")
            page.keyboard.press("a")
            page.wait_for_selector(f".review[data-sample='{second}']")
            page.keyboard.press("x")
            page.wait_for_selector(f".review[data-sample='{third}']")
            page.wait_for_function("document.querySelector('[data-part=saving]').innerText === 'all saved'")
            page.goto("about:blank")  # when a server comes back, Gradio may load its page anew
            app.kill()
            with Library.open(tmp_path / "library") as library:
                before = library.review.decisions()
            shutil.rmtree(tmp_path / "library")
            app.start()
            page.goto(f"{app.address}/review")
            page.wait_for_selector(f".review[data-sample='{third}']")
        app._process.terminate()  # as a Space ends it
        assert app._process.wait(HANG_S) == 0
    finally:
        app.stop()
    assert "2 photos, 3 synthetic images and 2 decisions were restored from the state folder" in app.said()
    with Library.open(tmp_path / "library") as library:
        assert library.review.decisions() == before
        assert [library.samples.get(sample_id).review for sample_id in (first, second, third)] == [
            "accepted", "rejected", "pending",
        ]  # fmt: skip
        assert library.verify() == []
