"""What a study said of a release of this library, for the card of the next one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from pipeline.domain.release import Part
from pipeline.errors import NotFound, StudioError
from pipeline.library import Library
from pipeline.publish import Study, released_ids

_REPORT = "study.json"
_ENOUGH = 5  # photos of a release that are looked for in the library


def study_verdict(folder: Path) -> Study:
    """The verdict of a study by its folder.

    Raises:
        StudioError: there is no finished study.
    """
    found = _read(folder / _REPORT)
    if found is None:
        raise StudioError(
            f"{folder} holds no finished study; name the --out folder of `python -m training study`"
        )
    return found


def newest_verdict(runs: Path, library: Library) -> Study | None:
    """The verdict of the newest study on a release folder that holds photos and, where it has any, samples of this
    library; None without one.
    """
    reports = sorted(runs.glob(f"*/{_REPORT}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in reports:
        dataset = Path(str((_json(path) or {}).get("dataset", "")))
        photos = released_ids(dataset, Part.REAL, _ENOUGH)
        samples = released_ids(dataset, Part.SYNTHETIC, _ENOUGH)
        if photos and _knows(library.subject, photos) and _knows(library.sample, samples):
            return _read(path)
    return None


def _knows(find: Callable[[str], object], ids: list[str]) -> bool:
    try:
        for one in ids:
            find(one)
    except NotFound:
        return False
    return True


def _read(path: Path) -> Study | None:
    found = _json(path)
    if not found:
        return None
    selection = found.get("selection") or {}  # studies of earlier versions did not keep it
    try:
        return Study(
            sentence=str(found["verdict"]),
            test=PurePath(str(found["test"])).name,  # no folder of somebody's disk
            seeds=len(found["seeds"]),
            arms=tuple((str(arm["title"]), float(arm["balanced_accuracy"]["mean"])) for arm in found["arms"]),
            pictures=int(selection.get("pictures", 0)),
            index=str(selection.get("index", "")),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
