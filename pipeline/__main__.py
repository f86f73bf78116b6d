"""`python -m pipeline …`"""

import os
import sys

from pipeline.cli import main

if __name__ == "__main__":
    code: int | str | None
    try:
        try:
            code = main()
        except SystemExit as stopped:  # argparse: help or wrong usage
            code = stopped.code
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as in `… | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
