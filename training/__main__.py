"""`python -m training`: fit one network, or study which use of the data is best."""

import os
import signal
import sys

for stop_signal in (
    signal.SIGINT,
    signal.SIGTERM,
):  # SIGINT too: a shell starts background jobs with it ignored
    signal.signal(stop_signal, signal.default_int_handler)
code: int | str | None
try:
    try:
        from training.cli import main

        code = main()
    except KeyboardInterrupt:  # while the modules were still being imported
        code = 130
    except SystemExit as stopped:  # argparse: help or wrong usage
        code = stopped.code
    sys.stdout.flush()
except BrokenPipeError:  # the reader has seen enough, as in `… | head -1`
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    code = 0
sys.exit(code)
