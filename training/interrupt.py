"""What Lightning makes of Ctrl-C and SIGTERM, turned back into what Python has for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_as_interrupt() -> Iterator[None]:
    """Round `Trainer.fit`: its exit on Ctrl-C (which it ignores from then on) or SIGTERM is a KeyboardInterrupt.

    Raises:
        KeyboardInterrupt: the person or the system stopped the training.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as stopped:
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from stopped
