"""Waiting times: `python -m pipeline --help`, and the app until its first page is painted."""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_RUNS = 3
_GIVE_UP_S = 60.0
CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def help_s() -> float:
    """Return the seconds of `python -m pipeline --help`."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pipeline", "--help"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def app_s() -> tuple[float, float | None]:
    """Return the seconds from the start of the app to its first answer, and to the first paint in Chromium."""
    with tempfile.TemporaryDirectory() as scratch, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = dict(
            os.environ,
            BACKLOT_LIBRARY=f"{scratch}/library",
            GRADIO_SERVER_PORT=str(port),
            BACKLOT_STARTER="0",
        )
        started = time.perf_counter()
        app = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait_for(url, started)
            answered = time.perf_counter() - started
            return answered, _painted_s(url, started)
        finally:
            app.terminate()
            app.wait()


def _wait_for(url: str, started: float) -> None:
    while time.perf_counter() - started < _GIVE_UP_S:
        try:
            urllib.request.urlopen(url, timeout=5).read()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"the app did not answer at {url} within {_GIVE_UP_S:.0f} s")


def _painted_s(url: str, started: float) -> float | None:
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("h1, h2, .prose", state="visible")
        painted = time.perf_counter() - started
        browser.close()
    return painted


def main() -> None:
    """Print medians of several runs."""
    helps = [help_s() for _ in range(_RUNS)]
    apps = [app_s() for _ in range(_RUNS)]
    paints = [painted for _, painted in apps if painted is not None]
    figures = {
        "benchmark": "startup",
        "help_s": round(statistics.median(helps), 2),
        "app_answers_s": round(statistics.median(answered for answered, _ in apps), 2),
        "app_painted_s": round(statistics.median(paints), 2) if paints else None,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
