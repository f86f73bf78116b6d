"""publish: a release to a folder or to the Hub; export: for other tools."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pipeline.cli.command import Commands, Result, add_command, open_studio, progress_bar


def add_commands(commands: Commands) -> None:
    """Declare the commands."""
    _add_publish(commands)
    parser = add_command(commands, "export", _export, "write photos and accepted samples for other tools")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--format", required=True, metavar="NAME", help="one of the formats below")
    parser.details = _formats
    parser.add_argument("--origin", default="mixed", help="real, synthetic or mixed (default)")


def _formats() -> str:
    from pipeline.publish.exports import export_formats_help

    return f"formats: {export_formats_help()}"


def _add_publish(commands: Commands) -> None:
    parser = add_command(
        commands, "publish", _publish, "write the photos and the accepted samples as a dataset"
    )
    parser.add_argument(
        "--to", required=True, metavar="DIR|hf://datasets/ns/name", help="a folder, or a dataset on the Hub"
    )
    parser.add_argument(
        "--private",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether a new dataset on the Hub is private (default: yes)",
    )
    for option, summary in (
        ("--dry-run", "tell what would change; write nothing"),
        ("--pull-request", "open a pull request on the Hub instead of pushing"),
        ("--rejected", "add the rejected samples as a configuration, with their reasons"),
        ("--classes-changed", "allow classes of the previous release to be missing"),
        ("--replace", "overwrite what somebody else changed on the Hub"),
    ):
        parser.add_argument(option, action="store_true", help=summary)
    parser.add_argument("--study", type=Path, metavar="DIR", help="show this study's verdict on the card")


def _publish(options: argparse.Namespace) -> Result:
    from pipeline.services.releases.service import PublishRequest

    request = PublishRequest(
        to=options.to,
        private=options.private,
        dry_run=options.dry_run,
        pull_request=options.pull_request,
        replace=options.replace,
        rejected=options.rejected,
        classes_changed=options.classes_changed,
        study=options.study,
    )
    with open_studio(options) as studio, progress_bar("publish", "row") as on_progress:
        report = studio.releases.publish(request, on_progress=on_progress)
    answer = {**asdict(report.release), "path": report.path, "sentence": report.sentence}
    if report.push:
        answer["push"] = asdict(report.push)
    return Result(answer, report.sentence)


def _export(options: argparse.Namespace) -> Result:
    with open_studio(options) as studio, progress_bar("export", "image") as on_progress:
        report = studio.releases.export(
            options.to, options.format, origin=options.origin, on_progress=on_progress
        )
    sentence = f"{report.written} images written to {options.to} as {options.format}"
    if report.left_out:
        sentence += (
            f"; {report.left_out} left out because their object has no box "
            "(text-to-image samples, photos without a mask)"
        )
    answer = {"pictures": report.written, "left_out": report.left_out}
    return Result({**answer, "path": str(options.to), "format": options.format}, sentence)
