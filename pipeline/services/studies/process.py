"""Run a study in a child process, so that pages stay responsive and a signal can stop it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

from pipeline.domain.studies import DEFAULT_NETWORK
from pipeline.errors import StudioError
from pipeline.services.reports import StudyProgress
from pipeline.services.studies.files import (
    CHECKOUT,
    LOG_FILE,
    PROPOSAL_FILE,
    REFUSAL,
    REPORT_FILE,
    REQUEST_FILE,
    RESULT_FILE,
    ProgressLine,
    newest_progress,
    read_progress,
    read_study,
    written_ns,
)
from pipeline.services.studies.listing import delete_study, study_folder
from pipeline.services.studies.proposals import StudyProposal, read_proposal

_TRACEBACK = "Traceback (most recent call last)"
_INTERRUPTED = 130  # exit code of a stopped study


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRequest:
    """The data and settings of a study; None leaves the choice to `python -m training study`."""

    release: str  # a folder, or a dataset on the Hub
    test: str | None = None  # None: the test split of the release
    seeds: int = 6
    arms: tuple[str, ...] = ()  # empty: all arms
    networks: tuple[str, ...] = (str(DEFAULT_NETWORK),)  # the first gives the verdict
    steps: int | None = None
    allow_leak: bool = False  # train even if test photos are near-duplicates of training photos


@dataclass(slots=True)
class StudyService:
    """One study at a time: `python -m training study`, followed through the files that it writes."""

    runs: Path
    _process: subprocess.Popen[bytes] | None = None
    _out: Path | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    def start(self, request: StudyRequest) -> Path:
        """Start a study of a release, or resume the last one with the same request; return the folder of its report.

        Seeds, arms and further networks may be added; another release, test set, first network or number of steps is
        another study.

        Raises:
            StudioError: another study is in progress.
        """
        with self._starting:
            if self.alive:
                raise StudioError("a study is already in progress; stop it or wait for it to finish")
            return self._begin(request)

    def _begin(self, request: StudyRequest) -> Path:
        release, test = _absolute(request.release), _absolute(request.test) if request.test else None
        identity: dict[str, object] = {"release": release, "test": test}
        identity |= {"network": request.networks[0], "steps": request.steps}
        identity |= {"pictures": _stamp(release), "test_pictures": _stamp(test or "")}
        out = self._last_of(identity) or self.runs.absolute() / f"study-{datetime.now():%Y%m%d-%H%M%S-%f}"
        out.mkdir(parents=True, exist_ok=True)
        (out / REQUEST_FILE).write_text(json.dumps(identity), encoding="utf-8")
        command = [sys.executable, "-m", "training", "study", "--dataset", release]
        command += ["--out", str(out), "--seeds", str(request.seeds), "--network", *request.networks]
        command += ["--test", test] if test else []
        command += ["--arms", *request.arms] if request.arms else []
        command += ["--steps", str(request.steps)] if request.steps is not None else []
        command += ["--allow-leak"] if request.allow_leak else []
        command += ["--propose", str(out / PROPOSAL_FILE)]
        with (out / LOG_FILE).open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(os.environ),
                cwd=CHECKOUT,
            )
        self._out = out
        return out

    def _last_of(self, identity: dict[str, object]) -> Path | None:
        """Find the folder of the newest study with the same request, unless it has just failed."""
        failed = self._out if self._process and self._process.poll() not in (0, _INTERRUPTED) else None
        newest = sorted(self.runs.absolute().glob(f"study-*/{REQUEST_FILE}"), reverse=True)
        same = [path.parent for path in newest if path.parent != failed and _read_request(path) == identity]
        return same[0] if same else None

    def stop(self) -> None:
        """Ask the study to stop; finished runs are kept in its folder."""
        if self.alive and self._process:
            self._process.send_signal(signal.SIGINT)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for the study to finish."""
        if self._process:
            self._process.wait(timeout_s)

    def proposals(self) -> list[StudyProposal]:
        """Read the recipes that the studies of this machine propose, the newest first."""
        files = self.runs.glob(f"*/{PROPOSAL_FILE}")
        newest = sorted(files, key=lambda file: (written_ns(file), file), reverse=True)
        return [proposal for file in newest if (proposal := read_proposal(file.parent)) is not None]

    @property
    def running(self) -> Path | None:
        """The folder of the study in progress; None where there is none."""
        return self._out if self.alive else None

    def delete(self, name: str) -> None:
        """Delete a listed study with all its files.

        Raises:
            InvalidRequest: there is none of this name, or it is in progress.
            StudioError: the folder cannot be deleted.
        """
        with self._starting:
            folder = study_folder(self.runs, name)
            delete_study(folder, running=self.running)
            if self._out is not None and self._out.resolve() == folder.resolve():
                self._out = self._process = None

    @property
    def alive(self) -> bool:
        """Whether a study is in progress."""
        return self._process is not None and self._process.poll() is None

    @property
    def progress(self) -> StudyProgress:
        """Read the progress of the study from its folder."""
        if self._out is None:
            ended = sorted(self.runs.glob(f"study-*/{RESULT_FILE}"), key=written_ns)
            if ended:  # finished during an earlier start of the app
                return study_progress(ended[-1].parent, running=False)
            return StudyProgress(running=False, out=self.runs)
        return study_progress(
            self._out, running=self.alive, exit_code=self._process.poll() if self._process else None
        )


