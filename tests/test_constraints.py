"""constraints.txt holds a tested version of everything that the requirements ask for."""

from __future__ import annotations

from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


def lines(name: str) -> list[Requirement]:
    """The requirements of a file."""
    texts = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(text) for text in texts if text and not text.startswith("-")]


def test_every_requirement_has_a_tested_version_within_its_range() -> None:
    tested = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in lines("constraints.txt")
    }
    for requirement in [*lines("requirements.txt"), *lines("requirements-dev.txt")]:
        version = tested.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in constraints.txt; run `python .ci/constraints.py`"
        assert requirement.specifier.contains(version), f"{requirement} excludes the tested version {version}"
