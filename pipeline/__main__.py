"""`python -m pipeline …`"""

import sys

from pipeline.cli import main
from pipeline.entry_point import exit_code

if __name__ == "__main__":
    sys.exit(exit_code(main))
