"""The check of outlines: what the pages say of photos that wait for it, and what it stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store import Library
from pipeline.studio import Studio
from tests.toy_library import add_several, add_subject
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


@pytest.mark.parametrize(
    "question",
    [
        None,
        "x",
        ["x", "delete"],
        ["x", "confirm", 1],
        [1, "confirm"],
        {},
        ["x", "object"],
        ["x", "object", "1"],
        ["x", "all", 1],
    ],
)
def test_an_unreadable_answer_is_refused(studio: Studio, question: object) -> None:
    assert (
        CheckServer(studio).checked(question)["problem"].startswith("the answer to a check cannot be read;")
    )


def test_the_objects_of_a_photo_are_drawn_where_there_are_several(studio: Studio) -> None:
    several, single = add_several(studio.library), add_subject(studio.library, 1)
    server = CheckServer(studio)
    answer = server.objects_in(several.id)
    assert (answer["problem"], answer["width"], answer["height"]) == ("", 200, 100)
    first, second = answer["objects"]
    assert (first["number"], first["x"], first["y"]) == (1, 40, 40)
    assert (second["number"], second["x"], second["y"]) == (2, 150, 50)
    assert second["path"] == "M130 30L130 69L169 69L169 30Z"
    assert server.objects_in(single.id)["objects"] == []


@pytest.mark.parametrize("question", [None, 3, ["x"], "nobody"])
def test_objects_of_a_photo_that_is_not_there_are_refused(studio: Studio, question: object) -> None:
    assert CheckServer(studio).objects_in(question)["problem"] != ""


def test_one_object_is_kept_or_each_becomes_a_photo(studio: Studio) -> None:
    server, photos = CheckServer(studio), studio.library.photos
    photo = add_several(studio.library)
    assert server.checked([photo.id, "object", 3])["problem"].startswith("bolt/several.png has no object 3;")
    assert photos.get(photo.id) == photo
    assert server.checked([photo.id, "all"]) == {"problem": ""}
    assert [each.name for each in photos.list(usable=True)] == ["bolt/several.png#1", "bolt/several.png#2"]
    photos.set_excluded(photo.id, False)
    assert server.checked([photo.id, "object", 2]) == {"problem": ""}
    assert photos.get(photo.id).box == (130, 30, 170, 70)


@pytest.mark.browser
def test_flagged_photos_are_checked_by_keys_one_after_the_other(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        photos = [add_subject(library, number, doubts=("loose",)) for number in (1, 2, 3)]
    with served(tmp_path) as app, opened_page() as page:
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


@pytest.mark.browser
def test_of_several_objects_one_is_chosen_by_its_number(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        photo = add_several(library)
        add_subject(library, 1, doubts=("loose",))
    with served(tmp_path) as app, opened_page() as page:
        page.goto(f"{app.address}/?check=1")
        page.wait_for_selector(".check h2:has-text('bolt/several.png')")
        page.wait_for_selector(".check [data-act=object-2]")
        choices = page.locator(".check [data-part=objects] button").all_inner_texts()
        assert choices == ["Object 11", "Object 22", "All0"]  # each with its key
        assert page.locator(".check [data-part=outlines] path").count() == 2
        page.set_viewport_size({"width": 390, "height": 844})
        panel, choice = (
            page.locator(f".check {name}").bounding_box() for name in ("[data-part=acts]", "[data-act=all]")
        )
        assert panel is not None
        assert choice is not None
        assert choice["x"] + choice["width"] <= panel["x"] + panel["width"] + 1
        page.keyboard.press("3")
        page.keyboard.press("2")
        page.wait_for_selector(".check h2:has-text('bolt/1.png')")
        assert not page.is_visible(".check [data-part=objects]")
        assert not page.is_visible(".check [data-part=outlines]")
        page.keyboard.press("0")
        page.keyboard.press("a")
        page.wait_for_selector("text=Every outline is checked")
    with Library.open(tmp_path / "library") as library:
        assert library.photos.get(photo.id).box == (130, 30, 170, 70)
        assert library.counts().subjects == 2


@pytest.mark.browser
def test_all_objects_of_a_photo_are_used_by_a_click(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        add_several(library)
    with served(tmp_path) as app, opened_page() as page:
        page.goto(f"{app.address}/?check=1")
        assert not page.is_visible("text=Go on to Generate")
        page.click(".check [data-act=all]")
        page.wait_for_selector("text=Every outline is checked")
        page.click("text=Go on to Generate")
        page.wait_for_url("**/generate")
    with Library.open(tmp_path / "library") as library:
        assert [photo.name for photo in library.photos.list(usable=True)] == [
            "bolt/several.png#1",
            "bolt/several.png#2",
        ]
