"""status: what a library holds; verify: whether its files and its database agree."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pipeline.cli.command import Commands, Result, add_command, open_studio


def add_commands(commands: Commands) -> None:
    """Declare the commands."""
    add_command(commands, "status", _status, "count photos and samples")
    parser = add_command(
        commands, "verify", _verify, "check files, database rows and hashes against each other"
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="restore what is damaged or missing, where it can be derived from the rest",
    )


def _status(options: argparse.Namespace) -> Result:
    with open_studio(options) as studio:
        counts = studio.library.counts()
    samples = ", ".join(f"{count} {state}" for state, count in counts.samples.items())
    classes = ", ".join(f"{label} {count}" for label, count in counts.classes.items())
    return Result(asdict(counts), f"{counts.subjects} photos ({classes or 'none'})\n{samples}")


def _verify(options: argparse.Namespace) -> Result:
    from pipeline.services.photos.repair import repair

    with open_studio(options) as studio:
        if not options.repair:
            problems = studio.library.verify()
            answer: dict[str, object] = {"problems": len(problems), "found": problems}
            return Result(
                answer, "\n".join(problems) or "files, rows and hashes agree", failed=bool(problems)
            )
        report = repair(studio.library)
    answer = {
        "problems": len(report.left),
        "found": list(report.left),
        "repaired": list(report.repaired),
        "to_render": report.to_render,
    }
    return Result(answer, report.sentence, failed=bool(report.left))
