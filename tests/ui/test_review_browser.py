"""The review pane under a fast hand and a dying server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.domain.review import Policy, Verdict
from pipeline.services.review.decisions import DecisionService
from pipeline.services.review.queue import QueueService
from pipeline.services.review.similar import SimilarityService
from pipeline.store import Library
from tests.toy_embedder import add_plain_samples, use_grey_angles
from tests.toy_library import decision, filled
from tests.ui.browser import HANG_S, LONG_MS, WAIT_MS, App, LocalApp, opened_page, served, set_at_end

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
SAMPLES = 12
# Gradio may load the page anew when a server comes back, so the store is asked, not the sentence
ALL_SAVED = "!Object.keys(localStorage).some((key) => key.startsWith('backlot.decision'))"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[LocalApp]:
    fill(tmp_path)
    with served(tmp_path) as app:
        yield app


@pytest.fixture
def mortal_app(tmp_path: Path) -> Iterator[App]:
    """The app as a process that the test may kill."""
    fill(tmp_path)
    running = App(tmp_path)
    try:
        yield running
    finally:
        running.stop()


def fill(folder: Path) -> None:
    """Make a library of samples that wait for a decision."""
    with Library.open(folder / "library", create=True) as library:
        filled(library, samples=SAMPLES)


def verdicts(folder: Path) -> list[tuple[str, str]]:
    """(sample, verdict) of every stored event, in the order of the store."""
    with Library.open(folder / "library") as library:
        return [(event.sample_id, str(event.verdict)) for event in library.review.decisions()]


def test_keys_in_quick_succession_are_all_kept_in_order(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        shown = []
        for key in "axsa3uuax":
            shown.append(page.get_attribute(".review", "data-sample"))
            page.keyboard.press(key)
        page.wait_for_function(ALL_SAVED)
    first, second, third, fourth, fifth = shown[:5]
    assert verdicts(tmp_path) == [
        (first, "accept"),
        (second, "reject"),
        (third, "skip"),
        (fourth, "accept"),
        (fifth, "reject"),
        (fifth, "undo"),
        (fourth, "undo"),
        (fourth, "accept"),
        (fifth, "reject"),
    ]


def test_looking_again_waits_for_the_decisions_that_are_on_their_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        filled(library, samples=2)
        skipped, accepted = (row.id for row in library.queue.next_pending())
    saves, decide = threading.Event(), DecisionService.decide

    def slow_decide(service: DecisionService, sample_id: str, verdict: Verdict, **how: Any) -> str:
        saves.wait()
        return decide(service, sample_id, verdict, **how)

    monkeypatch.setattr(DecisionService, "decide", slow_decide)
    with served(tmp_path) as app, opened_page() as page, set_at_end(saves):
        page.goto(f"{app.address}/review")
        for sample_id, key in ((skipped, "s"), (accepted, "a")):
            page.wait_for_selector(f".review[data-sample='{sample_id}']")
            page.keyboard.press(key)
        page.click("text=Look again")
        page.wait_for_selector("text=Fetching images")
        saves.set()
        page.wait_for_selector(f".review[data-sample='{skipped}']")
        page.keyboard.press("a")
        page.wait_for_selector("text=All reviewed")
        page.wait_for_function(ALL_SAVED)
    assert verdicts(tmp_path) == [(skipped, "skip"), (accepted, "accept"), (skipped, "accept")]


def test_decisions_survive_a_server_that_dies(mortal_app: App, tmp_path: Path) -> None:
    app = mortal_app
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        app.kill()
        shown = []
        for key in "axa":
            shown.append(page.get_attribute(".review", "data-sample"))
            page.keyboard.press(key)
        page.wait_for_selector("text=3 not saved yet")
        app.start()
        page.wait_for_function(ALL_SAVED)
    assert verdicts(tmp_path) == list(zip(shown, ["accept", "reject", "accept"], strict=True))


def test_keys_are_left_alone_with_modifiers_and_while_help_is_open(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("Control+a")
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("a")
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]", state="detached")
        page.keyboard.press("s")
        page.wait_for_function(ALL_SAVED)
    assert [verdict for _, verdict in verdicts(tmp_path)] == ["skip"]


def test_the_photograph_the_zoom_and_a_flag_are_one_key_away(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        first = page.get_attribute(".review", "data-sample")
        page.keyboard.press("b")
        page.wait_for_selector(".review-frame .before")
        assert page.input_value(".review-compare") == "100"
        page.keyboard.press("b")
        assert page.input_value(".review-compare") == "0"
        page.keyboard.press("z")
        assert page.evaluate("document.querySelector('.review-frame').offsetWidth") == 24
        page.keyboard.press("f")
        page.keyboard.press("a")
        page.wait_for_function(ALL_SAVED)
        assert not page.locator(".review-frame .before").count()
    assert verdicts(tmp_path) == [(first, "flag"), (first, "accept")]


def test_another_try_comes_before_the_picture_that_it_was_asked_for(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        first = page.get_attribute(".review", "data-sample")
        page.keyboard.press("r")
        page.wait_for_function(
            "first => document.querySelector('.review').dataset.sample !== first", arg=first, timeout=LONG_MS
        )
        again = page.get_attribute(".review", "data-sample")
        page.keyboard.press("a")
        page.wait_for_function(
            "first => document.querySelector('.review').dataset.sample === first", arg=first
        )
        page.keyboard.press("x")
        page.wait_for_function(ALL_SAVED)
    assert verdicts(tmp_path) == [(again, "accept"), (first, "reject")]


def test_a_key_that_is_changed_stays_changed_and_gives_its_old_one_away(
    app: LocalApp, tmp_path: Path
) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("?")
        page.click("button[aria-label='change the key of accept']")
        page.keyboard.press("x")
        page.click("dialog button:has-text('Close')")
        page.reload()
        page.wait_for_selector(".review[data-sample]")
        assert page.get_attribute("[data-do='accept']", "aria-keyshortcuts") == "x"
        for key in "xa":
            page.keyboard.press(key)
        page.wait_for_function(ALL_SAVED)
    assert [verdict for _, verdict in verdicts(tmp_path)] == ["accept", "reject"]


def test_many_are_decided_in_one_go_in_the_grid_and_taken_back_with_one_undo(
    app: LocalApp, tmp_path: Path
) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review?view=grid&state=pending&order=queue")
        tiles = page.locator(".grid-tile")
        tiles.nth(SAMPLES - 1).wait_for()
        ids = [tile.get_attribute("data-id") for tile in tiles.all()]
        tiles.nth(1).click()
        tiles.nth(4).click(modifiers=["Shift"])
        assert page.inner_text(".grid-count") == "4 selected"
        page.keyboard.press("a")
        page.wait_for_function(f"document.querySelectorAll('.grid-tile').length === {SAMPLES - 4}")
        tiles.nth(0).click()
        page.keyboard.press("2")
        page.wait_for_function(ALL_SAVED)
        page.keyboard.press("u")
        page.keyboard.press("u")
        page.wait_for_function(f"document.querySelectorAll('.grid-tile').length === {SAMPLES}")
        page.select_option("[name=state]", "rejected")
        page.wait_for_selector("text=No image matches the filters.")
        assert "state=rejected" in page.url
        page.keyboard.press("g")
        page.wait_for_selector(".review-frame img")
        assert "view=grid" not in page.url
    block = ids[1:5]
    assert verdicts(tmp_path) == [
        *((one, "accept") for one in block),
        (ids[0], "reject"),
        (ids[0], "undo"),
        *((one, "undo") for one in block),
    ]


def test_a_name_is_kept_by_the_browser_and_goes_with_the_decisions(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        page.click("[data-do='name']")
        page.fill("dialog [name=reviewer]", "Ann Ö")
        page.keyboard.press("Enter")
        page.wait_for_selector(".review-who b:text-is('Ann Ö')")
        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("a")
        page.wait_for_function(ALL_SAVED)
    with Library.open(tmp_path / "library") as library:
        assert [(event.reviewer, str(event.verdict)) for event in library.review.decisions()] == [
            ("Ann Ö", "accept")
        ]


def test_a_refusal_in_the_grid_is_said_and_escape_leaves_the_name(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        first, *_ = filled(library, samples=3)
        library.review.set_policy(Policy(overlap=2))
        library.review.record(decision(first, reviewer="ann"))
        library.review.record(decision(first, Verdict.REJECT, reviewer="ben"))
    with served(tmp_path, people="me, lea:lead") as app, opened_page() as page:
        page.goto(f"{app.address}/review?view=grid&state=disputed")
        page.click(".grid-tile")
        page.keyboard.press("a")
        page.wait_for_selector(".grid .trouble:has-text('may not settle what others disagree on')")
        page.wait_for_selector(".grid-tile.disputed")
        page.keyboard.press("g")
        page.click("[data-do='name']")
        page.fill("dialog [name=reviewer]", "somebody else")
        page.keyboard.press("Escape")
        assert page.inner_text(".review-who b") == "me"
        assert not page.evaluate("document.cookie.includes('backlot_reviewer')")
    assert [verdict for _, verdict in verdicts(tmp_path)] == ["accept", "reject"]


def focused(page: Page) -> str:
    """What a person who uses keys alone stands on."""
    said = "document.activeElement.dataset.do || document.activeElement.dataset.id || document.activeElement.name"
    return str(page.evaluate(said))


def tab_to(page: Page, what: str) -> None:
    """Press Tab until something has the focus, and see that the focus is visible there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page) == what:
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(outline) != "none"
            return
    raise AssertionError(f"Tab does not reach {what}")