def _absolute(place: str) -> str:
    """Make the path of a folder absolute, since the study runs in another one; a name on the Hub stays as it is."""
    return str(Path(place).absolute()) if Path(place).exists() else place


def _stamp(place: str) -> str:
    """Fingerprint the files of a folder by size and time; "" for anything else, such as a name on the Hub."""
    files = sorted(file for file in Path(place).rglob("*") if file.is_file()) if place else []
    stamps = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest() if files else ""


def _read_request(path: Path) -> object:
    try:
        request: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return request


def study_progress(out: Path, *, running: bool, exit_code: int | None = None) -> StudyProgress:
    """Read a study's folder: curves so far, the verdict, or why the study failed.

    While a further network is trained, runs and curves are those of its own folder within `out`.
    """
    curves: dict[str, list[tuple[int, float]]] = {}
    folder = newest_progress(out) if running else out
    lines = read_progress(folder)
    for line in lines:
        if line.accuracy is not None and line.is_first_seed:
            curves.setdefault(line.arm, []).append((line.step, line.accuracy))
    report = out / REPORT_FILE
    finished = read_study(out) if not running and report.is_file() else None
    failed = not running and exit_code not in (0, None)
    return StudyProgress(
        running=running,
        out=out,
        done=lines[-1].done if lines else 0,
        total=lines[-1].total if lines else 0,
        curves=curves,
        verdict=finished.verdict if finished else "",
        report_html=report.read_text(encoding="utf-8") if finished else "",
        sentence=_reason(out / LOG_FILE) if failed else "",
        stage=lines[-1].stage if lines else "",
        network=folder.name if folder != out else "",
        seconds_left=_seconds_left(lines),
    )


def _seconds_left(lines: Sequence[ProgressLine]) -> float | None:
    """Estimate the time of the runs that are to come from the median of those that have ended."""
    ended = [line.seconds for line in lines if line.seconds is not None]
    runs_left = lines[-1].total - lines[-1].done if lines else 0
    return median(ended) * runs_left if ended and runs_left else None


def _reason(log: Path) -> str:
    """Return why a study failed: the last line of its log, unless that ends a traceback."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if not lines:
        return f"The study stopped without an error message; see {log.name}."
    if not lines[-1].startswith(REFUSAL) and any(line.startswith(_TRACEBACK) for line in lines):
        return f"The study failed with an unexpected error; see {log.name} in its folder. Finished runs are kept."
    return lines[-1].strip()
