"""The command line: one module a noun, each of which declares its commands and runs them on the studio.

Exit codes: 0 done; 1 refused, the reason is on stderr; 2 wrong usage; 130 interrupted (work so far is kept, the same
command resumes). With `--json`, stdout holds one JSON object and nothing else.
"""

from pipeline.cli.main import main

__all__ = ["main"]