def test_a_session_by_keys_alone(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        for key in "a2xuuu":
            page.keyboard.press(key)
        tab_to(page, "skip")
        page.keyboard.press("Enter")
        page.wait_for_function(ALL_SAVED)
        page.keyboard.press("g")
        page.wait_for_function("document.activeElement.classList.contains('grid-tile')")
        ids = [tile.get_attribute("data-id") for tile in page.locator(".grid-tile").all()]
        for key in ("Space", "ArrowRight", "ArrowRight", "Space", "End", "Space"):
            page.keyboard.press(key)
        assert page.inner_text(".grid-count") == "3 selected"
        page.keyboard.press("3")
        page.wait_for_function(ALL_SAVED)
        page.keyboard.press("g")
        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("a")
        page.wait_for_function(ALL_SAVED)
    said = verdicts(tmp_path)
    assert [verdict for _, verdict in said] == [
        *("accept", "reject", "reject", "undo", "undo", "undo", "skip"), *["reject"] * 3, "accept"
    ]  # fmt: skip
    assert [one for one, _ in said[7:10]] == [ids[0], ids[2], ids[-1]]
    assert said[10][0] == ids[1]


def test_two_reviewers_disagree_and_a_lead_settles_it_on_the_page(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        first, second = filled(library, samples=2)
    keys = {"ann": "aa", "ben": "2a"}
    with served(tmp_path, people="ann, ben, lea:lead", overlap=2) as app, opened_page() as page:
        browser = page.context.browser
        assert browser is not None

        def sit_down(name: str) -> Page:
            context = browser.new_context()
            context.set_default_timeout(WAIT_MS)
            context.add_cookies([{"name": "backlot_reviewer", "value": name, "url": app.address}])
            return context.new_page()

        for name, pressed in keys.items():
            seat = sit_down(name)
            seat.goto(f"{app.address}/review")
            seat.wait_for_selector(f".review[data-sample='{first}']")
            assert seat.inner_text("[data-part=left]") == "2 left"
            assert "ann" not in seat.inner_text(".review-facts")  # blind
            for key in pressed:
                seat.keyboard.press(key)
            seat.wait_for_function(ALL_SAVED)
        lead = sit_down("lea")
        lead.goto(f"{app.address}/review?view=grid&state=disputed")
        lead.wait_for_selector(f".grid-tile.disputed[data-id='{first}']")
        title = lead.get_attribute(".grid-tile", "title")
        assert title is not None
        assert title.endswith("ann: accept\nben: reject seam")
        lead.keyboard.press("g")
        lead.wait_for_selector(f".review[data-sample='{first}']")
        lead.keyboard.press("a")
        lead.wait_for_function(ALL_SAVED)
    with Library.open(tmp_path / "library") as library:
        assert [library.samples.get(sample_id).review for sample_id in (first, second)] == [
            "accepted",
            "accepted",
        ]
        assert [event.via for event in library.review.decisions(first)] == ["key", "key", "settle"]
        assert library.verify() == []


def test_a_query_becomes_a_queue_that_others_open_and_decide_as_a_whole(
    app: LocalApp, tmp_path: Path
) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review?view=grid")
        page.wait_for_selector(".grid-tile")
        page.click("[data-do=filters]")
        page.select_option("[name=word]", "surface=gravel")
        page.select_option("[name=order]", "newest")
        page.wait_for_function(f"document.querySelectorAll('.grid-tile').length === {SAMPLES}")
        page.click("[data-do=save]")
        page.keyboard.type("rough")
        page.keyboard.press("Enter")
        page.wait_for_selector(".grid-actions :text('queue “rough” saved')")
        address = page.url
        page.click(".grid-more [data-do=clear]")
        page.wait_for_function("!location.search.includes('gravel')")
        page.reload()
        page.wait_for_selector(".grid-tile")
        page.select_option(".grid-head [name=queue]", "rough")
        page.wait_for_url(address)
        page.keyboard.press("Escape")
        page.click(".grid-head [data-do=grid]")
        page.wait_for_selector(".review-query b:text-is('newest, surface=gravel')")
        page.keyboard.press("g")
        page.wait_for_selector(".grid-tile")
        page.click(".grid-actions [data-do=others]")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog[open]", state="detached")
    assert verdicts(tmp_path) == []
    with Library.open(tmp_path / "library") as library:
        assert library.queue.saved() == {"rough": {"order": "newest", "word": "surface=gravel"}}


def test_another_reason_is_told_in_words_and_what_was_shown_is_kept(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review?label=bolt")
        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("9")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog[open]", state="detached")
        page.keyboard.press("m")
        page.keyboard.press("9")
        page.keyboard.type("a thumb in it")
        shown = page.get_attribute(".review", "data-sample")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "(before) => document.querySelector('.review').dataset.sample !== before", arg=shown
        )
        page.wait_for_function(ALL_SAVED)
    with Library.open(tmp_path / "library") as library:
        (only,) = library.review.decisions()
    assert (only.reason, only.comment) == ("other", "a thumb in it")
    assert only.shown == {"view": "one", "mask": True, "photo": 0, "zoom": False, "query": {"label": "bolt"}}


def test_a_queue_that_cannot_be_or_is_empty_says_so_and_leads_back(app: LocalApp, tmp_path: Path) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review?order=random")
        page.wait_for_selector(".review-stage :text('there is no order')")
        page.click("text=The whole queue")
        page.wait_for_selector(".review[data-sample]")
        page.goto(f"{app.address}/review?label=gear")
        page.wait_for_selector("text=Nothing is left in this queue")
        page.click("text=The whole queue")
        page.wait_for_selector(".review[data-sample]")
    assert verdicts(tmp_path) == []


def test_an_unreadable_and_a_refused_decision_do_not_block_the_others(app: LocalApp, tmp_path: Path) -> None:
    gone = {"client_id": "0-gone", "sample_id": "gone", "verdict": "accept", "via": "key"}
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("s")
        page.wait_for_function(ALL_SAVED)
        library = sha256(str((tmp_path / "library").absolute()).encode()).hexdigest()[:12]
        prefix = f"backlot.decision.{library}."
        stored = {prefix + "0-cut": '{"client_id": "0-cut", "sam', prefix + "0-gone": json.dumps(gone)}
        page.evaluate("stored => Object.assign(localStorage, stored)", stored)
        page.reload()
        page.wait_for_selector(".review-saving.trouble")
        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("a")
        page.wait_for_function(ALL_SAVED)
    assert [verdict for _, verdict in verdicts(tmp_path)] == ["skip", "accept"]


def test_the_grid_goes_on_after_a_request_that_failed(app: LocalApp) -> None:
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        page.route("**/component_server**", lambda route: route.abort())
        page.keyboard.press("g")
        page.wait_for_selector(
            ".grid-end >> text=The images could not be loaded."
        )  # it stays, unlike the line above
        page.unroute("**/component_server**")
        page.click(".grid-end button")
        page.locator(".grid-tile").nth(SAMPLES - 1).wait_for()
        assert page.inner_text(".grid-end") == f"{SAMPLES} images"


@pytest.fixture
def plain_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LocalApp, list[str]]]:
    """The app on six plain samples, of which 0, 1 and 5 look alike, and 2 and 4; with their ids."""
    use_grey_angles(monkeypatch)
    with Library.open(tmp_path / "library", create=True) as library:
        ids = add_plain_samples(library, 200, 205, 40, 120, 45, 202)
    with served(tmp_path) as app:
        yield app, ids


