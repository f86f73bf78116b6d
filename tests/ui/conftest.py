from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.studio import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A studio on a new, empty library that stays empty."""
    settings = Settings(
        library=tmp_path / "library", releases=tmp_path / "releases", runs=tmp_path / "runs", starter=False
    )
    with Studio(settings) as opened:
        yield opened
