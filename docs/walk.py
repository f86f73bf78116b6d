"""Walk through a running studio on the starter set as a person does, and print how long each part took.

    make studio                                  # in another terminal, with a new LIBRARY=folder
    .venv/bin/python docs/walk.py --url http://127.0.0.1:7860 --out runs/walk

Photos, create an image, generate 20, review, publish, train, with a screenshot of every page at the width of a
computer and of a phone. Stops with an error where a page shows one. Needs Chromium and playwright
(requirements-dev.txt).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shots import FLAGS, SETTLE_MS, SIZES  # the file beside this one

if TYPE_CHECKING:
    from playwright.sync_api import Page

_PATIENCE_MS = 300_000
_STARTER_PHOTOS = 220
_NEXT_SAMPLE = "before => document.querySelector('.review')?.dataset.sample !== before"
_SAVED = "!Object.keys(localStorage).some((key) => key.startsWith('backlot.decision'))"
_EMPTY = ".review [data-part=empty]"  # shown when no image is left to decide


def photos(page: Page) -> None:
    """Wait for the starter set."""
    page.wait_for_selector("#photos .tile")
    page.wait_for_function(f"/\\b{_STARTER_PHOTOS}\\b/.test(document.body.innerText)")


def create(page: Page) -> None:
    """Place one object on grass and keep a variant."""
    page.wait_for_selector("#stage img")
    page.click("#chips button[data-pick='grass']")
    page.click("#create")
    page.wait_for_function("document.querySelectorAll('#variants .tile').length === 4")
    page.click("#variants .tile >> nth=1")
    page.click("#keep")
    page.wait_for_selector("#keep:disabled")


def generate(page: Page) -> None:
    """Generate twenty images of the proposed recipe."""
    page.wait_for_selector("#plan .figure b")
    page.click("#start-run")
    page.wait_for_selector("#run .run.done")


def review(page: Page) -> None:
    """Accept most images, reject some; skip the first and decide it at the end."""
    page.wait_for_selector(".review[data-sample]")
    for key in "saaxaaaaxaaaaxaaaaxaa":
        before = page.get_attribute(".review", "data-sample")
        page.keyboard.press(key)
        page.wait_for_function(_NEXT_SAMPLE, arg=before)
    page.click(f"{_EMPTY} button")
    page.wait_for_selector(".review[data-sample]")
    page.keyboard.press("a")
    page.wait_for_selector(f"{_EMPTY} a[href*=publish]")
    page.wait_for_function(_SAVED)


def publish(page: Page) -> None:
    """Write the release into the proposed folder."""
    page.wait_for_selector("#release-preview .figure")
    page.click("#publish")
    page.wait_for_selector("main a.go[href*=train], .gradio-container a.go[href*=train]")


def train(page: Page) -> None:
    """Train each arm with one seed for 40 steps, and wait for the verdict."""
    page.wait_for_selector("#start-study")
    page.fill("#seeds input[type=number]", "1")
    page.click("button.label-wrap:has-text('Network')")
    page.fill("#steps textarea, #steps input", "40")
    page.click("#start-study")
    page.wait_for_selector("#stop-study")  # the page may still show the verdict of an earlier study
    page.wait_for_selector("#start-study")
    page.wait_for_selector(".verdict")


# page → what a person does there, in the order of the loop
WALK: dict[str, Callable[[Page], None]] = {
    "": photos,
    "create": create,
    "generate": generate,
    "review": review,
    "publish": publish,
    "train": train,
}


def resize(page: Page, size: tuple[int, int]) -> None:
    """Give the page a (width, height) and wait until it is laid out anew, seen from its top."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(SETTLE_MS)


def walk(address: str, out: Path) -> float:
    """Walk through all pages; return the seconds that the whole loop took."""
    from playwright.sync_api import sync_playwright

    started = time.monotonic()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        for path, act in WALK.items():
            resize(page, SIZES[""])
            page.goto(f"{address.rstrip('/')}/{path}", wait_until="domcontentloaded")
            act(page)
            print(f"{time.monotonic() - started:6.1f} s  {act.__name__} done", flush=True)
            for suffix, size in SIZES.items():
                resize(page, size)
                page.screenshot(path=out / f"{act.__name__}{suffix}.png", full_page=True)
            if page.locator(".toast-body.error").count():
                raise SystemExit(f"{act.__name__}: {page.inner_text('.toast-body.error')}")
        browser.close()
    return time.monotonic() - started


def main() -> int:
    """Read the options and walk."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:7860", help="of the studio (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("runs/walk"), help="folder of the screenshots")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"the whole loop took {walk(options.url, options.out):.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
