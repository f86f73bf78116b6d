"""release.json: marks a folder as a release and says what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipeline.domain.release import MethodYield

MARKER = "release.json"
_FORMAT: Literal["backlot release"] = "backlot release"


class ReleaseFacts(BaseModel):
    """The content of release.json."""

    model_config = ConfigDict(coerce_numbers_to_str=True, frozen=True)

    format: Literal["backlot release"] = _FORMAT
    name: str = ""
    version: str = ""
    created_at: str = ""  # ISO 8601, UTC
    classes: tuple[str, ...] = ()
    counts: dict[str, dict[str, int]] = {}  # configuration → split → images
    contexts: dict[str, dict[str, dict[str, int]]] = {}  # prompt slot → class → value → synthetic images
    yields: tuple[MethodYield, ...] = ()  # of the whole library, rejected samples included
    files: dict[str, str] = {}  # path → SHA-256, of all files except the texts


def is_release(folder: Path) -> bool:
    """Whether a folder is marked as a release; the rest of its release.json may still be damaged."""
    return _marker(folder).get("format") == _FORMAT


def read_facts(folder: Path) -> ReleaseFacts | None:
    """Read the release.json of a folder; None where the folder is not a release.

    Raises:
        ValueError: a value in it has the wrong type.
    """
    return ReleaseFacts.model_validate(_marker(folder)) if is_release(folder) else None


def write_facts(folder: Path, facts: ReleaseFacts) -> None:
    """Mark a folder as a release."""
    text = json.dumps(facts.model_dump(mode="json"), indent=2, ensure_ascii=False)
    (folder / MARKER).write_text(text + "\n", encoding="utf-8")


def _marker(folder: Path) -> dict[str, object]:
    try:
        content = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
