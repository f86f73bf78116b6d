"""Headless Chromium, and the app in this process or as one of its own, for the browser tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ui.served import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
_FLAGS += ["--disable-background-networking", "--disable-component-update"]
# deadlines that are reached only where something hangs; a busy machine takes long
_START_S = 400  # the app answers at once when it is up
_LAUNCH_MS = 180_000  # of Chromium
WAIT_MS = 180_000  # for whatever a test waits for on the page
LONG_MS = 480_000  # where the page waits for generated images or a study
HANG_S = 300  # for a thread or a process
_STOP_S = 60


class App:
    """The running app: its address, and what it wrote on stderr."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.log = folder / "app.log"
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._environment = {
            **os.environ,
            "BACKLOT_LIBRARY": str(folder / "library"),
            "BACKLOT_RELEASES": str(folder / "releases"),
            "BACKLOT_RUNS": str(folder / "runs"),
            "BACKLOT_STARTER": "0",
            "GRADIO_SERVER_PORT": str(port),
            **{f"BACKLOT_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        until = time.monotonic() + _START_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                urllib.request.urlopen(self.address, timeout=60).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise AssertionError(f"the app did not come up: {self.said()[-2000:]}")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def said(self) -> str:
        """All that it wrote."""
        return self.log.read_text(errors="replace")


@dataclass(frozen=True)
class LocalApp:
    """The app in this process: up in a second, for tests that do not end it."""

    address: str


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[LocalApp]:
    """Serve the library of a folder, as `App` would."""
    from pipeline.settings import Settings
    from pipeline.studio import Studio
    from ui.app import launch

    port = free_port()
    options = Settings(
        library=folder / "library",
        releases=folder / "releases",
        runs=folder / "runs",
        starter=False,
        **settings,
    )
    with Studio(options) as studio:
        app = launch(studio, block=False, quiet=True, server_port=port)
        try:
            yield LocalApp(f"http://127.0.0.1:{port}")
        finally:
            app.close()


class _Chromium:
    """One browser, started by the first page of a module and closed at the module's end.

    It must not outlive the module: while playwright's driver runs, this thread has a running event loop, which
    other tests do not expect.
    """

    def __init__(self) -> None:
        self._driver: Playwright | None = None
        self._browser: Browser | None = None

    def get(self) -> Browser:
        """The browser; the test is skipped where there is none."""
        if self._browser is None:
            names = ("chromium", "chromium-browser", "google-chrome")
            path = next(filter(None, map(shutil.which, names)), None)
            if path is None:
                pytest.skip("chromium is not installed")
            playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
            self._driver = playwright.sync_playwright().start()
            self._browser = self._driver.chromium.launch(
                executable_path=path, args=_FLAGS, timeout=_LAUNCH_MS
            )
        return self._browser

    def close(self) -> None:
        """Close it, if it was started."""
        if self._browser is not None:
            self._browser.close()
        if self._driver is not None:
            self._driver.stop()
        self._browser = self._driver = None


_CHROMIUM = _Chromium()
close_browser = _CHROMIUM.close


@contextmanager
def opened_page(width: int = 1280, height: int = 800) -> Iterator[Page]:
    """A page with a storage and cookies of its own; the test is skipped where there is no Chromium."""
    browser = _CHROMIUM.get()
    try:
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        page.set_default_timeout(WAIT_MS)
        yield page
    finally:
        for context in browser.contexts:  # those that the test opened, too
            context.close()


@contextmanager
def set_at_end(event: threading.Event) -> Iterator[None]:
    """Set an event that the app waits for, also when the test fails: a server ends after its requests."""
    try:
        yield
    finally:
        event.set()
