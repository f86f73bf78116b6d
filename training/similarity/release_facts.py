"""What `release.json` tells of a release, for the sections of a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

_FILE = "release.json"  # as pipeline.publish writes it

Fact = TypeVar("Fact")


def release_fact(dataset: str, key: str, kind: TypeAdapter[Fact]) -> Fact | None:
    """Read one entry of a release's facts.

    Args:
        dataset: a release folder, or any other data set.
        kind: what the entry has to be.

    Returns:
        None where the data set has no such file or entry, or one of another kind.
    """
    try:
        content = json.loads((Path(dataset) / _FILE).read_text(encoding="utf-8"))
        return kind.validate_python(content[key])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
