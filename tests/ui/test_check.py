"""The check of outlines: what the pages say of photos that wait for it, and what it stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store import Library
from pipeline.studio import Studio
from tests.toy_library import add_subject
from tests.ui.browser import opened_page, served
from ui.app import build_app
from ui.components.unchecked import unchecked_html
from ui.pages.photos.check import CheckServer
from ui.pages.photos.starter_job import StarterJob


def test_photos_generate_and_create_say_which_photos_wait(studio: Studio) -> None:
    app = build_app(studio, StarterJob(studio))
    saying = {
        block_fn.page
        for block_fn in app.fns.values()
        if getattr(block_fn.fn, "__name__", "") == "unchecked" and ("load" in dict(block_fn.targets).values())
    }
    assert saying == {"", "create", "generate"}
    assert unchecked_html(studio.photos.unchecked()) == ""
    add_subject(studio.library, 1, doubts=("loose",))
    shown = unchecked_html(studio.photos.unchecked())
    assert "1 of 1 training photos is not used in plans" in shown
    assert 'href="./?check=1"' in shown


def test_an_outline_is_confirmed_or_its_photo_excluded(studio: Studio) -> None:
    first, second = (add_subject(studio.library, number, doubts=("loose",)) for number in (1, 2))
    server = CheckServer(studio)
    entries = server.photos_to_check(None)["photos"]
    assert [(entry["id"], entry["doubts"]) for entry in entries] == [
        (first.id, ["loose"]),
        (second.id, ["loose"]),
    ]
    assert server.checked([first.id, "confirm"]) == {"problem": ""}
    assert server.checked([second.id, "exclude"]) == {"problem": ""}
    assert studio.library.photos.get(first.id).usable
    assert studio.library.photos.get(second.id).excluded
    assert server.photos_to_check(None) == {"problem": "", "photos": []}


@pytest.mark.parametrize("question", [None, "x", ["x", "delete"], ["x", "confirm", 1], [1, "confirm"], {}])
def test_an_unreadable_answer_is_refused(studio: Studio, question: object) -> None:
    assert (
        CheckServer(studio).checked(question)["problem"].startswith("the answer to a check cannot be read;")
    )


@pytest.mark.browser
def test_flagged_photos_are_checked_by_keys_one_after_the_other(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        photos = [add_subject(library, number, doubts=("loose",)) for number in (1, 2, 3)]
    with served(tmp_path) as app, opened_page() as page:
        page.set_default_timeout(30_000)
        page.goto(app.address)
        page.click("text=Check the outlines")
        page.wait_for_selector(".check h2:has-text('bolt/1.png')")
        assert page.inner_text(".check .left") == "3 outlines to check"
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(".check h2:has-text('bolt/2.png')")
        page.keyboard.press("g")
        page.wait_for_selector(".check .on-green .cutout")
        page.keyboard.press("a")
        page.wait_for_selector(".check h2:has-text('bolt/3.png')")
        page.keyboard.press("x")
        page.wait_for_selector(".check .left:has-text('1 outline to check')")
        page.keyboard.press("e")
        page.wait_for_selector(".mask h2:has-text('bolt/1.png')")
        assert not page.is_visible(".check")
        page.go_back()
        page.wait_for_selector(".check h2:has-text('bolt/1.png')")
        page.keyboard.press("a")
        page.wait_for_selector("text=Every outline is checked")
        assert not page.is_visible(".check [data-part=views]")
        assert not page.is_visible(".check [data-act=confirm]")
        page.keyboard.press("Escape")
        page.wait_for_selector(".check", state="hidden")
        page.wait_for_selector("#photos .tile")
    with Library.open(tmp_path / "library") as library:
        states = [library.photos.get(photo.id) for photo in photos]
    assert [(photo.usable, photo.excluded) for photo in states] == [
        (True, False),
        (True, False),
        (False, True),
    ]
