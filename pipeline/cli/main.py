"""Parses the arguments, runs one command, and turns its result or its refusal into an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from pipeline.cli import fields, library, photos, releases, review, samples, spaces
from pipeline.cli.command import CommandParser, Commands, Result
from pipeline.errors import Cancelled, StudioError

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        result: Result = options.run(options)
    except Cancelled as stopped:
        print(f"backlot: {stopped}", file=sys.stderr)
        return _INTERRUPTED
    except KeyboardInterrupt:
        print("backlot: interrupted; finished work is kept, the same command resumes", file=sys.stderr)
        return _INTERRUPTED
    except StudioError as error:
        print(f"backlot: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result.answer, default=str) if options.json else result.sentence)
    return int(result.failed)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m pipeline",
        description="Turn a small labelled image set into a large, varied, reviewed and published one.",
        epilog="Exit codes: 0 done; 1 refused, the reason is on stderr; 2 wrong usage; 130 interrupted.",
    )
    commands: Commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for noun in (photos, fields, samples, library, review, releases, spaces):
        noun.add_commands(commands)
    return parser
