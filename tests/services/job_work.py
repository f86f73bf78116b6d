"""Work for `test_cores`: a module of its own, because other processes import it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


class Counted:
    """A shared argument that counts, in a file, how often it is pickled."""

    def __init__(self, tally: Path) -> None:
        self.tally = tally

    def __reduce__(self) -> tuple[type[Counted], tuple[Path]]:
        with self.tally.open("a") as file:
            file.write("pickled\n")
        return Counted, (self.tally,)


def doubled(item: int, _shared: object) -> int:
    return 2 * item


def doubled_unless_poison(item: int, poison: set[int]) -> int:
    """Ends its process at a poisoned item, as the kernel does when memory runs out."""
    if item in poison:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item


def doubled_at_the_second_try(item: int, tries: Path) -> int:
    """Ends its process when it first sees item 5."""
    if item == 5 and not tries.exists():
        tries.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item


def noted_process(item: int, folder: Path) -> int:
    """Leaves its process id in a folder, then stays busy."""
    (folder / str(os.getpid())).touch()
    time.sleep(600)
    return item
