"""Take screenshots of every page of a running studio, for the README and for review.

    make studio                                  # in another terminal; wait until the starter set is there
    .venv/bin/python docs/shots.py --url http://127.0.0.1:7860 --out docs/screenshots

Needs Chromium and playwright (requirements-dev.txt).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
SIZES = {"": (1280, 800), "-phone": (390, 844)}  # file suffix → (width, height) in pixels
SETTLE_MS = 900  # for transitions and images
_PATIENCE_MS = 120_000


def closeup(page: Page) -> None:
    """Open the first photo."""
    page.click("#photos .tile >> nth=0")
    page.wait_for_selector(".mask canvas[data-view]")


def generated(page: Page) -> None:
    """Generate four variants of the chosen object."""
    page.click("#create")
    page.wait_for_selector("#variants .tile", timeout=_PATIENCE_MS)


def with_mask(page: Page) -> None:
    """Show the mask of the object."""
    page.keyboard.press("m")


# name → page, selector to wait for, action before the screenshot
SHOTS: dict[str, tuple[str, str, Callable[[Page], None] | None]] = {
    "photos": ("", "#photos .tile", None),
    "photos-mask": ("", "#photos .tile", closeup),
    "create": ("create", "#stage img", generated),
    "generate": ("generate", "#plan .figure", None),
    "review": ("review", ".review", None),
    "review-mask": ("review", ".review", with_mask),
    "publish": ("publish", "#release-preview .figure", None),
    "train": ("train", "#study", None),
}


def take_screenshots(address: str, out: Path, *, scheme: str, names: list[str]) -> list[Path]:
    """Write a PNG for each named shot and size; return the files."""
    from playwright.sync_api import sync_playwright

    written = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for suffix, (width, height) in SIZES.items():
            size = {"width": width, "height": height}
            page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
            for name in names:
                path, selector, act = SHOTS[name]
                page.goto(f"{address.rstrip('/')}/{path}", wait_until="domcontentloaded")
                page.wait_for_selector(selector)
                page.wait_for_timeout(SETTLE_MS)
                if act:
                    act(page)
                    page.mouse.move(0, 0)  # off the button, which would be drawn as hovered
                    page.wait_for_timeout(SETTLE_MS)
                page.evaluate("window.scrollTo(0, 0)")
                file = out / f"{name}{suffix}{'-dark' if scheme == 'dark' else ''}.png"
                page.screenshot(path=file)
                written.append(file)
        browser.close()
    return written


def main() -> int:
    """Read the command line, take the screenshots and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:7860", help="of the studio (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("docs/screenshots"), help="folder (default: %(default)s)"
    )
    parser.add_argument("--dark", action="store_true", help="in the dark theme")
    parser.add_argument(
        "--only",
        nargs="*",
        choices=list(SHOTS),
        default=list(SHOTS),
        help="these screenshots alone (default: all)",
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for file in take_screenshots(
        options.url, options.out, scheme="dark" if options.dark else "light", names=options.only
    ):
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
