"""The studies of the runs folder: what each was about, how far it came, and what it showed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import InvalidRequest, StudioError
from pipeline.services.studies.files import (
    LOG_FILE,
    PROGRESS_FILE,
    REPORT_FILE,
    REQUEST_FILE,
    RESULT_FILE,
    SETTINGS_FILE,
    ArmSummary,
    StudySummary,
    TrainedSettings,
    is_at_work,
    newest_progress,
    read_progress,
    read_study,
    written_ns,
)

_MARKS = (RESULT_FILE, PROGRESS_FILE, REQUEST_FILE)  # a folder with one of them is a study's
_INTERRUPTED = "backlot: interrupted"  # begins the last line of the log of a stopped study
_Model = TypeVar("_Model", bound=BaseModel)


class StudyState(StrEnum):
    """How far a study came."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStudy:
    """One study of the list; texts are "" and numbers 0 where they are not known."""

    name: str  # of its folder
    state: StudyState
    at: datetime  # when it last wrote something, local time
    release: str = ""  # name of the release
    network: str = ""
    arms: int = 0
    seeds: int = 0
    best: str = ""  # title of the arm with the best mean
    accuracy: float | None = None  # balanced accuracy of that arm, 0 to 1
    certain: bool = False  # the verdict names that arm
    verdict: str = ""  # its first sentence
    has_report: bool = False


class _Request(BaseModel):
    """What the Train page asked for."""

    release: str = ""
    network: str = ""


def listed_studies(runs: Path, *, running: Path | None) -> list[ListedStudy]:
    """List the studies in a folder, the newest first.

    Args:
        running: folder of the study in progress.
    """
    folders = [folder for folder in runs.glob("*") if any((folder / mark).is_file() for mark in _MARKS)]
    listed = [_listed(folder, is_running=_same(folder, running)) for folder in folders]
    return sorted(listed, key=lambda study: (study.at, study.name), reverse=True)


def studies_mark(runs: Path, *, running: Path | None) -> tuple[object, ...]:
    """Return a value that changes when a study begins, ends or goes; it reads no file."""
    folders = runs.glob("*")
    results = sorted(
        (str(folder), written_ns(folder / RESULT_FILE), is_at_work(folder)) for folder in folders
    )
    return (str(running), *results)


def study_folder(runs: Path, name: str) -> Path:
    """Find the folder of a listed study.

    Raises:
        InvalidRequest: there is none of this name.
    """
    for study in listed_studies(runs, running=None):
        if study.name == name:
            return runs / name
    raise InvalidRequest(f"there is no study '{name}' any more; reload the page and select another")


def study_report(folder: Path) -> str:
    """Read the report of a study as HTML.

    Raises:
        InvalidRequest: it has none.
    """
    try:
        return (folder / REPORT_FILE).read_text(encoding="utf-8")
    except OSError:
        raise InvalidRequest(
            f"the study '{folder.name}' has no report; start it again with the same settings to finish it"
        ) from None


def delete_study(folder: Path, *, running: Path | None) -> None:
    """Delete a study with its runs, reports and proposal.

    Raises:
        InvalidRequest: it is in progress.
        StudioError: the folder cannot be deleted.
    """
    if _state(folder, is_running=_same(folder, running)) is StudyState.RUNNING:
        raise InvalidRequest(f"the study '{folder.name}' is in progress; stop it before you delete it")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StudioError(
            f"the study '{folder.name}' cannot be deleted: {error.strerror or error}; delete the folder by hand"
        ) from error


def _same(folder: Path, other: Path | None) -> bool:
    return other is not None and folder.resolve() == other.resolve()


def _listed(folder: Path, *, is_running: bool) -> ListedStudy:
    state, at = _state(folder, is_running=is_running), datetime.fromtimestamp(_last_written(folder))
    summary = read_study(folder)
    if summary is None:
        return _unfinished(folder, state, at)
    best = _best(summary)
    return ListedStudy(
        name=folder.name,
        state=state,
        at=at,
        release=PurePath(summary.dataset).name,
        network=summary.settings.network,
        arms=len(summary.arms),
        seeds=len(summary.seeds),
        best=best.title if best else "",
        accuracy=best.balanced_accuracy.mean if best else None,
        certain=best is not None and best.arm == summary.best,
        verdict=_first_sentence(summary.verdict),
        has_report=(folder / REPORT_FILE).is_file(),
    )


def _unfinished(folder: Path, state: StudyState, at: datetime) -> ListedStudy:
    """Describe a study without a result by what it was asked for."""
    request, settings = _read(_Request, folder / REQUEST_FILE), _read(TrainedSettings, folder / SETTINGS_FILE)
    started = next((line for line in read_progress(folder) if line.arms), None)
    return ListedStudy(
        name=folder.name,
        state=state,
        at=at,
        release=PurePath(request.release).name,
        network=request.network or settings.network,
        arms=len(started.arms) if started else 0,
        seeds=len(started.seeds) if started else 0,
    )


def _best(summary: StudySummary) -> ArmSummary | None:
    """Return the arm that the verdict names, or else the one with the highest mean."""
    named = [arm for arm in summary.arms if summary.best and arm.arm == summary.best]
    return max(named or summary.arms, key=lambda arm: arm.balanced_accuracy.mean, default=None)


def _first_sentence(verdict: str) -> str:
    first, full_stop, _ = verdict.partition(". ")
    return first + full_stop.strip()


def _state(folder: Path, *, is_running: bool) -> StudyState:
    # before the result is looked for, which is there while further networks are trained
    if is_running or is_at_work(folder):
        return StudyState.RUNNING
    if (folder / RESULT_FILE).is_file():
        return StudyState.FINISHED
    log = _last_line(folder / LOG_FILE)  # None for a study of the command line
    return StudyState.STOPPED if not log or log.startswith(_INTERRUPTED) else StudyState.FAILED


def _last_line(log: Path) -> str | None:
    """Return the last line of a log that says something; None where there is no log."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _last_written(folder: Path) -> float:
    """When a study last wrote its result or its progress, in seconds since 1970."""
    files = [*(folder / mark for mark in _MARKS), newest_progress(folder) / PROGRESS_FILE]
    return (max(map(written_ns, files)) or written_ns(folder)) / 1e9


def _read(kind: type[_Model], path: Path) -> _Model:
    """Read a JSON file; one that is missing or damaged gives the defaults."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return kind()