def test_near_duplicates_of_the_current_image_are_rejected_together_and_taken_back_with_one_undo(
    plain_app: tuple[LocalApp, list[str]], tmp_path: Path
) -> None:
    app, ids = plain_app
    with opened_page() as page:
        page.goto(f"{app.address}/review")
        page.wait_for_selector(f".review[data-sample='{ids[0]}']")
        page.keyboard.press("n")
        page.wait_for_selector("text=2 near-duplicates; the undecided ones are selected.")
        tiles = page.locator(".review-similar .grid-tile")
        assert [tile.get_attribute("data-id") for tile in tiles.all()] == [
            ids[number] for number in (0, 5, 1, 3, 4, 2)
        ]
        assert [tile.inner_text().strip() for tile in tiles.all()][:2] == ["this image", "100%"]
        assert tiles.nth(0).get_attribute("aria-pressed") == "false"
        page.keyboard.press("2")
        page.wait_for_selector(".review-similar", state="hidden")
        page.keyboard.press("a")
        page.wait_for_selector(f".review[data-sample='{ids[2]}']")
        page.keyboard.press("n")
        page.wait_for_selector("text=1 near-duplicate; the undecided ones are selected.")
        page.locator(f".review-similar [data-id='{ids[2]}']").click()
        assert page.inner_text("[data-part=similarchosen]") == "2 selected"
        page.keyboard.press("a")
        page.wait_for_selector(f".review[data-sample='{ids[3]}']")
        page.wait_for_function(ALL_SAVED)
        page.keyboard.press("u")
        page.wait_for_selector(f".review[data-sample='{ids[2]}']")
        page.wait_for_function(ALL_SAVED)
    light = [ids[5], ids[1]]
    dark = [ids[2], ids[4]]
    assert verdicts(tmp_path) == [
        *((sample_id, "reject") for sample_id in light),
        (ids[0], "accept"),
        *((sample_id, "accept") for sample_id in dark),
        *((sample_id, "undo") for sample_id in dark),
    ]


