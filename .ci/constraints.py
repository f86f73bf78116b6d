"""Print constraints.txt: the versions in this environment of all that the requirements need.

    .venv/bin/python .ci/constraints.py > constraints.txt

Packages that only some platforms have (the CUDA libraries of torch) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
_PLATFORM = re.compile(r"^(nvidia-|cuda-|triton$)")


def requirements(*names: str) -> Iterator[Requirement]:
    """The lines of requirements files."""
    for name in names:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            text = line.partition("#")[0].strip()
            if text and not text.startswith("-"):
                yield Requirement(text)


def installed_versions(roots: Iterator[Requirement]) -> dict[str, str]:
    """The versions of the roots and of all that they need here, by canonical name."""
    versions: dict[str, str] = {}
    pending, visited = list(roots), set()
    while pending:
        requirement = pending.pop()
        name, extras = canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
        if (name, extras) in visited:
            continue
        visited.add((name, extras))
        package = distribution(requirement.name)
        versions[name] = Version(package.version).public  # without "+cpu"
        for line in package.requires or []:
            needed = Requirement(line)
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in extras or ("",)
            ):
                pending.append(needed)
    return versions


if __name__ == "__main__":
    print("# The versions that the tests run with; `python .ci/constraints.py` writes this file.")
    for name, version in sorted(
        installed_versions(requirements("requirements.txt", "requirements-dev.txt")).items()
    ):
        if not _PLATFORM.match(name):
            print(f"{name}=={version}")
