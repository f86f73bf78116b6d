"""Many items on all cores: in order, within bounds, and whatever happens to the processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import pytest

from pipeline.services.photos import workers as cores
from pipeline.services.photos.workers import Job, on_all_cores
from tests.services.job_work import Counted, doubled, doubled_at_the_second_try, doubled_unless_poison

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def no_pixels(_item: int) -> int:
    return 0


def minus(item: int) -> int:
    return -item


@pytest.mark.parametrize("count", [0, 3, 8, 30])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    job = Job(work=doubled, shared=None, pixels=no_pixels, lost=minus)
    assert list(on_all_cores(iter(range(count)), job)) == [2 * item for item in range(count)]


def test_the_shared_argument_is_sent_once_to_each_process_and_not_with_every_item(tmp_path: Path) -> None:
    tally = tmp_path / "tally"
    job = Job(work=doubled, shared=Counted(tally), pixels=no_pixels, lost=minus)
    assert len(list(on_all_cores(iter(range(40)), job))) == 40
    assert tally.read_text().count("pickled") == 2


def test_an_item_that_ends_its_process_is_lost_alone() -> None:
    job = Job(work=doubled_unless_poison, shared={4, 11}, pixels=no_pixels, lost=minus)
    expected = [-item if item in (4, 11) else 2 * item for item in range(20)]
    assert list(on_all_cores(iter(range(20)), job)) == expected


@pytest.mark.parametrize(
    "error",
    [
        OSError("handle is closed"),  # its queue is closed during the start of another process
        RuntimeError("cannot schedule new futures after shutdown"),  # it breaks during the call
    ],
    ids=["while it starts a process", "while it takes an item"],
)
def test_a_pool_that_breaks_is_replaced(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = ProcessPoolExecutor.submit
    submitted: list[int] = []

    def submit_or_break(pool: ProcessPoolExecutor, work: Callable[[int], int], item: int) -> Future[int]:
        submitted.append(item)
        if submitted.count(9) == 1 and item == 9:
            submit(pool, os._exit, 1)  # ends a process, as when memory runs out
            raise error  # what the pool raises
        return submit(pool, work, item)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit_or_break)
    job = Job(work=doubled, shared=None, pixels=no_pixels, lost=minus)
    assert list(on_all_cores(iter(range(20)), job)) == [2 * item for item in range(20)]
    assert submitted.count(9) == 2


def test_an_item_that_the_broken_pool_cancels_while_it_is_waited_for_is_done_again() -> None:
    class CancelledWhileWaiting(Future[int]):
        def exception(self, timeout: float | None = None) -> BaseException | None:
            self.cancel()
            return super().exception(timeout)

    job = Job(work=doubled, shared=None, pixels=no_pixels, lost=minus)
    crew = cores._Crew(job, processes=2)
    crew.waiting.append(cores._Waiting(4, 0, CancelledWhileWaiting()))
    try:
        crew._give_up_pool()
        assert crew.next_result() == 8
    finally:
        crew.end()


def test_an_item_whose_process_was_killed_once_is_done_at_the_second_try(tmp_path: Path) -> None:
    job = Job(work=doubled_at_the_second_try, shared=tmp_path / "tried", pixels=no_pixels, lost=minus)
    assert list(on_all_cores(iter(range(12)), job)) == [2 * item for item in range(12)]


def test_the_pixels_of_all_processes_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "PIXELS_IN_FLIGHT", 100)
    sizes = [30, 60, 20, 90, 10, 10, 10, 10, 10, 10, 250, 40]
    handed_out: list[int] = []
    returned = 0
    most = 0

    def items() -> Iterator[int]:
        yield from range(len(sizes))

    def pixels(item: int) -> int:
        handed_out.append(item)
        return sizes[item]

    original = cores._Crew.submit

    def submit(crew: cores._Crew[int, None, int], item: int, size: int) -> None:
        nonlocal most
        original(crew, item, size)
        in_flight = sum(sizes[handed] for handed in handed_out[returned:])
        assert crew.pixels == in_flight
        assert in_flight <= 100 or in_flight == sizes[item]
        most = max(most, len(handed_out) - returned)

    monkeypatch.setattr(cores._Crew, "submit", submit)
    for _ in on_all_cores(items(), Job(work=doubled, shared=None, pixels=pixels, lost=minus)):
        returned += 1
    assert returned == len(sizes)
    assert most == 6  # the processes are kept busy where the sizes allow it


def test_the_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
import os
os.cpu_count = lambda: 2
from pipeline.services.photos.workers import Job, on_all_cores
from tests.services.job_work import noted_process
if __name__ == "__main__":
    job = Job(work=noted_process, shared=Path({str(tmp_path)!r}), pixels=lambda item: 0, lost=lambda item: item)
    list(on_all_cores(iter(range(20)), job))
"""
    script = tmp_path.parent / f"{tmp_path.name}.py"
    script.write_text(program)
    parent = subprocess.Popen(
        [sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        assert _comes_true(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        parent.kill()
        parent.wait()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert _comes_true(lambda: not any(_is_running(worker) for worker in workers))


def _comes_true(condition: object) -> bool:
    assert callable(condition)
    end = time.monotonic() + 300  # reached only where something hangs
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
