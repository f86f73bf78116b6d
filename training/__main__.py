"""`python -m training`: fit one network, or study which use of the data is best."""

import signal
import sys

for polite in (
    signal.SIGINT,
    signal.SIGTERM,
):  # also where a shell started us in the background with SIGINT ignored
    signal.signal(polite, signal.default_int_handler)
try:
    from training.cli import main

    code = main()
except KeyboardInterrupt:  # while the modules were still loading
    code = 130
sys.exit(code)
