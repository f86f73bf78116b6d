"""`python -m training`: fit one network, or study which use of the data is best."""

import sys

from training.cli import main

sys.exit(main())
