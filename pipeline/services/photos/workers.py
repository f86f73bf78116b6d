"""Process many items on all cores, in order and in bounded memory; a lost process costs one item at most."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from typing import Any, Generic, TypeVar

_INLINE = 8  # with fewer items a pool of processes costs more than it saves
_IN_FLIGHT = 3  # items waiting per process, so that none is idle
PIXELS_IN_FLIGHT = 200_000_000  # over all processes: about 2 GB of decoded images
LOST = (
    "the process that read it was ended from outside, twice; perhaps memory ran out: make the image smaller"
)

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[Item, Shared, Result]):
    """The work to do on every item.

    Args:
        work: a module-level function, since it is sent to other processes.
        shared: the second argument of every call; sent once to each process, not with every item.
        pixels: returns, at little cost, how many pixels `work` will decode for an item.
        lost: returns the result of an item whose process ended (killed, out of memory) twice before it was done.
    """

    work: Callable[[Item, Shared], Result]
    shared: Shared
    pixels: Callable[[Item], int]
    lost: Callable[[Item], Result]


def on_all_cores(items: Iterator[Item], job: Job[Item, Shared, Result]) -> Iterator[Result]:
    """Do a job for each item, in this process for a few items and on all cores for many; yield results in order.

    At most `PIXELS_IN_FLIGHT` pixels are decoded at once, unless a single item has more. The processes end with this
    process, however it ends.
    """
    head = list(islice(items, _INLINE))
    processes = os.cpu_count() or 1
    if len(head) < _INLINE or processes == 1:
        for item in chain(head, items):
            yield job.work(item, job.shared)
        return
    crew = _Crew(job, processes)
    try:
        for item in chain(head, items):
            pixels = job.pixels(item)
            while crew.is_full(pixels):
                yield crew.next_result()
            crew.submit(item, pixels)
        while crew.waiting:
            yield crew.next_result()
    finally:
        crew.end()


@dataclass(slots=True)
class _Waiting(Generic[Item]):
    """An item that was submitted to a process."""

    item: Item
    pixels: int
    future: Future[Any] | None  # None: its process was lost; it is to be done in a process of its own


@dataclass(slots=True)
class _Crew(Generic[Item, Shared, Result]):
    """The processes of a job and the items submitted to them; a broken pool is replaced."""

    job: Job[Item, Shared, Result]
    processes: int
    waiting: deque[_Waiting[Item]] = field(default_factory=deque)
    pixels: int = 0  # of all waiting items
    _pool: ProcessPoolExecutor | None = None
    _single: ProcessPoolExecutor | None = None  # of one process, for second tries

    def is_full(self, pixels: int) -> bool:
        """Whether a result must be taken before an item of this many pixels may be submitted."""
        crowded = len(self.waiting) >= self.processes * _IN_FLIGHT
        return bool(self.waiting) and (crowded or self.pixels + pixels > PIXELS_IN_FLIGHT)

    def submit(self, item: Item, pixels: int) -> None:
        """Submit an item to a process."""
        self.waiting.append(_Waiting(item, pixels, self._submitted(item)))
        self.pixels += pixels

    def next_result(self) -> Result:
        """Return the result of the item that has waited longest."""
        first = self.waiting[0]
        if first.future is not None:
            try:
                result: Result = first.future.result()
            except BrokenProcessPool:
                self._give_up_pool()
                result = self._done_alone(first.item)
        else:
            result = self._done_alone(first.item)
        self.waiting.popleft()
        self.pixels -= first.pixels
        return result

    def end(self) -> None:
        """Shut the processes down; items that they have not begun are dropped."""
        for pool in (self._pool, self._single):
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._single = None

    def _submitted(self, item: Item) -> Future[Any] | None:
        if self._pool is None:
            self._pool = self._new_pool(self.processes)
        try:
            return self._pool.submit(_work, item)
        except (RuntimeError, OSError):  # it is broken; OSError: it broke while it started a process
            self._give_up_pool()
            return None

    def _give_up_pool(self) -> None:
        """Mark the unfinished items to be done alone, since any of them may have ended a process."""
        self.end()
        for waiting in self.waiting:
            if waiting.future is not None and _was_lost(waiting.future):
                waiting.future = None

    def _done_alone(self, item: Item) -> Result:
        """Try an item again, in a process that has no other item."""
        if self._single is None:
            self._single = self._new_pool(1)
        try:
            result: Result = self._single.submit(_work, item).result()
        except BrokenProcessPool:
            self._single.shutdown(wait=False)
            self._single = None
            return self.job.lost(item)
        return result

    def _new_pool(self, processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            processes,
            mp_context=get_context("spawn"),
            initializer=_start_worker,
            initargs=(self.job.work, self.job.shared),
        )


def _was_lost(future: Future[object]) -> bool:
    """Wait for an item of a pool that was given up; return whether it was cancelled or lost with its process."""
    try:
        return isinstance(future.exception(), BrokenProcessPool)
    except (
        CancelledError
    ):  # also while waiting: the pool cancels what it has not begun in a thread of its own
        return True


# of a worker process: its function and that function's second argument
_assignment: tuple[Callable[[Any, Any], Any], Any] | None = None


def _start_worker(work: Callable[[Any, Any], Any], shared: Any) -> None:
    """Set up a worker process: it ignores Ctrl-C, which is for its parent, and ends when the parent has ended."""
    global _assignment
    _assignment = work, shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()


def _work(item: Any) -> Any:
    assert _assignment is not None
    work, shared = _assignment
    return work(item, shared)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
