"""What every command shares: its declaration, its result, the open studio, and its progress."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import StudioError
from pipeline.settings import settings_from

if TYPE_CHECKING:
    from pipeline.services.reports import Progress
    from pipeline.studio import Studio

    Commands = argparse._SubParsersAction["CommandParser"]
else:
    Commands = object

_LINE_EVERY_S = 10.0  # progress where stderr is not a terminal


class CommandParser(argparse.ArgumentParser):
    """A parser whose help may end with text that is read only when somebody asks for it.

    The tables of sources and export formats import OpenCV and PyArrow, which would slow down every command.
    """

    details: Callable[[], str] | None = None

    def format_help(self) -> str:
        """Return the help text."""
        if self.details:
            self.epilog = self.details()
        return super().format_help()


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found or did."""

    answer: Mapping[str, object]  # printed as JSON with --json
    sentence: str  # printed without it
    failed: bool = False  # it ran, and found problems: exit code 1


def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], Result],
    summary: str,
    *,
    library: bool = True,
) -> CommandParser:
    """Declare a command with the options that all have; return its parser for the others.

    Args:
        library: whether --library is required.
    """
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(run=run)
    parser.add_argument("--library", type=Path, required=library, metavar="DIR", help="folder of the library")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


@contextmanager
def open_studio(options: argparse.Namespace, *, create: bool = False) -> Iterator[Studio]:
    """Open the library that the options name; every path of this machine may be read.

    Args:
        create: make the library where there is none; a refusal that leaves it empty leaves no folder.
    """
    from pipeline.services.file_access import FileAccess
    from pipeline.studio import Studio

    settings = replace(settings_from(), library=options.library, state="")  # the replica is the app's
    new = [folder for folder in (settings.library, *settings.library.parents) if not folder.exists()]
    with Studio(settings, create=create, access=FileAccess()) as studio:
        try:
            yield studio
        except StudioError:
            if new and studio.library.delete_if_empty():
                _remove_empty(new[1:])
            raise


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, innermost first, up to the first that holds something."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


@contextmanager
def progress_bar(verb: str, unit: str) -> Iterator[Progress]:
    """Show progress on stderr with rate and time left: as a bar, or as lines where stderr is not a terminal."""
    from tqdm import tqdm

    if not sys.stderr.isatty():
        yield progress_lines(verb, unit)
        return
    with tqdm(desc=verb, unit=f" {unit}", leave=False, file=sys.stderr) as bar:

        def show(done: int, total: int | None, _name: str) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def progress_lines(verb: str, unit: str, *, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Return what prints progress as lines on stderr, one in ten seconds; nothing of work that ends sooner.

    Args:
        clock: tells the time in seconds.
    """
    from tqdm import tqdm

    began = printed = clock()
    last_done = 0

    def show(done: int, total: int | None, _name: str) -> None:
        nonlocal began, printed, last_done
        now = clock()
        if done < last_done:  # the next stage of the work, which counts from the start
            began = now
        last_done = done
        if now - printed >= _LINE_EVERY_S:
            printed = now
            line = tqdm.format_meter(done, total, now - began, ncols=0, prefix=verb, unit=f" {unit}")
            print(line, file=sys.stderr, flush=True)

    return show


def positive(text: str) -> int:
    """Parse a whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)
