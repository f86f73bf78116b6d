"""The verdict of a study on a release of this library, for the card of the next release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath

from pipeline.domain.release import Subset
from pipeline.errors import NotFound, StudioError
from pipeline.publish import Study, released_ids
from pipeline.services.studies.files import (
    RESULT_FILE,
    StudySummary,
    TrainedSelection,
    read_study,
    written_ns,
)
from pipeline.store import Library

_CHECKED_IDS = 5  # ids of a release that are looked up in the library


def study_verdict(folder: Path) -> Study:
    """Read the verdict of the study in a folder.

    Raises:
        StudioError: there is no finished study.
    """
    summary = read_study(folder)
    if summary is None:
        raise StudioError(
            f"{folder} holds no finished study; name the --out folder of `python -m training study`"
        )
    return _study(summary)


def newest_verdict(runs: Path, library: Library) -> Study | None:
    """Read the verdict of the newest study on a release of this library; None without one.

    A release belongs to this library if the library holds its photos, or held them, and its samples, if any.
    """
    files = sorted(runs.glob(f"*/{RESULT_FILE}"), key=written_ns, reverse=True)
    for file in files:
        summary = read_study(file.parent)
        if summary is not None and _is_of(library, Path(summary.dataset)):
            return _study(summary)
    return None


def _is_of(library: Library, release: Path) -> bool:
    photos = released_ids(release, Subset.REAL, _CHECKED_IDS)
    samples = released_ids(release, Subset.SYNTHETIC, _CHECKED_IDS)
    return bool(photos) and library.photos.held(photos) and _has_all(library.samples.get, samples)


def _has_all(get: Callable[[str], object], ids: list[str]) -> bool:
    try:
        for item_id in ids:
            get(item_id)
    except NotFound:
        return False
    return True


def _study(summary: StudySummary) -> Study:
    selection = summary.selection or TrainedSelection()  # earlier versions did not write it
    return Study(
        sentence=summary.verdict,
        test=PurePath(summary.test).name,  # the folder name only, without its path
        seeds=len(summary.seeds),
        arms=tuple((arm.title, arm.balanced_accuracy.mean) for arm in summary.arms),
        pictures=selection.pictures,
        index=selection.index,
    )
