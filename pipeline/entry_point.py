"""How a command-line entry point ends, also where the reader of its output has gone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def exit_code(main: Callable[[], int]) -> int | str | None:
    """Run a command and return what `sys.exit` takes; 0 if the reader closes the pipe early, as in `… | head -1`."""
    code: int | str | None
    try:
        try:
            code = main()
        except SystemExit as stopped:  # argparse: help or wrong usage
            code = stopped.code
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
