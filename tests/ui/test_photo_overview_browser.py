"""The overview of the photos in the browser: filters in the address, changes of many photos, the demo set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.store import Library
from tests.toy_library import add_subject, render, spec
from tests.ui.browser import opened_page, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
TILES = "#photos .tile"
BAR = "#photos .photos-bar"


def filled_library(folder: Path, *, bolts: int = 5, gears: int = 2, source: str = "toy") -> None:
    """Training photos of bolts, and test photos of gears."""
    with Library.open(folder / "library", create=True) as library:
        for number in range(bolts + gears):
            label, split = ("bolt", "train") if number < bolts else ("gear", "test")
            add_subject(library, number, label=label, split=split, source=source)


def shown(page: Page, number: int) -> None:
    """Wait until so many tiles are shown."""
    page.wait_for_function(f"document.querySelectorAll('{TILES}').length === {number}")


def selected(page: Page, words: str) -> None:
    """Wait until the bar counts the selected photos."""
    page.wait_for_selector(f"{BAR} [data-part=count]:text-is('{words}')")


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_filters_and_pages_are_in_the_address_and_back_undoes_them(tmp_path: Path) -> None:
    filled_library(tmp_path, bolts=61)
    with served(tmp_path) as app, opened_page() as page:
        page.goto(app.address)
        shown(page, 60)
        assert page.inner_text("#photos [data-part=range]") == "1–60 of 63"
        page.click("#photos [data-act=next]")
        shown(page, 3)
        assert query(page) == {"page": ["2"]}
        page.select_option("#photos select[name=label]", "bolt")
        shown(page, 60)
        assert query(page) == {"class": ["bolt"]}
        page.click("#photos [data-field=split][data-value=test]")
        page.wait_for_selector("text=No photos match")
        assert query(page) == {"class": ["bolt"], "split": ["test"]}
        page.go_back()
        shown(page, 60)
        page.go_back()
        shown(page, 3)
        page.go_forward()
        shown(page, 60)
        assert page.input_value("#photos select[name=label]") == "bolt"
        page.goto(f"{app.address}/?split=test&class=gear")
        shown(page, 2)
        assert page.get_attribute("#photos [data-field=split][data-value=test]", "aria-pressed") == "true"


def test_a_photo_opens_in_the_address_and_closes_to_the_same_filters(tmp_path: Path) -> None:
    filled_library(tmp_path)
    with served(tmp_path) as app, opened_page() as page:
        page.goto(f"{app.address}/?class=bolt")
        shown(page, 5)
        page.click(f"{TILES} >> nth=1")
        page.wait_for_selector(".mask canvas[data-view]")
        assert set(query(page)) == {"class", "photo"}
        assert not page.is_visible(TILES)
        page.go_back()
        page.wait_for_selector(TILES)
        assert query(page) == {"class": ["bolt"]}
        page.go_forward()
        page.wait_for_selector(".mask canvas[data-view]")
        page.click(".mask [data-act=close]")
        page.wait_for_selector(TILES)
        assert query(page) == {"class": ["bolt"]}


def test_a_range_is_excluded_included_relabelled_and_deleted(tmp_path: Path) -> None:
    filled_library(tmp_path, gears=0)
    with Library.open(tmp_path / "library") as library:
        photo = library.photos.list()[1]
        planned = spec(photo, seed=1)
        library.plans.add("toy", "name: toy", [planned])
        render(library, planned)
    with served(tmp_path) as app, opened_page() as page:
        page.goto(app.address)
        shown(page, 5)
        page.click(f"{TILES} >> nth=0", modifiers=["Control"])
        page.click(f"{TILES} >> nth=2", modifiers=["Shift"])
        selected(page, "3 photos selected")
        page.click(f"{BAR} [data-act=exclude]")
        page.wait_for_selector(f"{BAR} :text('3 photos excluded from plans and releases.')")
        page.wait_for_function(f"document.querySelectorAll('{TILES}.muted').length === 3")
        page.click(f"{BAR} [data-act=include]")
        page.wait_for_selector(f"{BAR} :text('3 photos included again.')")
        page.wait_for_function(f"document.querySelectorAll('{TILES}.muted').length === 0")
        page.click(f"{BAR} [data-act=class]")
        page.fill(f"{BAR} input[name=class]", "hex nut")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"{BAR} :text('3 photos moved to class hex nut.')")
        page.click(f"{BAR} [data-act=split]")
        page.click(f"{BAR} [data-split=test]")
        page.wait_for_selector(f"{BAR} :text('1 photo has 1 synthetic image, which would leak')")
        page.click(f"{BAR} [data-part=split-form] [data-act=cancel]")
        page.click(f"{BAR} [data-act=delete]")
        page.wait_for_selector(
            f"{BAR} :text('Delete 3 photos? This cannot be undone. 1 synthetic image that')"
        )
        page.click(f"{BAR} [data-act=delete-now]")
        page.wait_for_selector(f"{BAR} :text('3 photos deleted.')")
        shown(page, 2)
        assert page.inner_text("#photos select[name=label] >> css=option >> nth=1") == "bolt (2)"
    with Library.open(tmp_path / "library") as library:
        assert library.counts().classes == {"bolt": 2}
        assert library.counts().excluded == 0
        assert library.verify() == []


def test_photos_are_selected_by_key_on_all_pages_and_cleared(tmp_path: Path) -> None:
    filled_library(tmp_path, bolts=62, gears=0)
    with served(tmp_path) as app, opened_page() as page:
        page.goto(app.address)
        shown(page, 60)
        page.focus(f"{TILES} .open[tabindex='0']")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        selected(page, "1 photo selected")
        page.keyboard.press("End")
        page.keyboard.press("Shift+Space")
        selected(page, "59 photos selected")
        page.keyboard.press("Control+a")
        selected(page, "62 photos selected")
        page.click("#photos [data-act=next]")
        shown(page, 2)
        page.wait_for_function(f"document.querySelectorAll('{TILES}.chosen input:checked').length === 2")
        page.click(f"{TILES} >> nth=0 >> css=.pick", force=True)
        selected(page, "61 photos selected")
        page.keyboard.press("Escape")
        page.wait_for_selector(BAR, state="hidden")
        page.focus(f"{TILES} .open[tabindex='0']")
        page.keyboard.press("Enter")
        page.wait_for_selector(".mask canvas[data-view]")


def test_a_finger_selects_by_a_long_press_or_the_button(tmp_path: Path) -> None:
    filled_library(tmp_path)
    with served(tmp_path) as app, opened_page(width=390) as page:
        page.goto(app.address)
        shown(page, 7)
        page.dispatch_event(f"{TILES} >> nth=0 >> css=.open", "pointerdown", {"pointerType": "touch"})
        selected(page, "1 photo selected")
        page.dispatch_event(f"{TILES} >> nth=0 >> css=.open", "pointerup", {"pointerType": "touch"})
        page.dispatch_event(
            f"{TILES} >> nth=0 >> css=.open", "click"
        )  # the end of the press selects nothing more
        page.click(f"{TILES} >> nth=1")
        selected(page, "2 photos selected")
        page.click(f"{BAR} [data-act=clear]")
        page.wait_for_selector(BAR, state="hidden")
        page.click("#photos [data-act=select]")
        page.click(f"{TILES} >> nth=3")
        selected(page, "1 photo selected")
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_demo_set_is_removed_after_one_question(tmp_path: Path) -> None:
    filled_library(tmp_path, source="starter")
    with served(tmp_path) as app, opened_page() as page:
        page.goto(app.address)
        page.wait_for_selector("text=This is a demo set of rendered parts.")
        page.click("text=Use my photos")
        page.wait_for_selector("#import.called")
        page.click("text=Remove the demo set")
        page.click("text=Keep it")
        page.click("text=Remove the demo set")
        page.click("text=Delete 7 photos")
        page.wait_for_selector("text=No photos yet")
        page.wait_for_selector("text=This is a demo set", state="hidden")
    with Library.open(tmp_path / "library") as library:
        assert library.photos.list() == []
        add_subject(library, 1)
        add_subject(library, 2, source="starter")
    with served(tmp_path) as app, opened_page() as page:
        page.goto(app.address)
        page.wait_for_selector("text=1 photo of the demo set is beside your own.")
        assert not page.is_visible("text=Use my photos")
