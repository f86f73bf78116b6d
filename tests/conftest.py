"""What every test shares: no network, few threads, nothing of the person's own settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.hub.server import LoopbackHub

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000"  # as in app.py
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
os.fsync = lambda _fd: (
    None
)  # nothing here survives a power cut; half of the time of a small library is waiting for it
for name in [name for name in os.environ if name.startswith("BACKLOT_")]:
    del os.environ[name]

# the same examples in every run, and no judgement by the clock: by default an example fails that takes 200 ms
settings.register_profile(
    "backlot", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("backlot")

_LONG_FILES = (
    "test_loop.py",
    "test_real_photos_browser.py",
    "test_loop_browser.py",
    "test_run_browser.py",
    "test_commands.py",
    "test_judge.py",
)
_LONGEST_S = 1800  # reached only where something hangs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of few, long tests, so that no worker is left alone with them at the end.

    A busy machine may take longer for one of them than `timeout` in pyproject.toml allows.
    """
    items.sort(key=lambda item: item.path.name not in _LONG_FILES)
    for item in items:
        if item.path.name in _LONG_FILES:
            item.add_marker(pytest.mark.timeout(_LONGEST_S))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub of the test's own. In this process too the client may ask it, given `endpoint=hub.address`.

    The waits of the client's own back-off are skipped here.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    from tests.hub.server import LoopbackHub

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=lambda _: None))
    with LoopbackHub(tmp_path / "loopback-hub") as opened:
        yield opened
    assert not opened.mistakes
