from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.studio import Studio
from tests.ui.browser import close_browser


@pytest.fixture(scope="module", autouse=True)
def _browser_closed() -> Iterator[None]:
    """A browser that the tests of a module share ends with the module."""
    yield
    close_browser()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A studio on a new, empty library that stays empty."""
    settings = Settings(
        library=tmp_path / "library", releases=tmp_path / "releases", runs=tmp_path / "runs", starter=False
    )
    with Studio(settings) as opened:
        yield opened
