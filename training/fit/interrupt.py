"""Turns Lightning's exit on Ctrl-C and SIGTERM back into KeyboardInterrupt."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def exit_as_interrupt() -> Iterator[None]:
    """Wrap `Trainer.fit`: its exit on Ctrl-C (which it ignores from then on) or SIGTERM becomes a KeyboardInterrupt.

    Raises:
        KeyboardInterrupt: the user or the system stopped the training.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as stopped:
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from stopped
