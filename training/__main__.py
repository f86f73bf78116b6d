"""`python -m training`: fit one network, or study which use of the data is best."""

import signal
import sys

from pipeline.entry_point import exit_code


def _main() -> int:
    try:
        from training.cli import main

        return main()
    except KeyboardInterrupt:  # while the modules were still being imported
        return 130


for stop_signal in (
    signal.SIGINT,
    signal.SIGTERM,
):  # SIGINT too: a shell starts background jobs with it ignored
    signal.signal(stop_signal, signal.default_int_handler)
sys.exit(exit_code(_main))
