"""Photos in the browser: files brought by hand, and the outline of a photo edited on the canvas."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from pipeline.store import Library, NewPhoto
from tests.ui.browser import LocalApp, opened_page, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
SIDE_PX = 160
DISC = np.pi * 36**2  # pixels of the object


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
    page.set_input_files("#import-files input[type=file]", [str(one) for one in files])
    page.wait_for_selector("#import-files .file-preview")


def test_a_zip_and_loose_pictures_are_brought_by_hand(app: LocalApp, tmp_path: Path) -> None:
    archive, loose = tmp_path / "parts.zip", tmp_path / "red.png"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("nut/a.png", photograph((70, 80), rgb=(40, 60, 150)))
        file.writestr("gear/b.png", photograph((90, 70), rgb=(30, 120, 40)))
        file.writestr("gear/broken.png", b"not a picture")
    loose.write_bytes(photograph((80, 80), rgb=(170, 40, 40)))
    with opened_page() as page:
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
        page.wait_for_selector("#import-said:has-text('1 photo added.')")
    with Library.open(tmp_path / "library") as library:
        assert library.counts().classes == {"bolt": 1, "gear": 1, "nut": 1}


@pytest.mark.parametrize("width", [1280, 390])
def test_an_outline_is_edited_with_every_tool_and_saved(app: LocalApp, tmp_path: Path, width: int) -> None:
    photo_id = _photo_with_a_wrong_mask(tmp_path)
    with opened_page(width, 844) as page:
        page.goto(f"{app.address}/?photo={photo_id}")
        canvas = _Canvas(page)
        canvas.wait_for_area(144)
        assert page.is_disabled(".mask [data-act=save]")
        page.keyboard.press("s")
        page.wait_for_selector("text=Nothing has changed.")

        canvas.drag((30, 20), (60, 20))  # the brush
        brushed = canvas.area()
        assert brushed > 144
        page.keyboard.press("x")
        canvas.drag((20, 20), (70, 20))
        assert canvas.area() < brushed
        for action, area in (("Control+z", brushed), ("Control+z", 144), ("Control+Shift+z", brushed)):
            page.keyboard.press(action)
            canvas.wait_for_area(area)
        page.click(".mask [data-act=clear]")
        canvas.wait_for_area(0)

        page.keyboard.press("2")  # a click, to add
        page.keyboard.press("x")
        canvas.click((80, 60))
        canvas.wait_for_area(DISC, within=300)
        page.keyboard.press("x")
        canvas.click((80, 60))
        canvas.wait_for_area(0, within=300)

        page.keyboard.press("3")  # a box around the object
        page.keyboard.press("x")
        canvas.drag((30, 30), (130, 130))
        canvas.wait_for_area(DISC, within=300)
        page.click(".mask [data-act=save]")
        page.wait_for_selector("text=The outline is saved.")
        assert abs(_area(tmp_path) - DISC) < 300
        assert page.is_disabled(".mask [data-act=save]")

        page.click(".mask [data-act=clear]")
        canvas.wait_for_area(0)
        page.click(".mask [data-act=automatic]")
        canvas.wait_for_area(DISC, within=300)


def test_the_canvas_zooms_and_moves_by_wheel_keys_and_two_fingers(app: LocalApp, tmp_path: Path) -> None:
    photo_id = _photo_with_a_wrong_mask(tmp_path)
    with opened_page(390, 844) as page:
        page.goto(f"{app.address}/?photo={photo_id}")
        canvas = _Canvas(page)
        canvas.wait_for_area(144)
        fitted = canvas.view()
        pointed = canvas.on_screen((100, 60))
        page.mouse.move(*pointed)
        page.mouse.wheel(0, -300)
        canvas.wait_for_view(f"scale > {1.5 * fitted[0]}")
        assert np.allclose(canvas.on_screen((100, 60)), pointed, atol=1)
        page.keyboard.press("0")
        canvas.wait_for_view(f"Math.abs(scale - {fitted[0]}) < 1e-6")

        touch = page.context.new_cdp_session(page)
        touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
        x, y = canvas.on_screen((80, 80))
        for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 60), ("touchEnd", 0)):
            points = [{"x": x + side * apart, "y": y, "id": number} for number, side in enumerate((-1, 1))]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if apart else []})
        canvas.wait_for_view(f"scale > {2 * fitted[0]}")
        canvas.wait_for_area(144)  # nothing was painted by the way
        zoomed = canvas.view()
        for kind, place in (("touchStart", x), ("touchMove", x + 20), ("touchMove", x + 40), ("touchEnd", 0)):
            points = [{"x": place, "y": y, "id": 0}] if place else []
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        canvas.wait_for_more_area_than(144)  # one finger paints
        assert canvas.view() == zoomed


def test_an_open_photo_is_in_the_address_and_keeps_what_was_drawn(app: LocalApp, tmp_path: Path) -> None:
    photo_id = _photo_with_a_wrong_mask(tmp_path)
    other_id = _photo_with_a_wrong_mask(tmp_path, (60, 60))
    with opened_page() as page:
        page.goto(app.address)
        page.click(f"#photos .tile[data-id='{photo_id}'] .open")
        canvas = _Canvas(page)
        canvas.wait_for_area(144)
        assert f"photo={photo_id}" in page.url
        canvas.drag((30, 20), (60, 20))
        painted = canvas.area()
        page.keyboard.press("ArrowRight")
        canvas.wait_for_area(144)
        assert f"photo={other_id}" in page.url
        page.keyboard.press("ArrowLeft")
        canvas.wait_for_area(painted)
        page.keyboard.press("e")
        page.wait_for_selector("text=excluded from plans and releases")
        page.keyboard.press("Escape")
        page.wait_for_selector(".mask", state="hidden")
        page.wait_for_selector("#photos .tile")
        assert "photo=" not in page.url
        page.go_back()
        page.wait_for_selector(".mask", state="visible")
        page.goto(f"{app.address}/?photo=gone")
        page.wait_for_selector(".mask .bad:has-text('gone')")
    with Library.open(tmp_path / "library") as library:
        assert library.photos.get(photo_id).excluded
        assert not library.photos.get(other_id).excluded


class _Canvas:
    """The canvas of the page, in pixels of the photo."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def area(self) -> float:
        """Pixels of the object, as the panel says it in percent of the photo."""
        shown = self.page.evaluate(f"parseFloat({_SHARE})")
        return round(float(shown) / 100 * SIDE_PX**2)

    def wait_for_area(self, pixels: float, *, within: float = 14.0) -> None:
        """Wait until the object has so many pixels; the panel rounds to 13."""
        self.page.wait_for_function(
            f"([pixels, within]) => Math.abs(parseFloat({_SHARE}) / 100 * {SIDE_PX**2} - pixels) <= within",
            arg=[pixels, within],
        )

    def wait_for_more_area_than(self, pixels: float) -> None:
        """Wait until the object is larger."""
        self.page.wait_for_function(f"parseFloat({_SHARE}) / 100 * {SIDE_PX**2} > {pixels + 14}")

    def view(self) -> tuple[float, float, float]:
        """The scale, and where the corner of the photo lies on the canvas."""
        self.page.wait_for_selector(".mask canvas[data-view]")
        scale, x, y = (self.page.get_attribute(".mask canvas", "data-view") or "").split()
        return float(scale), float(x), float(y)

    def wait_for_view(self, condition: str) -> None:
        """Wait until a condition on `scale` holds."""
        self.page.wait_for_function(
            "(() => { const [scale] = document.querySelector('.mask canvas').dataset.view.split(' ').map(Number);"
            f" return {condition}; }})()"
        )

    def on_screen(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where the middle of a pixel is on the page."""
        frame = self.page.locator(".mask canvas").bounding_box()
        assert frame is not None
        scale, x, y = self.view()
        return frame["x"] + x + (point[0] + 0.5) * scale, frame["y"] + y + (point[1] + 0.5) * scale

    def click(self, point: tuple[float, float]) -> None:
        """Click a pixel."""
        self.page.mouse.click(*self.on_screen(point))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at a pixel, move to another one and release."""
        before = self.page.evaluate(f"{_SHARE}")
        self.page.mouse.move(*self.on_screen(start))
        self.page.mouse.down()
        self.page.mouse.move(*self.on_screen(end), steps=4)
        self.page.mouse.up()
        self.page.wait_for_function(f"(before) => {_SHARE} !== before", arg=before)


_SHARE = (
    "(document.querySelector('.mask [data-part=facts]')?.textContent.match(/([\\d.]+) % object/) ?? [])[1]"
)


def _photo_with_a_wrong_mask(folder: Path, centre: tuple[int, int] = (80, 80)) -> str:
    """Store a photo whose mask is a square of 12 px, 144 of 25,600 pixels; return its id."""
    rgb = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(photograph(centre, rgb=(40, 60, 150)), np.uint8), cv2.IMREAD_COLOR),
        cv2.COLOR_BGR2RGB,
    )
    alpha = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    alpha[74:86, 74:86] = 255
    with Library.open(folder / "library", create=True) as library:
        image_id = library.images.put(rgb)
        library.photos.add(
            NewPhoto(
                id=image_id,
                label="nut",
                name=f"nut/{centre[0]}.png",
                source="toy",
                split="train",
                image_id=image_id,
                height=SIDE_PX,
                width=SIDE_PX,
                cutout_id=library.images.put(np.dstack([rgb, alpha])),
                mask_score=0.9,
                mask_doubts=(),
                mask_origin="given",
                box=(74, 74, 86, 86),
            )
        )
    return image_id


def _area(folder: Path) -> int:
    """Pixels of the one stored mask."""
    with Library.open(folder / "library") as library:
        (photo,) = library.photos.list()
        assert photo.cutout_id is not None
        return int((library.images.read(photo.cutout_id)[..., 3] > 127).sum())
