"""The head of README.md makes a Space: complete, valid, and true of this checkout."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from pipeline.rendering import CHECKPOINTS

ROOT = Path(__file__).parents[1]
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
SCOPES = {"email", "read-repos", "contribute-repos", "write-repos", "manage-repos", "inference-api"}
REQUIREMENTS = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(scope="module")
def head() -> dict[str, Any]:
    """What huggingface_hub reads."""
    return dict(SpaceCard((ROOT / "README.md").read_text(encoding="utf-8")).data.to_dict())


def test_the_space_starts_this_app_with_these_versions(head: dict[str, Any]) -> None:
    (gradio,) = [one for one in REQUIREMENTS if one.name == "gradio"]
    assert head["sdk"] == "gradio"
    assert head["sdk_version"] in gradio.specifier
    assert "oauth" in gradio.extras
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert head["python_version"] == "3.12"  # a string: as a number 3.10 would be 3.1
    assert head["python_version"] in SpecifierSet(project["requires-python"])
    assert (ROOT / head["app_file"]).is_file()
    assert head["suggested_hardware"] in {"cpu-basic", "zero-a10g"}


def test_the_card_is_complete_and_within_the_hubs_limits(head: dict[str, Any]) -> None:
    assert head["title"] == "Backlot"
    assert {head["colorFrom"], head["colorTo"]} <= COLOURS
    assert re.fullmatch(r"\W", head["emoji"])
    assert 10 < len(head["short_description"]) <= 60
    assert all(re.fullmatch(r"[a-z0-9-]+", tag) for tag in head["tags"])
    assert head["license"] == "apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_it_names_the_checkpoints_that_the_code_can_load(head: dict[str, Any]) -> None:
    parts = [part for model in CHECKPOINTS.values() for part in model.hub.values()]
    assert sorted(head["models"]) == sorted({part.repo for part in parts})


def test_people_sign_in_with_the_least_rights_that_publishing_needs(head: dict[str, Any]) -> None:
    assert head["hf_oauth"] is True
    assert head["hf_oauth_scopes"] == ["contribute-repos"]
    assert set(head["hf_oauth_scopes"]) <= SCOPES


def test_nothing_wants_packages_that_the_image_of_a_space_lacks() -> None:
    names = {one.name for one in REQUIREMENTS}
    assert "opencv-python-headless" in names  # the other one wants libGL
    assert "opencv-python" not in names
    assert "spaces" not in names  # a ZeroGPU Space brings its own
    assert not (ROOT / "packages.txt").exists()
