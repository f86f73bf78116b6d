"""The command line: one command per thing a person can do, over the studio.

Exit codes: 0 done; 1 the world said no (one sentence on stderr); 2 wrong usage; 130 interrupted (work so far
is kept, the same command resumes). With `--json`, stdout holds one JSON object and nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import Cancelled, StudioError
from pipeline.settings import settings_from

if TYPE_CHECKING:
    from pipeline.publish.deploy import DeployReport
    from pipeline.studio import Studio

Answer = dict[str, Any]
_INTERRUPTED = 130
_MOST_RECIPE_BYTES = 1_000_000  # far more than a recipe may have


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        answer, sentence = options.run(options)
    except Cancelled as stopped:
        print(f"backlot: {stopped}", file=sys.stderr)
        return _INTERRUPTED
    except KeyboardInterrupt:
        print("backlot: interrupted; what is finished is kept, the same command goes on", file=sys.stderr)
        return _INTERRUPTED
    except StudioError as error:
        print(f"backlot: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer, default=str) if options.json else sentence)
    return int(answer.get("problems", 0) != 0)


def _import(options: argparse.Namespace) -> tuple[Answer, str]:
    with _studio(options, create=True) as studio, _bar("import", "photo", options) as progress:
        columns = {name: getattr(options, f"{name}_column") for name in ("image", "label", "mask")}
        report = studio.photos.import_source(
            options.source, split=options.split, columns=columns, on_progress=progress
        )
    lines = [f"{report.added} added, {report.already} already there, {len(report.refused)} refused"]
    if report.repaired:
        lines.append(f"the damaged or missing files of {report.repaired} photos were written anew")
    if report.samples:
        lines.append(f"{report.samples} accepted samples came with them")
    if report.note:
        lines.append(report.note)
    if report.doubtful:
        lines.append(f"{report.doubtful} masks want a look: open the Photos page, or leave them out")
    lines += [f"  refused {name}: {reason}" for name, reason in report.refused[:20]]
    if len(report.refused) > 20:
        lines.append(f"  … and {len(report.refused) - 20} more; --json lists all")
    return asdict(report), "\n".join(lines)


def _generate(options: argparse.Namespace) -> tuple[Answer, str]:
    from pipeline.services.plans.planning import Overrides

    recipe = _recipe_text(options.recipe)
    with _studio(options) as studio, _bar("generate", "picture", options) as progress:
        report = studio.samples.generate(
            recipe, Overrides(**_overrides(options)), on_warnings=_print_warnings, on_progress=progress
        )
    sentence = f"{report.rendered} rendered in {report.seconds:.0f} s, {report.already} already there"
    if report.failed:
        sentence += f", {len(report.failed)} failed; the first: {report.failed[0][1]}"
    return asdict(report), sentence


def _print_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"backlot: {warning}", file=sys.stderr)


def _recipe_text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:  # not more than can be a recipe, whatever the path names
            return file.read(_MOST_RECIPE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise StudioError(f"recipe {path} cannot be read: {reason}; recipes/ holds worked examples") from None


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("count", "model", "method", "seed")}


def _status(options: argparse.Namespace) -> tuple[Answer, str]:
    with _studio(options) as studio:
        status = asdict(studio.library.counts())
    samples = ", ".join(f"{count} {state}" for state, count in status["samples"].items())
    classes = ", ".join(f"{label} {count}" for label, count in status["classes"].items())
    return status, f"{status['subjects']} photos ({classes or 'none'})\n{samples}"


def _gate(options: argparse.Namespace) -> tuple[Answer, str]:
    with _studio(options) as studio:
        report = studio.review.decisions.gate()
    reasons = "".join(f"\n  {gate}: {count}" for gate, count in report.reasons.items())
    return asdict(report), f"{report.accepted} accepted, {report.rejected} rejected by the gates{reasons}"


def _publish(options: argparse.Namespace) -> tuple[Answer, str]:
    from pipeline.services.releases.service import PublishRequest

    with _studio(options) as studio, _bar("publish", "row", options) as progress:
        given = {name: getattr(options, name) for name in _PUBLISHED}
        report = studio.releases.publish(PublishRequest(**given), on_progress=progress)
    answer = {**asdict(report.release), "path": report.path, "sentence": report.sentence}
    return answer | ({"push": asdict(report.push)} if report.push else {}), report.sentence


_PUBLISHED = ("to", "private", "dry_run", "pull_request", "replace", "rejected", "classes_changed", "study")


def _decisions(options: argparse.Namespace) -> tuple[Answer, str]:
    with _studio(options) as studio:
        count = studio.review.insights.export_decisions(options.to)
    return {"decisions": count, "path": str(options.to)}, f"{count} decisions written to {options.to}"


def _export(options: argparse.Namespace) -> tuple[Answer, str]:
    with _studio(options) as studio, _bar("export", "picture", options) as progress:
        report = studio.releases.export(
            options.to, options.format, origin=options.origin, on_progress=progress
        )
    sentence = f"{report.written} pictures written to {options.to} as {options.format}"
    if report.left_out:
        sentence += (
            f"; {report.left_out} left out because their object has no box "
            "(text-to-image samples, photos without a mask)"
        )
    answer = {"pictures": report.written, "left_out": report.left_out}
    return {**answer, "path": str(options.to), "format": options.format}, sentence


def _explain(options: argparse.Namespace) -> tuple[Answer, str]:
    from pipeline.services.samples.explain import explain, replay

    if options.replay and not options.library:
        raise StudioError("to draw it again, name the library that it was made from with --library")
    found = explain(options.file)
    answer: Answer = {
        "sample": found.spec.id,
        "source_type": found.source_type,
        "spec": json.loads(found.spec.to_json()),
    }
    sentence = found.sentence
    if options.replay:
        with _studio(options) as studio:
            most = replay(studio.library, found, options.replay)
        answer |= {"same_pixels": most == 0, "largest_difference": most}
        sentence += f"\ndrawn again to {options.replay}: {_compared(most)}"
    return answer, sentence


def _compared(most: int) -> str:
    """What the largest difference of two drawings says; by one level only sums are rounded otherwise."""
    if most == 0:
        return "the same pixels"
    if most == 1:
        return "the same pixels but for rounding (by 1 of 255)"
    return f"not the same pixels (by up to {most} of 255)"


def _deploy(options: argparse.Namespace) -> tuple[Answer, str]:
    from pipeline.publish.deploy import DeployOptions, deploy

    given = DeployOptions(
        dry_run=options.dry_run, private=options.private, hardware=options.hardware, replace=options.replace
    )
    report = deploy(options.space, options=given)
    sentence = _deployed(report, dry_run=options.dry_run)
    return {**asdict(report), "bytes": report.sent_bytes, "sentence": sentence}, sentence


def _deployed(report: DeployReport, *, dry_run: bool) -> str:
    if not report.files and not report.removed:
        return f"{report.url} is as this checkout; nothing was sent"
    verb = "would go" if dry_run else "went"
    sentence = f"{len(report.files)} files, {report.sent_bytes:,} bytes, {verb} to {report.url}"
    if report.removed:
        sentence += f", {len(report.removed)} {'would be ' if dry_run else ''}removed"
    if not dry_run:
        return sentence
    lines = [f"  {size:>12,}  {path}" for path, size in report.files]
    lines += [f"       removed  {path}" for path in report.removed]
    return "\n".join([sentence, *lines])


def _verify(options: argparse.Namespace) -> tuple[Answer, str]:
    from pipeline.services.photos.repair import repair

    with _studio(options) as studio:
        if options.repair:
            report = repair(studio.library)
            answer = {"problems": len(report.left), "found": list(report.left)}
            return {
                **answer,
                "repaired": list(report.repaired),
                "to_render": report.to_render,
            }, report.sentence
        problems = studio.library.verify()
    sentence = "\n".join(problems) or "files, rows and hashes agree"
    return {"problems": len(problems), "found": problems}, sentence


@contextmanager
def _studio(options: argparse.Namespace, *, create: bool = False) -> Iterator[Studio]:
    from pipeline.services.file_access import FileAccess
    from pipeline.studio import Studio

    settings = replace(settings_from(), library=options.library, state="")  # the app's alone
    with Studio(settings, create=create, access=FileAccess()) as studio:  # a person's own machine
        yield studio


@contextmanager
def _bar(
    verb: str, unit: str, options: argparse.Namespace
) -> Iterator[Callable[[int, int | None, str], None]]:
    """A progress bar on stderr with rate and time left; silent where stderr is not a terminal."""
    from tqdm import tqdm

    with tqdm(desc=verb, unit=f" {unit}", disable=None, leave=False, file=sys.stderr) as bar:

        def show(done: int, total: int | None, _name: str) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Turn a small labelled image set into a large, varied, reviewed and published one.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[..., Any], says: str, *, library: bool = True
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=says, description=says)
        sub.set_defaults(run=run)
        sub.add_argument("--library", type=Path, required=library, metavar="DIR", help="the library's folder")
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        return sub

    adding = command(
        "import",
        _import,
        "add photographs: a folder class/*.jpg, a .zip of it, hf://datasets/ns/name; or bring a release back",
    )
    adding.add_argument(
        "source",
        help="folder, .zip, hf://datasets/ns/name@revision?config=…&split=…, 'starter' or 'starter:field'; "
        "a release, in a folder or on the Hub, brings its photos and its accepted samples",
    )
    adding.add_argument(
        "--split", choices=["train", "test"], help="for all of them; default: 80 %% train by hash"
    )

    for name, guess in (("image", "pictures"), ("label", "labels"), ("mask", "masks")):
        adding.add_argument(
            f"--{name}-column", metavar="NAME", help=f"where a data set of the Hub has its {guess}"
        )

    making = command("generate", _generate, "plan a recipe and render what is missing")
    making.add_argument(
        "--recipe", type=Path, metavar="FILE", help="default: recipes/surfaces.yaml's content"
    )
    making.add_argument("--count", type=_positive, metavar="N", help="samples in all")
    making.add_argument("--model", metavar="NAME", help="nano, sdxl or a checkpoint folder")
    making.add_argument("--method", metavar="NAME", help="inpaint, controlnet, text_to_image or paste")
    making.add_argument("--seed", type=int, metavar="S")

    command("status", _status, "counts of photos and samples")
    command("gate", _gate, "decide by the automatic gates alone, marked as such")

    publishing = command("publish", _publish, "write the accepted samples and the photos as a dataset")
    publishing.add_argument("--to", required=True, metavar="DIR|hf://datasets/ns/name")
    publishing.add_argument("--private", action=argparse.BooleanOptionalAction, default=True)
    publishing.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")
    publishing.add_argument("--pull-request", action="store_true", help="propose it on the Hub instead")
    publishing.add_argument(
        "--rejected",
        action="store_true",
        help="the rejected samples too, as a configuration with their reasons",
    )
    publishing.add_argument("--study", type=Path, metavar="DIR", help="tell this study's verdict on the card")
    publishing.add_argument(
        "--classes-changed", action="store_true", help="classes of the release before may be missing"
    )
    publishing.add_argument(
        "--replace", action="store_true", help="write over what somebody else changed on the Hub"
    )

    exporting = command("export", _export, "write photos and accepted samples for other tools")
    exporting.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    exporting.add_argument("--format", required=True, help="folders, coco, yolo or webdataset")
    exporting.add_argument("--origin", default="mixed", help="real, synthetic or mixed (default)")

    telling = command("decisions", _decisions, "write all decisions of people and gates to one file")
    telling.add_argument("--to", type=Path, required=True, metavar="FILE", help=".parquet or .csv")

    explaining = command(
        "explain", _explain, "say where a picture file comes from, and draw it again", library=False
    )
    explaining.add_argument("file", type=Path, help="a picture of a library or of a release")
    explaining.add_argument("--replay", type=Path, metavar="OUT.webp", help="draw it again from --library")

    verifying = command("verify", _verify, "check files, rows and hashes against one another")
    verifying.add_argument(
        "--repair",
        action="store_true",
        help="derive anew what is damaged or missing and follows from the rest",
    )

    deploying = command("deploy", _deploy, "put this studio on a Space of the Hub", library=False)
    deploying.add_argument("--space", required=True, metavar="NAMESPACE/NAME")
    deploying.add_argument("--dry-run", action="store_true", help="say what would change, send nothing")
    deploying.add_argument("--private", action="store_true", help="of a new Space")
    deploying.add_argument(
        "--hardware",
        metavar="NAME",
        help="of a new Space, e.g. cpu-basic or zero-a10g; default: what the Hub gives",
    )
    deploying.add_argument(
        "--replace", action="store_true", help="write over what somebody else changed there"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)
