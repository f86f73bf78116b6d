"""Photographs in the browser: a zip and loose pictures brought by hand, a mask mended by click and by box."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from pipeline.store import Library
from tests.ui.browser import LocalApp, opened_page, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
SIDE_PX = 160


def photograph(centre: tuple[int, int], *, rgb: tuple[int, int, int]) -> bytes:
    """PNG of a disc of one colour on grey paper."""
    picture = np.full((SIDE_PX, SIDE_PX, 3), 190, np.uint8)
    picture += np.random.default_rng(0).integers(0, 4, picture.shape, dtype=np.uint8)
    cv2.circle(picture, centre, 36, rgb[::-1], -1, cv2.LINE_AA)
    return cv2.imencode(".png", picture)[1].tobytes()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[LocalApp]:
    with served(tmp_path) as app:
        yield app


def brought(page: Page, app: LocalApp, *files: Path) -> None:
    """The files through the panel's file field."""
    page.goto(app.address)
    page.set_input_files("#import input[type=file]", [str(one) for one in files])
    page.wait_for_selector("#import .file-preview")


def test_a_zip_and_loose_pictures_are_brought_by_hand(app: LocalApp, tmp_path: Path) -> None:
    archive, loose = tmp_path / "parts.zip", tmp_path / "red.png"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("nut/a.png", photograph((70, 80), rgb=(40, 60, 150)))
        file.writestr("gear/b.png", photograph((90, 70), rgb=(30, 120, 40)))
        file.writestr("gear/broken.png", b"not a picture")
    loose.write_bytes(photograph((80, 80), rgb=(170, 40, 40)))
    with opened_page() as page:
        page.set_default_timeout(30_000)
        brought(page, app, archive)
        page.click("text=Import files")
        page.wait_for_function("document.querySelectorAll('#photos .tile').length === 2")
        page.wait_for_selector("#import-said p:has-text('broken.png')")
        brought(page, app, loose)
        page.click("text=Import files")
        page.wait_for_selector("text=name the class of these images")
        page.fill("#import input[type=text], #import textarea", "bolt")
        page.click("text=Import files")
        page.wait_for_function("document.querySelectorAll('#photos .tile').length === 3")
    with Library.open(tmp_path / "library") as library:
        assert library.counts().classes == {"bolt": 1, "gear": 1, "nut": 1}


def test_a_mask_is_mended_by_click_and_by_box_and_saved(app: LocalApp, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "nut"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(photograph((80, 80), rgb=(40, 60, 150)))
    masks = tmp_path / "photos" / "masks" / "nut"
    masks.mkdir(parents=True)
    wrong = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    wrong[74:86, 74:86] = 255  # a mask that misses most of the disc
    cv2.imwrite(str(masks / "a.png"), wrong)
    with opened_page() as page:
        page.set_default_timeout(30_000)
        page.goto(app.address)
        page.click("text=From another source")
        page.fill("#source textarea, #source input", str(tmp_path / "photos"))
        page.click("#import-path")
        page.click("#photos .tile >> nth=0")
        page.wait_for_selector("#closeup img")
        assert _area(tmp_path) < 200
        _changed(page, lambda: _click_at(page, 80, 50))
        page.click("#save-mask")
        page.wait_for_selector("text=The mask is saved.")
        after_click = _area(tmp_path)
        assert after_click > 2000
        page.click("#tool label:has-text('box')")
        page.wait_for_selector("text=Click two opposite corners")
        _changed(page, lambda: _click_at(page, 38, 38))
        _changed(page, lambda: _click_at(page, 122, 122))
        page.click("#save-mask")
        page.wait_for_selector("dd:has-text('by hand')")
        page.wait_for_function("document.querySelectorAll('#tool input:checked')[0].value === 'add'")
    assert abs(_area(tmp_path) - np.pi * 36**2) < 300


def _area(folder: Path) -> int:
    """Pixels of the one stored mask."""
    with Library.open(folder / "library") as library:
        (one,) = library.photos.list()
        assert one.cutout_id is not None
        return int((library.images.read(one.cutout_id)[..., 3] > 127).sum())


def _click_at(page: Page, x: int, y: int) -> None:
    """Click the close-up at a pixel of the photograph."""
    box = page.locator("#closeup img").bounding_box()
    assert box is not None
    shown = min(box["width"], box["height"])  # the square photograph, centred
    left, top = box["x"] + (box["width"] - shown) / 2, box["y"] + (box["height"] - shown) / 2
    page.mouse.click(left + (x + 0.5) * shown / SIDE_PX, top + (y + 0.5) * shown / SIDE_PX)


def _changed(page: Page, act) -> None:  # type: ignore[no-untyped-def]
    """Do something and wait until the close-up shows another picture."""
    before = page.get_attribute("#closeup img", "src")
    act()
    page.wait_for_function(
        "(before) => document.querySelector('#closeup img')?.src !== before"
        " && !document.querySelector('#closeup img')?.src.endsWith(before)",
        arg=before,
    )
