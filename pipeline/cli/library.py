"""status: what a library holds; verify: whether its files and its database agree."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.cli.command import Commands, Result, add_command, open_studio, progress_bar

if TYPE_CHECKING:
    from pipeline.domain.variety import SetVariety
    from pipeline.studio import Studio

_EMBEDDED_AT_ONCE = 64  # images between two updates of the progress bar


def add_commands(commands: Commands) -> None:
    """Declare the commands."""
    parser = add_command(
        commands, "status", _status, "count photos and samples; say how varied the images of each recipe are"
    )
    parser.add_argument(
        "--variety",
        action="store_true",
        help="compare the images that are not compared yet first; the others are compared already",
    )
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
        if options.variety:
            _compare(studio)
        counts, variety = studio.library.counts(), studio.samples.variety.measured()
    samples = ", ".join(f"{count} {state}" for state, count in counts.samples.items())
    classes = ", ".join(f"{label} {count}" for label, count in counts.classes.items())
    lines = [f"{counts.subjects} photos ({classes or 'none'})", samples, *_variety_lines(variety)]
    answer = {**asdict(counts), "variety": [_variety_answer(each) for each in variety if each.curves]}
    return Result(answer, "\n".join(lines))


def _compare(studio: Studio) -> None:
    """Embed the images that variety is measured of."""
    wanted = studio.samples.variety.uncompared()
    left = total = len(wanted)
    with progress_bar("compare", "image") as on_progress:
        while left:
            left = studio.samples.embeddings.embed_missing(_EMBEDDED_AT_ONCE, wanted=wanted)
            on_progress(max(0, total - left), total, "")


def _variety_lines(variety: list[SetVariety]) -> list[str]:
    """Return a sentence for each recipe and method with a curve, and one on what is not compared."""
    lines = [each.sentence for each in variety if each.curves]
    left = sum(each.wanted - each.compared for each in variety)
    if left:
        lines.append(f"{left} more images are not compared yet; status --variety does so")
    return lines


def _variety_answer(variety: SetVariety) -> dict[str, object]:
    return {
        "recipe": variety.recipe,
        "method": variety.method,
        "images": variety.images,
        "compared": variety.compared,
        "points": [asdict(point) for point in variety.points],
        "gains": {label: round(curve.gain, 4) for label, curve in sorted(variety.curves.items())},
    }


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
