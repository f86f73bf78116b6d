"""Signing in as on a Space, by the real OAuth flow against a provider on this machine: what each role may do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.store import Library
from tests.hub.openid import CLIENT_SECRET, OpenIdProvider
from tests.hub.server import LoopbackHub
from tests.toy_library import decision, filled
from tests.ui.browser import App, opened_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
ALL_SAVED = "!Object.keys(localStorage).some((key) => key.startsWith('backlot.decision'))"
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
PUBLISHED = "#publish-said .said.good"


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as opened:
        yield opened


@pytest.fixture
def app(
    tmp_path: Path, provider: OpenIdProvider, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> Iterator[App]:
    """The app on ann's Space, where ben is a reviewer; a library with three undecided samples."""
    with Library.open(tmp_path / "site" / "library", create=True) as library:
        filled(library, samples=3)
    for name in ("ann", "ben"):
        provider.people[name] = hub.account(name, "contribute-repos")
    space = {"SYSTEM": "spaces", "SPACE_ID": "ann/backlot", "SPACE_AUTHOR_NAME": "ann"}
    for name, value in {
        **hub.environment(None, tmp_path / "home"),
        **provider.environment(),
        **space,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    running = App(tmp_path / "site", people="ann:lead, ben")
    try:
        yield running
    finally:
        running.stop()


class Visit:
    """A person before the browser, and every address that the browser went to."""

    def __init__(self, page: Page, app: App, provider: OpenIdProvider) -> None:
        self.page, self.app, self.provider = page, app, provider
        self.addresses: list[str] = []
        page.on("framenavigated", lambda frame: self.addresses.append(frame.url))
        page.on("request", lambda request: self.addresses.append(request.url))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.app.address}/{path}")
        self.page.wait_for_selector("#sign-in")

    def sign_in(self, name: str, path: str) -> None:
        """From a page back to the same page, signed in."""
        self.provider.who = name
        self.open(path)
        self.press_sign_in(path)
        self.page.wait_for_selector(f"#sign-in:has-text('Logout ({name})')")

    def sign_out(self, path: str) -> None:
        self.press_sign_in(path)
        self.page.wait_for_selector("#sign-in:has-text('Sign in with Hugging Face')")

    def press_sign_in(self, path: str) -> None:
        """Press the button, which leads to Hugging Face and back; or, signed in, to the way out and back."""
        with self.page.expect_navigation(url=f"{self.app.address}/{path}*"):
            self.page.click("#sign-in")

    def refused_to_publish(self, name: str) -> None:
        """The Publish page says that this person may not."""
        self.open("publish")
        hint = "Sign in to publish" if name == "visitor" else "Only leads may publish here"
        self.page.wait_for_selector(f"#publish-hint:has-text('{hint}')")
        assert not self.page.is_visible("#folder")
        self.page.click("#publish")
        self.page.wait_for_selector(f"text='{name}' may not publish here")


@pytest.fixture
def visit(app: App, provider: OpenIdProvider) -> Iterator[Visit]:
    with opened_page() as page:
        yield Visit(page, app, provider)


def decided(site: Path) -> list[tuple[str, str]]:
    """(reviewer, verdict) of every event."""
    with Library.open(site / "library") as library:
        return [(event.reviewer, str(event.verdict)) for event in library.review.decisions()]


def leaks(visit: Visit, stored: list[str], folders: list[Path]) -> list[str]:
    """Where a token or the client's secret was left: log, addresses, what the browser keeps, files below folders."""
    secrets = [*visit.provider.people.values(), CLIENT_SECRET]
    visit.app.stop()
    texts = {"the log": visit.app.said(), "an address": " ".join(visit.addresses), "the browser": str(stored)}
    found = [where for where, text in texts.items() if any(secret in text for secret in secrets)]
    for path in (one for folder in folders for one in folder.rglob("*") if one.is_file()):
        data = path.read_bytes()
        found += [str(path)] if any(secret.encode() in data for secret in secrets) else []
    return found


