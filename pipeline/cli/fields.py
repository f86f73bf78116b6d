"""field: learn from photos of the place where the objects will be seen."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pipeline.cli.command import Commands, Result, add_command, open_studio, progress_bar
from pipeline.errors import InvalidRequest


def add_commands(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "field",
        _field,
        "learn number and scale of objects, camera, light and backgrounds from unlabelled photos of a place, or show "
        "what was learnt",
    )
    parser.add_argument(
        "photos", type=Path, nargs="?", help="folder of 5 to 50 photos; left out to show a stored profile"
    )
    parser.add_argument(
        "--name", default="field", metavar="NAME", help="by which recipes name it (default: %(default)s)"
    )
    parser.add_argument(
        "--no-objects",
        action="store_true",
        help="the photos show no objects: all of them, up to 500, are backgrounds as they are",
    )
    parser.add_argument("--licence", default="", metavar="TEXT", help="of the photos; stored with them")


def _field(options: argparse.Namespace) -> Result:
    from pipeline.services.file_access import FileAccess
    from pipeline.services.plans.fields import learn_field, stored_field

    with open_studio(options) as studio:
        if options.photos is None:
            report = stored_field(studio.library, options.name)
        elif not options.photos.is_dir():
            raise InvalidRequest(f"{options.photos} is not a folder; name a folder of photos")
        else:
            files = sorted(FileAccess().images(options.photos))
            with progress_bar("field", "photo") as on_progress:
                report = learn_field(
                    studio.library,
                    files,
                    name=options.name,
                    has_objects=not options.no_objects,
                    licence=options.licence,
                    network=studio.settings.network_file,
                    on_progress=on_progress,
                )
    answer = {**asdict(report), "profile": report.profile.model_dump(mode="json")}
    return Result(answer, report.sentence)
