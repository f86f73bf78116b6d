"""A study in a child process, so that the page goes on and a stop is a signal."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.errors import StudioError
from pipeline.studio.reports import StudyProgress

_LOG = "study.log"
_LAST_LINES = 1
_REQUEST = "request.json"  # what a study was asked for
_INTERRUPTED = 130  # exit code of a study that was stopped
_CHECKOUT = Path(__file__).resolve().parents[2]  # where `python -m training` is found


@dataclass(slots=True)
class StudyProcess:
    """One study at a time: `python -m training study`, followed through the files that it writes."""

    runs: Path
    _process: subprocess.Popen[bytes] | None = None
    _out: Path | None = None

    def start(
        self,
        release: str,
        *,
        test: str | None,
        seeds: int,
        arms: list[str] | None,
        network: str,
        steps: int | None,
    ) -> Path:
        """Begin a study of a release, or go on with the last one of the same things; the folder for its report.

        More seeds or arms of the same release, test, network and steps count as the same study.

        Raises:
            StudioError: a study is at work already.
        """
        if self.alive:
            raise StudioError("a study is at work already; stop it or wait for its end")
        release, test = _absolute(release), _absolute(test) if test else None
        asked = {"release": release, "test": test, "network": network, "steps": steps}
        asked |= {"pictures": _stamp(release), "test_pictures": _stamp(test or "")}
        out = self._last_of(asked) or self.runs.absolute() / f"study-{datetime.now():%Y%m%d-%H%M%S-%f}"
        out.mkdir(parents=True, exist_ok=True)
        (out / _REQUEST).write_text(json.dumps(asked), encoding="utf-8")
        command = [sys.executable, "-m", "training", "study", "--dataset", release]
        command += ["--out", str(out), "--seeds", str(seeds), "--network", network]
        command += ["--test", test] if test else []
        command += ["--arms", *arms] if arms else []
        command += ["--steps", str(steps)] if steps is not None else []
        with (out / _LOG).open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(os.environ),
                cwd=_CHECKOUT,
            )
        self._out = out
        return out

    def _last_of(self, asked: dict[str, Any]) -> Path | None:
        """The folder of the newest study of the same things, unless it failed just now."""
        failed = self._out if self._process and self._process.poll() not in (0, _INTERRUPTED) else None
        newest = sorted(self.runs.absolute().glob(f"study-*/{_REQUEST}"), reverse=True)
        same = [path.parent for path in newest if path.parent != failed and _told(path) == asked]
        return same[0] if same else None

    def stop(self) -> None:
        """Ask the study to end; finished arms are kept in its folder."""
        if self.alive and self._process:
            self._process.send_signal(signal.SIGINT)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the study has ended."""
        if self._process:
            self._process.wait(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether a study is at work now."""
        return self._process is not None and self._process.poll() is None

    @property
    def progress(self) -> StudyProgress:
        """Where the study stands, read from its folder."""
        if self._out is None:
            ended = sorted(self.runs.glob("study-*/study.json"), key=lambda path: path.stat().st_mtime)
            if ended:  # of an earlier start of the app
                return study_progress(ended[-1].parent, running=False)
            return StudyProgress(running=False, out=self.runs)
        return study_progress(
            self._out, running=self.alive, exit_code=self._process.poll() if self._process else None
        )


def _absolute(place: str) -> str:
    """The absolute path of a folder, since the study runs in another one; a name on the Hub as it is."""
    return str(Path(place).absolute()) if Path(place).exists() else place


def _stamp(place: str) -> str:
    """Changes when a file of a folder does; "" for what is no folder, such as a name on the Hub."""
    files = sorted(file for file in Path(place).rglob("*") if file.is_file()) if place else []
    seen = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join(seen).encode()).hexdigest() if files else ""


def _told(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def study_progress(out: Path, *, running: bool, exit_code: int | None = None) -> StudyProgress:
    """What the files in a study's folder tell: curves so far, the verdict, or why it failed."""
    curves: dict[str, list[tuple[int, float]]] = {}
    done = total = 0
    for line in _json_lines(out / "progress.jsonl"):
        done, total = line.get("done", done), line.get("total", total)
        if "accuracy" in line and line.get("seed") == line.get("first_seed", line.get("seed")):
            curves.setdefault(line["arm"], []).append((line["step"], line["accuracy"]))
    report = out / "report.html"
    ended = not running and report.is_file()
    study = json.loads((out / "study.json").read_text()) if ended else {}
    failed = not running and exit_code not in (0, None)
    return StudyProgress(
        running=running,
        out=out,
        done=done,
        total=total,
        curves=curves,
        verdict=study.get("verdict", ""),
        report_html=report.read_text() if ended else "",
        sentence=_last_line(out / _LOG) if failed else "",
    )


def _json_lines(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    lines = path.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]  # the last line may be half written


def _last_line(path: Path) -> str:
    lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-_LAST_LINES] if lines else "the study ended without a word"