def test_groups_of_near_duplicates_are_shown_and_all_but_the_best_or_the_selected_are_rejected(
    plain_app: tuple[LocalApp, list[str]], tmp_path: Path
) -> None:
    app, ids = plain_app
    with opened_page() as page:
        page.goto(f"{app.address}/review?view=grid&state=pending&order=groups")
        page.wait_for_selector(".grid-actions :text('all images compared')")
        tiles = page.locator(".grid > .grid-tiles .grid-tile")
        page.wait_for_function("document.querySelectorAll('.grid-tile .best').length === 2")
        shown = [tile.get_attribute("data-id") for tile in tiles.all()]
        light, dark = [ids[5], ids[1], ids[0]], [ids[4], ids[2]]
        assert shown in (light + dark, dark + light)
        page.locator(f".grid-tile[data-id='{ids[0]}']").click()
        page.keyboard.press("o")
        page.wait_for_selector(".grid-actions :text('2 rejected')")
        page.wait_for_function("document.querySelectorAll('.grid > .grid-tiles .grid-tile').length === 2")
        page.keyboard.press("u")
        page.wait_for_selector(".grid-actions :text('2 taken back')")
        page.wait_for_function("document.querySelectorAll('.grid > .grid-tiles .grid-tile').length === 5")
        page.keyboard.press("o")
        page.click("dialog[open] button:has-text('Continue')")
        page.wait_for_selector(".grid-actions :text('3 rejected')")
        page.wait_for_selector("text=No image matches the filters.")
    with Library.open(tmp_path / "library") as library:
        states = [library.samples.get(sample_id).review for sample_id in ids]
        reasons = {event.reason for event in library.review.decisions() if event.verdict == Verdict.REJECT}
    assert states == ["rejected", "rejected", "rejected", "pending", "pending", "pending"]
    assert reasons == {"duplicate"}


