"""generate: render a plan; runs: list and drop runs; explain: where an image file comes from."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.cli.command import Commands, Result, add_command, open_studio, positive, progress_bar
from pipeline.errors import InvalidRequest, StudioError

_MOST_RECIPE_BYTES = 1_000_000  # far more than a recipe may have


def add_commands(commands: Commands) -> None:
    """Declare the commands."""
    _add_generate(commands)
    parser = add_command(commands, "runs", _runs, "list the runs of a library: recipe, progress, time left")
    parser.add_argument(
        "--drop",
        metavar="NAME",
        help="forget the images that a paused run has not rendered; finished images are kept",
    )

    parser = add_command(
        commands, "explain", _explain, "tell where an image file comes from; render it again", library=False
    )
    parser.add_argument("file", type=Path, help="an image of a library or of a release")
    parser.add_argument("--replay", type=Path, metavar="OUT.webp", help="render it again from --library")


def _add_generate(commands: Commands) -> None:
    parser = add_command(commands, "generate", _generate, "plan a recipe and render what has no image yet")
    parser.add_argument(
        "--recipe", type=Path, metavar="FILE", help="the recipe as YAML (default: as recipes/surfaces.yaml)"
    )
    parser.add_argument("--count", type=positive, metavar="N", help="number of samples in the plan")
    parser.add_argument("--model", metavar="NAME", help="nano, sdxl or a checkpoint folder")
    parser.add_argument("--method", metavar="NAME", help="inpaint, controlnet, text_to_image or paste")
    parser.add_argument(
        "--seed", type=int, metavar="S", help="another seed gives other samples of the same recipe"
    )
    parser.add_argument(
        "--rounds",
        type=positive,
        default=1,
        metavar="N",
        help="generate in N rounds; each later round has more samples of the classes that a linear probe is least "
        "certain of (default: %(default)s)",
    )
    parser.add_argument(
        "--refill",
        action="store_true",
        help="generate what review left missing of the recipe's plan: as many images of each class as were rejected, "
        "of what the others lack; --count and --seed do not matter",
    )
    parser.add_argument("--dry-run", action="store_true", help="tell what would be generated; store nothing")


def _generate(options: argparse.Namespace) -> Result:
    from pipeline.services.plans.planning import Overrides

    recipe = _recipe_text(options.recipe)
    overrides = Overrides(
        count=options.count,
        model=options.model,
        method=options.method,
        seed=options.seed,
        refill=options.refill,
    )
    if options.rounds > 1 and options.refill:
        raise InvalidRequest("a refill has no rounds; leave out --rounds, or --refill")
    if options.rounds > 1 and options.dry_run:
        raise InvalidRequest(
            "a dry run has no rounds, since each later round rests on the images before it; leave out --rounds, or "
            "--dry-run"
        )
    if options.dry_run:
        with open_studio(options) as studio:
            preview = studio.plans.preview(recipe, overrides)
        _print_warnings(preview.warnings)
        return Result(asdict(preview), preview.summary)
    with open_studio(options) as studio, progress_bar("generate", "image") as on_progress:
        report = studio.samples.generate(
            recipe,
            overrides,
            rounds=options.rounds,
            on_warnings=_print_warnings,
            on_progress=on_progress,
        )
    sentence = f"{report.rendered} rendered in {report.seconds:.0f} s, {report.already} already there"
    if report.replaced:
        sentence += f", {report.replaced} of them in the place of images that differ less from the others"
    if report.failed:
        sentence += f", {len(report.failed)} failed; the first: {report.failed[0][1]}"
    return Result(asdict(report), "\n".join([*report.rounds, sentence]))


def _runs(options: argparse.Namespace) -> Result:
    answer: dict[str, object] = {}
    sentences = []
    with open_studio(options) as studio:
        runs = studio.samples.runs
        if options.drop is not None:
            answer["dropped"] = dropped = runs.drop(options.drop)
            sentences.append(
                f"dropped {dropped} images of '{options.drop}' that were not rendered yet"
                if dropped
                else f"the run '{options.drop}' is finished; nothing was to be dropped"
            )
        listed = runs.listed()
    answer["runs"] = [asdict(run) for run in listed]
    return Result(answer, "\n".join([*sentences, *(run.sentence for run in listed)] or ["no runs yet"]))


def _print_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"backlot: note: {warning}", file=sys.stderr)


def _recipe_text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:  # not more than can be a recipe, whatever the path names
            return file.read(_MOST_RECIPE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise StudioError(f"recipe {path} cannot be read: {reason}; recipes/ holds worked examples") from None


def _explain(options: argparse.Namespace) -> Result:
    from pipeline.services.samples.explain import explain, replay

    if options.replay and not options.library:
        raise StudioError(
            "--replay needs the library that the image was made from; name the library with --library"
        )
    explanation = explain(options.file)
    answer: dict[str, object] = {
        "sample": explanation.spec.id,
        "source_type": explanation.source_type,
        "spec": json.loads(explanation.spec.to_json()),
    }
    sentence = explanation.sentence
    if options.replay:
        with open_studio(options) as studio:
            difference = replay(studio.library, explanation, options.replay)
        answer |= {"same_pixels": difference == 0, "largest_difference": difference}
        sentence += f"\nrendered again to {options.replay}: {_compared(difference)}"
    return Result(answer, sentence)


def _compared(difference: int) -> str:
    """What the largest difference of two renderings means; sums in another order round by one level."""
    if difference == 0:
        return "the same pixels"
    if difference == 1:
        return "the same pixels up to rounding (by 1 of 255)"
    return f"not the same pixels (by up to {difference} of 255)"
