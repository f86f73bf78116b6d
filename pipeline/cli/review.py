"""gate: decide by the quality gates; decisions: export them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pipeline.cli.command import Commands, Result, add_command, open_studio, progress_bar


def add_commands(commands: Commands) -> None:
    """Declare the commands."""
    parser = add_command(
        commands, "gate", _gate, "decide pending samples by the quality gates alone, marked as such"
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="first measure them with networks as well, about half a second an image: whether the background continues "
        "the object or shows another one of its class, whether the object is recognised, near-duplicates",
    )
    parser.add_argument(
        "--strict", action="store_true", help="reject objects that are sharper than their background, too"
    )
    parser = add_command(
        commands, "decisions", _decisions, "write all decisions of people and gates to one file"
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help=".parquet or .csv")


def _gate(options: argparse.Namespace) -> Result:
    with open_studio(options) as studio:
        if options.thorough:
            with progress_bar("measure", "image") as on_progress:
                studio.review.measures.measure(strict=options.strict, on_progress=on_progress)
        report = studio.review.decisions.gate(strict=options.strict)
    reasons = "".join(f"\n  {gate}: {count}" for gate, count in report.reasons.items())
    return Result(
        asdict(report), f"{report.accepted} accepted, {report.rejected} rejected by the gates{reasons}"
    )


def _decisions(options: argparse.Namespace) -> Result:
    with open_studio(options) as studio:
        count = studio.review.insights.export_decisions(options.to)
    return Result({"decisions": count, "path": str(options.to)}, f"{count} decisions written to {options.to}")
