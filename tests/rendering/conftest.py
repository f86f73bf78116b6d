"""A tiny real checkpoint, and specs and jobs for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.rendering import Generator, load
from tests.rendering.tiny import save_tiny_sdxl


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder with a 9-channel UNet and a ControlNet."""
    return save_tiny_sdxl(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture
def tiny(tiny_folder: Path) -> Generator:
    """The loaded checkpoint."""
    return load(str(tiny_folder))
