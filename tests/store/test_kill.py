"""A process killed at any moment leaves a library that opens, verifies and goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store import Library
from tests.toy_library import decision, filled

_ROOT = Path(__file__).parents[2]
_SAMPLES = 12

_WORK = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from pipeline.store import Library
from pipeline.store.samples import SampleRepository
from tests.toy_library import filled, decision

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def nth(number, act):
    left = iter(range(1, number))
    return lambda *args: die() if next(left, None) is None else act(*args)

folder, point, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
library = Library.open(folder, create=True)
if point == "while a picture is written":
    os.fsync = nth(number, os.fsync)
elif point == "before a picture gets its name":
    Path.replace = nth(number, Path.replace)
elif point == "before a row is stored":
    SampleRepository.record = nth(number, SampleRepository.record)
elif point == "inside a transaction":
    seen = nth(number, lambda *args: None)
    event.listen(library._database.engine, "after_cursor_execute", lambda *args: seen())
elif point == "before a commit":
    event.listen(library._database.engine, "commit", nth(number, lambda *args: None))
for sample_id in filled(library, samples=12):
    library.review.record(decision(sample_id, client_id=sample_id))
    print(sample_id, flush=True)
"""

_POINTS = [
    ("while a picture is written", 2),
    ("while a picture is written", 9),
    ("before a picture gets its name", 6),
    ("before a row is stored", 1),
    ("before a row is stored", 7),
    ("inside a transaction", 40),
    ("inside a transaction", 61),
    ("inside a transaction", 75),
    ("inside a transaction", 90),
    ("before a commit", 4),
    ("before a commit", 11),
    ("before a commit", 20),
]


@pytest.mark.parametrize(("point", "number"), _POINTS)
def test_a_kill_leaves_a_sound_library_that_the_same_work_completes(
    tmp_path: Path, point: str, number: int
) -> None:
    folder = tmp_path / "library"
    died = _run(folder, point, number)
    assert died.returncode == -signal.SIGKILL
    with Library.open(folder) as library:
        assert library.verify() == []
        ids = filled(library, samples=_SAMPLES)
        for sample_id in ids:
            library.review.record(decision(sample_id, client_id=sample_id))
        assert library.counts().samples["accepted"] == library.counts().samples["planned"] == _SAMPLES
        assert len(library.review.decisions()) == _SAMPLES
        assert library.verify() == []


@pytest.mark.parametrize("lines", [1, 6])
def test_a_decision_that_was_answered_outlives_the_kill(tmp_path: Path, lines: int) -> None:
    folder = tmp_path / "library"
    child = subprocess.Popen(
        [sys.executable, "-c", _WORK, str(folder), "never", "0"], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    answered = [child.stdout.readline().strip() for _ in range(lines)]
    child.kill()
    child.wait()
    child.stdout.close()
    with Library.open(folder) as library:
        assert library.verify() == []
        assert [library.samples.get(one).review for one in answered] == ["accepted"] * lines


def test_a_kill_while_the_library_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    work = """
import os, signal, sys
from pathlib import Path
from pipeline.store import Library, schema
schema.insert = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Library.open(Path(sys.argv[1]), create=True)
"""
    died = subprocess.run([sys.executable, "-c", work, str(tmp_path)], cwd=_ROOT)
    assert died.returncode == -signal.SIGKILL
    with Library.open(tmp_path) as library:
        assert library.counts().subjects == 0
        assert library.verify() == []


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    Library.open(tmp_path, create=True).close()
    work = """
import os, signal, sys
from pathlib import Path
from pipeline.store import Library
with Library.open(Path(sys.argv[1])) as library, library.work_lock("generate"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", work, str(tmp_path)], cwd=_ROOT)
    with Library.open(tmp_path) as library, library.work_lock("import"):
        assert "import" in (tmp_path / "work.json").read_text()


def _run(folder: Path, point: str, number: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", _WORK, str(folder), point, str(number)], cwd=_ROOT, stdout=subprocess.DEVNULL
    )
