"""The files of a study of `python -m training`, as far as the studio reads them.

Fields that earlier versions did not write have defaults; unknown ones are ignored.
"""

from __future__ import annotations

import threading
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from pipeline.domain.studies import LOCK_FILE

RESULT_FILE = "study.json"
REPORT_FILE = "report.html"
PROGRESS_FILE = "progress.jsonl"
PROPOSAL_FILE = "proposal.yaml"
SETTINGS_FILE = "settings.json"
REQUEST_FILE = "request.json"  # of the Train page; identifies the request of a study
LOG_FILE = "study.log"  # of a study that the Train page started
REFUSAL = "backlot: "  # begins a line that says in words why a command was refused
CHECKOUT = Path(__file__).resolve().parents[3]  # where `python -m training` is found
_LOOKING = threading.Lock()  # who looks holds the lock of a study for an instant, which another must not see


class Rate(BaseModel):
    """A rate over all seeds."""

    mean: float  # 0 to 1


class ArmSummary(BaseModel):
    """One arm of a study."""

    title: str
    balanced_accuracy: Rate
    arm: str = ""


class TrainedSelection(BaseModel):
    """The rows of the release that the study was trained on."""

    index: str = ""  # SHA-256 of its index
    pictures: int = 0  # rows of its index


class TrainedSettings(BaseModel):
    """The hyper-parameters of a study."""

    network: str = ""


class StudySummary(BaseModel):
    """A finished study."""

    verdict: str
    dataset: str = ""
    test: str
    seeds: list[int]
    arms: list[ArmSummary]
    selection: TrainedSelection | None = None
    best: str | None = None  # the arm that the verdict recommends
    settings: TrainedSettings = TrainedSettings()


class ProgressLine(BaseModel):
    """One line of the progress file; the points of training curves have arm, seed, step and accuracy."""

    done: int = 0  # finished runs
    total: int = 0
    arm: str = ""
    seed: int = 0
    first_seed: int | None = None
    step: int = 0
    accuracy: float | None = Field(default=None)
    seconds: float | None = None  # of a finished run
    stage: str = ""  # what is done before or after the runs
    arms: list[str] = []  # of the first line
    seeds: list[int] = []  # likewise

    @property
    def is_first_seed(self) -> bool:
        """Whether the line belongs to the seed whose curves are shown."""
        return self.first_seed is None or self.seed == self.first_seed


def read_study(folder: Path) -> StudySummary | None:
    """Read a finished study; None where there is none, or its file is damaged."""
    try:
        return StudySummary.model_validate_json((folder / RESULT_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def read_progress(folder: Path) -> list[ProgressLine]:
    """Read the progress of a study; damaged lines and an incomplete last one are left out."""
    try:
        lines = (folder / PROGRESS_FILE).read_bytes().splitlines(keepends=True)
    except OSError:
        return []
    read = [_progress_line(line) for line in lines if line.endswith(b"\n")]
    return [line for line in read if line is not None]


def _progress_line(line: bytes) -> ProgressLine | None:
    try:
        return ProgressLine.model_validate_json(line)
    except ValidationError:
        return None


def is_at_work(folder: Path) -> bool:
    """Whether a process trains the study in a folder, whoever started it: it holds the lock of the folder."""
    lock = folder / LOCK_FILE
    with _LOOKING:
        if not lock.is_file():
            return False
        try:
            with FileLock(lock, blocking=False):
                return False
        except Timeout:
            return True
        except OSError:  # nobody may write there
            return False


def written_ns(path: Path) -> int:
    """Return when a file was last written, in nanoseconds since 1970; 0 where there is none, or not any more."""
    try:
        return path.stat().st_mtime_ns
    except OSError:  # its study may be deleted at this moment
        return 0


def newest_progress(folder: Path) -> Path:
    """Find where a study last wrote progress: its own folder, or that of a further network within it."""
    files = [folder / PROGRESS_FILE, *folder.glob(f"*/{PROGRESS_FILE}")]
    newest = max(files, key=written_ns)
    return newest.parent if written_ns(newest) else folder