def test_a_visitor_looks_and_a_reviewer_decides_but_does_not_publish(visit: Visit, tmp_path: Path) -> None:
    page, site = visit.page, tmp_path / "site"
    visit.open("review")
    page.wait_for_selector(".review.is-reading[data-sample]")
    assert page.inner_text("[data-part=who]") == "visitor"
    page.keyboard.press("a")
    visit.refused_to_publish("visitor")
    assert decided(site) == []

    visit.sign_in("ben", "review")
    page.wait_for_selector(".review[data-sample]:not(.is-reading)")
    assert page.inner_text("[data-part=who]") == "ben"
    page.keyboard.press("a")
    page.keyboard.press("x")
    page.wait_for_function(ALL_SAVED)
    stored = [page.evaluate(STORED)]
    visit.refused_to_publish("ben")
    assert decided(site) == [("ben", "accept"), ("ben", "reject")]
    assert not (site / "releases").exists()

    visit.sign_out("publish")
    visit.refused_to_publish("visitor")
    visit.open("review")
    page.wait_for_selector(".review.is-reading[data-sample]")
    page.keyboard.press("a")
    assert page.evaluate(
        ALL_SAVED
    )  # a decision would be kept in the browser at once, whatever the server says
    stored.append(page.evaluate(STORED))
    assert len(decided(site)) == 2
    assert leaks(visit, stored, [tmp_path]) == []
    assert set(visit.provider.asked_scopes) == {"openid profile contribute-repos"}


def test_the_owner_publishes_to_a_folder_and_to_the_hub_with_the_token_of_the_sign_in(
    visit: Visit, hub: LoopbackHub, tmp_path: Path
) -> None:
    page, site = visit.page, tmp_path / "site"
    with Library.open(site / "library") as library:
        sample_id = library.queue.next_pending(limit=1)[0].id
        library.review.record(decision(sample_id))
    visit.sign_in("ann", "publish")
    page.wait_for_selector("#release-preview .figure")
    assert page.is_visible("#hub-name")  # on a Space the Hub comes first
    assert page.is_hidden("#publish-hint")
    page.click("label:has-text('a folder')")
    page.wait_for_selector("#folder")
    page.click("#publish")
    page.wait_for_selector(PUBLISHED)
    (release,) = (site / "releases").iterdir()
    facts = json.loads((release / "release.json").read_text())
    assert facts["counts"]["synthetic"]["train"] == 1

    page.click("text=the Hugging Face Hub")
    page.fill("#hub-name input, #hub-name textarea", "ann/parts")
    page.click("#publish")
    page.wait_for_selector(f"{PUBLISHED}:has-text('ann/parts')")
    assert "release.json" in hub.files("ann/parts")
    assert hub.repository("ann/parts").private
    stored = [page.evaluate(STORED)]
    visit.sign_out("publish")
    visit.refused_to_publish("visitor")
    assert leaks(visit, stored, [tmp_path]) == []


def test_a_name_that_is_on_no_list_looks_only(visit: Visit, tmp_path: Path) -> None:
    visit.sign_in("eve", "review")
    page = visit.page
    page.wait_for_selector(".review.is-reading[data-sample]")
    assert page.inner_text("[data-part=who]") == "eve"
    page.keyboard.press("a")
    visit.refused_to_publish("eve")
    assert decided(tmp_path / "site") == []


def test_a_sign_in_ends_when_it_runs_out(visit: Visit, provider: OpenIdProvider, tmp_path: Path) -> None:
    provider.valid_s = -1  # it has run out when it comes
    provider.who = "ann"
    visit.open("review")
    visit.press_sign_in("review")
    assert provider.asked_scopes
    visit.page.wait_for_selector(".review.is-reading[data-sample]")
    assert visit.page.inner_text("[data-part=who]") == "visitor"
    visit.refused_to_publish("visitor")
    assert not (tmp_path / "site" / "releases").exists()
