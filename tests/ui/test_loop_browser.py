"""The whole loop as a person does it, in the browser, on the embedded model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from datasets import load_dataset

from pipeline.starter import field, subjects
from tests.ui.browser import LONG_MS, App, opened_page

pytestmark = pytest.mark.browser
KINDS = ("bolt", "gear", "nut")
PER_KIND = 3
PER_KIND_TEST = 5  # a study wants at least so many of each class


def write_parts(folder: Path, parts: Iterator, per_kind: int) -> Path:
    """class/*.png and masks/class/*.png of a few kinds."""
    taken = dict.fromkeys(KINDS, 0)
    for part in parts:
        if taken.get(part.label, per_kind) < per_kind:
            taken[part.label] += 1
            for target, pixels in (
                (folder / part.label, part.rgb[..., ::-1]),
                (folder / "masks" / part.label, part.mask),
            ):
                target.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(target / part.name), pixels)
        if min(taken.values()) == per_kind:
            break
    return folder


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    running = App(tmp_path)
    try:
        yield running
    finally:
        running.stop()


def test_a_person_goes_from_photographs_to_a_verdict(app: App, tmp_path: Path) -> None:
    photos = write_parts(tmp_path / "photos", subjects(), PER_KIND)
    test_photos = write_parts(tmp_path / "field", field(5 * PER_KIND_TEST), PER_KIND_TEST)
    with opened_page() as page:
        page.goto(app.address)
        page.wait_for_selector("#photos .empty")
        page.click("text=From another source")
        for source, split, added, count in ((photos, "train", 9, 9), (test_photos, "test", 15, 24)):
            page.fill("#source textarea, #source input", str(source))
            page.click(f"label:has-text('{split}'):not(:has-text('random'))")
            page.click("#import-path")
            page.wait_for_function(
                f"document.querySelectorAll('#photos .tile').length === {count}", timeout=LONG_MS
            )
            # the photos are shown before the import ends, and the next one may not begin before
            page.wait_for_selector(f"#import-said:has-text('{added} photos added.')", timeout=LONG_MS)
        page.click("#photos .tile >> nth=0")
        page.wait_for_selector(".mask h2:has-text('.png')")

        page.goto(f"{app.address}/create")
        page.wait_for_selector("#stage img")
        page.click("#chips button[data-pick='grass']")
        page.click("#create")
        page.wait_for_function("document.querySelectorAll('#variants .tile').length === 4", timeout=LONG_MS)
        page.click("#variants .tile >> nth=1")
        page.click("#keep")
        page.wait_for_selector("text=it is now on the Review page")

        page.goto(f"{app.address}/generate")
        page.wait_for_selector("#plan .figure")
        page.fill("#count textarea, #count input", "6")
        page.wait_for_selector("#plan .figure b:text-is('6')")
        page.click("#start-run")
        page.wait_for_selector("#run .run.done", timeout=LONG_MS)
        page.click("text=Review them")

        page.wait_for_selector(".review[data-sample]")
        page.keyboard.press("x")
        page.keyboard.press("u")
        for key in ("2", "a", "a", "a", "a", "a", "a"):
            page.keyboard.press(key)
        page.wait_for_selector("text=All reviewed")
        page.wait_for_function("document.querySelector('[data-part=saving]').textContent === 'all saved'")

        page.goto(f"{app.address}/publish")
        page.wait_for_selector("#release-preview .figure")
        assert page.inner_text("#release-preview .figure") == "24 photos and 6 accepted synthetic images"
        release = tmp_path / "releases" / "loop"
        page.fill("#folder textarea, #folder input", str(release))
        page.click("#publish")
        page.click("text=Train on it", timeout=LONG_MS)

        page.wait_for_function("document.querySelector('#release input')?.value")  # when it is loaded
        page.click("#arms label:has-text('Real + synthetic')")
        page.fill("#seeds input[type=number]", "1")
        page.click("button:has-text('Network')")
        page.fill("#steps textarea, #steps input", "20")
        page.click("#start-study")
        page.wait_for_selector(".verdict", timeout=LONG_MS)
        assert len(page.inner_text(".verdict p")) > 20
        page.wait_for_selector(".report iframe")
    mixed = load_dataset(str(release), "mixed")
    assert mixed["train"].num_rows == 9 + 6
    assert mixed["test"].num_rows == 15
    assert "Traceback" not in app.said()
