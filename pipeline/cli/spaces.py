"""deploy: this studio to a Space of the Hub."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.cli.command import Commands, Result, add_command

if TYPE_CHECKING:
    from pipeline.publish.deploy import DeployReport


def add_commands(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "deploy", _deploy, "put this studio on a Space of the Hub", library=False)
    parser.add_argument(
        "--space", required=True, metavar="NAMESPACE/NAME", help="made where it does not exist"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell what would change; send nothing")
    parser.add_argument("--private", action="store_true", help="make a new Space private")
    parser.add_argument(
        "--hardware",
        metavar="NAME",
        help="of a new Space, e.g. cpu-basic or zero-a10g; default: what the Hub gives",
    )
    parser.add_argument("--replace", action="store_true", help="overwrite what somebody else changed there")


def _deploy(options: argparse.Namespace) -> Result:
    from pipeline.publish.deploy import DeployOptions, deploy

    request = DeployOptions(
        dry_run=options.dry_run, private=options.private, hardware=options.hardware, replace=options.replace
    )
    report = deploy(options.space, options=request)
    sentence = _sentence(report, dry_run=options.dry_run)
    return Result({**asdict(report), "bytes": report.sent_bytes, "sentence": sentence}, sentence)


def _sentence(report: DeployReport, *, dry_run: bool) -> str:
    if not report.files and not report.removed:
        return f"nothing sent: {report.url} equals this checkout"
    verb = "would be sent" if dry_run else "sent"
    sentence = f"{len(report.files)} files, {report.sent_bytes:,} bytes, {verb} to {report.url}"
    if report.removed:
        sentence += f", {len(report.removed)} {'would be ' if dry_run else ''}removed"
    if not dry_run:
        return sentence
    lines = [f"  {size:>12,}  {path}" for path, size in report.files]
    lines += [f"       removed  {path}" for path in report.removed]
    return "\n".join([sentence, *lines])
