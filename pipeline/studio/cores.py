"""Work on many things at once, results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing import get_context
from typing import TypeVar

_INLINE = 8  # below this a pool of processes costs more than it saves
_IN_FLIGHT = 3  # things waiting per process, so that memory stays flat

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def on_all_cores(things: Iterator[Thing], work: Callable[[Thing], Result]) -> Iterator[Result]:
    """`work` on each of the things, here for a few, on all cores for many; in their order.

    Args:
        work: a function of a module, or a `partial` of one: it is sent to other processes.
    """
    head = list(islice(things, _INLINE))
    processes = os.cpu_count() or 1
    if len(head) < _INLINE or processes == 1:
        yield from map(work, chain(head, things))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for thing in chain(head, things):
                waiting.append(pool.submit(work, thing))
                if len(waiting) >= processes * _IN_FLIGHT:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