def test_the_image_under_the_focus_of_the_grid_has_similar_ones_too(
    plain_app: tuple[LocalApp, list[str]],
) -> None:
    app, ids = plain_app
    with opened_page() as page:
        page.goto(f"{app.address}/review?view=grid&state=pending&order=plan")
        page.wait_for_selector(f".grid-tile[data-id='{ids[5]}']")
        page.keyboard.press("n")
        page.wait_for_selector(".grid-actions :text('Select an image first')")
        page.focus(f".grid-tile[data-id='{ids[3]}']")
        page.keyboard.press("n")
        page.wait_for_selector("text=No near-duplicate; the most similar images come first.")
        page.keyboard.press("x")  # nothing is selected
        page.keyboard.press("n")
        page.wait_for_selector(".review-similar", state="hidden")
        assert page.locator(".grid > .grid-tiles .grid-tile").count() == 6


def held(
    monkeypatch: pytest.MonkeyPatch, service: type, name: str
) -> tuple[threading.Event, threading.Event]:
    """Let a method of a service wait → an event that is set once it is called, and one that lets it go on."""
    asked, goes_on, method = threading.Event(), threading.Event(), getattr(service, name)

    def waiting(*values: Any, **named: Any) -> object:
        asked.set()
        goes_on.wait()
        return method(*values, **named)

    monkeypatch.setattr(service, name, waiting)
    return asked, goes_on


