"""import: photos into a library; photos: list those to check, exclude some."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline.cli.command import Commands, Result, add_command, open_studio, progress_bar
from pipeline.errors import InvalidRequest

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.services.reports import ImportReport

_NAMED_REFUSALS = 20


def add_commands(commands: Commands) -> None:
    """Declare the commands."""
    _add_import(commands)
    parser = add_command(
        commands,
        "photos",
        _photos,
        "list the photos whose mask needs checking and those that are excluded; exclude photos, or include them again",
    )
    for option, effect in (
        ("--exclude", "take these photos out of plans and releases"),
        ("--include", "take these photos back in"),
    ):
        parser.add_argument(
            option,
            nargs="+",
            default=[],
            metavar="NAME",
            help=f"{effect}; names as an import tells them, or ids",
        )


def _add_import(commands: Commands) -> None:
    parser = add_command(
        commands,
        "import",
        _import,
        "add the photos of a source, or restore a release; `import --help` lists the sources",
    )
    parser.add_argument("source", help="one of the sources below")
    parser.details = _sources
    parser.add_argument(
        "--split",
        choices=["train", "test"],
        help="for all photos; default: that of the source, else one photo in five of each class is for the test",
    )
    parser.add_argument(
        "--relabel",
        action="store_true",
        help="give photos that the library holds under another class the class of the source",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what an import would find; nothing is written"
    )
    for name, content in (("image", "images"), ("label", "labels"), ("mask", "masks")):
        parser.add_argument(
            f"--{name}-column",
            metavar="NAME",
            help=f"column of a list or a Hub dataset that holds the {content}",
        )


def _sources() -> str:
    from pipeline.sources import sources_help

    return f"sources: {sources_help()}; a release brings its photos and its accepted samples"


def _import(options: argparse.Namespace) -> Result:
    columns = {name: getattr(options, f"{name}_column") for name in ("image", "label", "mask")}
    with (
        _library_for(options) as opened,
        open_studio(opened, create=True) as studio,
        progress_bar("import", "photo") as on_progress,
    ):
        report = studio.photos.import_source(
            options.source,
            split=options.split,
            columns=columns,
            relabel=options.relabel,
            dry_run=options.dry_run,
            on_progress=on_progress,
        )
    return Result(asdict(report), _sentence(report))


def _photos(options: argparse.Namespace) -> Result:
    with open_studio(options) as studio:
        ids = {
            False: studio.photos.bulk.ids_of(options.include),
            True: studio.photos.bulk.ids_of(options.exclude),
        }
        if set(ids[True]) & set(ids[False]):
            raise InvalidRequest(
                "a photo is named after both --exclude and --include; name it after one of them"
            )
        for excluded, of_state in ids.items():
            studio.library.photos.exclude_all(of_state, excluded)
        to_check = studio.photos.to_check()
        out = [photo for photo in studio.library.photos.list() if photo.excluded]
    lines = [f"{photo.name}: {'; '.join(photo.mask_doubts)}" for photo in to_check]
    lines += [f"{photo.name}: excluded" for photo in out]
    answer = {
        "to_check": [_photo_answer(photo) for photo in to_check],
        "excluded": [*map(_photo_answer, out)],
    }
    return Result(answer, "\n".join(lines) or "no mask needs checking, and no photo is excluded")


def _photo_answer(photo: Photo) -> dict[str, object]:
    return {
        "id": photo.id,
        "name": photo.name,
        "label": photo.label,
        "split": photo.split,
        "mask_score": photo.mask_score,
        "doubts": list(photo.mask_doubts),
    }


@contextmanager
def _library_for(options: argparse.Namespace) -> Iterator[argparse.Namespace]:
    """Yield the options, with an empty library in a temporary folder for a dry run into a library that is not there."""
    if not options.dry_run or options.library.exists():
        yield options
        return
    with TemporaryDirectory() as folder:
        yield argparse.Namespace(**{**vars(options), "library": Path(folder) / "library"})


def _sentence(report: ImportReport) -> str:
    lines = [f"{report.added} added, {report.already} already there, {len(report.refused)} refused"]
    if report.dry_run:
        lines[0] = f"dry run, nothing was written: {lines[0]}"
    if report.repaired:
        lines.append(f"the damaged or missing files of {report.repaired} photos were restored")
    if report.samples:
        verb = "would be" if report.dry_run else "were"
        lines.append(f"{report.samples} accepted samples {verb} imported with them")
    if report.note:
        lines.append(report.note)
    lines += report.warnings
    if report.other_class and not report.relabelled:
        lines.append("  import again with --relabel to give them the class of the source")
    if report.doubtful:
        lines.append(
            f"{report.doubtful} masks need checking: open the Photos page, or list the photos with "
            "`python -m pipeline photos` and exclude them with --exclude"
        )
    lines += [f"  refused {name}: {reason}" for name, reason in report.refused[:_NAMED_REFUSALS]]
    if len(report.refused) > _NAMED_REFUSALS:
        lines.append(f"  … and {len(report.refused) - _NAMED_REFUSALS} more; --json lists all")
    return "\n".join([*lines, report.summary])
