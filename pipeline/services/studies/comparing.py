"""Compare two studies in a child process: `python -m training compare`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from pipeline.errors import StudioError
from pipeline.services.studies.files import CHECKOUT, REFUSAL

_LONGEST_S = 300.0
_AT_WORK = threading.Lock()  # one comparison at a time: each takes a core for some seconds


def comparison_report(a: Path, b: Path) -> str:
    """Compare the finished studies in two folders; return the report as HTML.

    Raises:
        StudioError: they cannot be compared; the sentence says why.
    """
    with _AT_WORK, tempfile.TemporaryDirectory(prefix="backlot-compare-") as scratch:
        report = Path(scratch) / "comparison.html"
        command = [sys.executable, "-m", "training", "compare", str(a.absolute()), str(b.absolute())]
        done = _run([*command, "--out", str(report)])
        if done.returncode == 0:
            return report.read_text(encoding="utf-8")
    last = done.stderr.strip().rpartition("\n")[2]
    if last.startswith(REFUSAL):
        raise StudioError(last.removeprefix(REFUSAL))
    raise StudioError(
        "the comparison failed with an unexpected error; run `python -m training compare` to see it"
    )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=dict(os.environ),
            cwd=CHECKOUT,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StudioError(
            f"the comparison took more than {_LONGEST_S / 60:.0f} minutes and was stopped; try again when the machine "
            "is less busy, or run `python -m training compare`"
        ) from None