def test_all_that_match_are_those_that_were_counted_though_the_filter_changes_meanwhile(
    app: LocalApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, counted = held(monkeypatch, QueueService, "count")
    with opened_page() as page, set_at_end(counted):
        page.goto(f"{app.address}/review?view=grid&label=bolt")
        page.locator(".grid-tile").nth(SAMPLES - 1).wait_for()
        page.dispatch_event("[data-do=everything]", "click")
        page.keyboard.press("a")
        assert asked.wait(HANG_S)
        page.select_option("[name=state]", "rejected")
        page.wait_for_selector("text=No image matches the filters.")
        counted.set()
        page.wait_for_selector(f"dialog[open] h2:text-is('Accept {SAMPLES} images?')")
        assert "matches the filters (bolt)" in page.inner_text("dialog[open] p")
        page.click("dialog[open] button:has-text('Continue')")
        page.wait_for_selector(f".grid-actions :text('{SAMPLES} accepted')")
    assert [verdict for _, verdict in verdicts(tmp_path)] == ["accept"] * SAMPLES


def test_undo_waits_for_a_step_on_many_images_and_then_takes_that_one_back(
    app: LocalApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, decided = held(monkeypatch, DecisionService, "decide_all")
    with opened_page() as page, set_at_end(decided):
        page.goto(f"{app.address}/review?view=grid&state=pending&order=queue")
        page.locator(".grid-tile").nth(SAMPLES - 1).wait_for()
        first = page.get_attribute(".grid-tile", "data-id")
        page.click(".grid-tile")
        page.keyboard.press("x")
        page.dispatch_event("[data-do=everything]", "click")
        page.keyboard.press("a")
        page.click("dialog[open] button:has-text('Continue')")
        assert asked.wait(HANG_S)
        page.keyboard.press("u")
        page.wait_for_selector(".grid-actions .trouble:text('still under way')")
        decided.set()
        page.wait_for_selector(f".grid-actions :text('{SAMPLES - 1} accepted')")
        page.keyboard.press("u")
        page.wait_for_selector(f".grid-actions :text('{SAMPLES - 1} taken back')")
    others = ["accept"] * (SAMPLES - 1) + ["undo"] * (SAMPLES - 1)
    said = verdicts(tmp_path)
    assert said[0] == (first, "reject")
    assert [verdict for sample_id, verdict in said[1:] if sample_id != first] == others
    assert len(said) == 1 + len(others)


def test_no_decision_overtakes_the_undo_of_an_earlier_visit_s_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, undone = held(monkeypatch, DecisionService, "undo")
    with Library.open(tmp_path / "library", create=True) as library:
        first, second, _ = filled(library, samples=3)
        library.review.record(decision(first, reviewer="me"))
    with served(tmp_path) as app, opened_page() as page, set_at_end(undone):
        page.goto(f"{app.address}/review")
        page.wait_for_selector(f".review[data-sample='{second}']")
        page.keyboard.press("u")
        assert asked.wait(HANG_S)
        page.keyboard.press("a")
        page.wait_for_selector(".review-said .trouble:text('still being taken back')")
        assert page.get_attribute(".review", "data-sample") == second
        undone.set()
        page.wait_for_selector(f".review[data-sample='{first}']")
        page.keyboard.press("x")
        page.wait_for_function(ALL_SAVED)
    assert verdicts(tmp_path) == [(first, "accept"), (first, "undo"), (first, "reject")]


def test_the_grid_is_open_at_once_and_no_key_decides_on_the_image_behind_it(
    app: LocalApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, saves = held(monkeypatch, DecisionService, "decide")
    with opened_page() as page, set_at_end(saves):
        page.goto(f"{app.address}/review")
        page.wait_for_selector(".review[data-sample]")
        first = page.get_attribute(".review", "data-sample")
        page.keyboard.press("x")
        for _ in range(2):
            page.keyboard.press("g")
            page.wait_for_selector(".review.is-grid .grid-end:text-is('Fetching images …')")
            page.keyboard.press("a")
            page.keyboard.press("g")
            page.wait_for_selector(".review:not(.is-grid) .review-stage :text('Fetching images')")
        page.keyboard.press("g")
        saves.set()
        page.locator(".grid > .grid-tiles .grid-tile").nth(SAMPLES - 2).wait_for()
        assert not page.locator(f".grid-tile[data-id='{first}']").count()
        page.wait_for_function(ALL_SAVED)
    assert verdicts(tmp_path) == [(first, "reject")]


def test_an_image_that_was_rejected_a_moment_ago_is_not_accepted_with_its_near_duplicates(
    plain_app: tuple[LocalApp, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, ids = plain_app
    _, saves = held(monkeypatch, DecisionService, "decide")
    stored_at_search: list[int] = []
    similar = SimilarityService.similar

    def watched(service: SimilarityService, sample_id: str, *, limit: int) -> object:
        stored_at_search.append(len(verdicts(tmp_path)))
        return similar(service, sample_id, limit=limit)

    with opened_page() as page, set_at_end(saves):
        page.goto(f"{app.address}/review")
        page.wait_for_selector(f".review[data-sample='{ids[0]}']")
        page.keyboard.press("n")
        page.wait_for_selector("text=2 near-duplicates; the undecided ones are selected.")
        page.keyboard.press("n")
        monkeypatch.setattr(SimilarityService, "similar", watched)
        page.keyboard.press("x")
        page.wait_for_selector(f".review[data-sample='{ids[1]}']")
        page.keyboard.press("n")
        page.wait_for_selector("text=Searching …")
        page.keyboard.press("a")  # nothing is selected yet
        saves.set()
        page.wait_for_selector("text=2 near-duplicates; the undecided ones are selected.")
        tiles = page.locator(".review-similar .grid-tile[aria-pressed=true]")
        assert [tile.get_attribute("data-id") for tile in tiles.all()] == [ids[5]]
        page.keyboard.press("a")
        page.wait_for_selector(".review-similar", state="hidden")
        page.wait_for_function(ALL_SAVED)
    assert stored_at_search == [1]
    assert verdicts(tmp_path) == [(ids[0], "reject"), (ids[5], "accept")]
