"""A reader that closes the pipe early, as `head -1` does, ends a command quietly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store import Library


@pytest.mark.parametrize("buffering", [[], ["-u"]], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    ("module", "command"),
    [("pipeline", "status"), ("pipeline", "verify"), ("pipeline", "--help"), ("training", "--help")],
)
def test_a_reader_that_closes_the_pipe_early_gets_no_traceback(
    tmp_path: Path, module: str, command: str, buffering: list[str]
) -> None:
    Library.open(tmp_path / "library", create=True).close()
    read_end, write_end = os.pipe()
    os.close(read_end)
    arguments = [command] if command.startswith("-") else [command, "--library", str(tmp_path / "library")]
    try:
        done = subprocess.run(
            [sys.executable, *buffering, "-m", module, *arguments],
            stdout=write_end,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=Path(__file__).resolve().parents[1],
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")
