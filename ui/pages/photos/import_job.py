"""One import at a time, in the background, so that the page follows it, stops it and outlives a reload."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import Cancelled, InvalidRequest, LibraryBusy, StudioError
from ui.errors import sentence_of

if TYPE_CHECKING:
    from pipeline.services.reports import ImportReport
    from pipeline.studio import Studio

_RETRY_SECONDS = 2.0
_UPLOADED = "uploaded"  # the source of images that came without a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to import, and how.

    Raises:
        InvalidRequest: there is nothing to import, or loose images have no class that can be a folder's name.
    """

    sources: tuple[str, ...] = ()  # each imported by itself
    images: tuple[str, ...] = ()  # paths of loose images, all of one class
    label: str = ""  # of the loose images
    split: str | None = None
    relabel: bool = False
    dry_run: bool = False
    are_uploads: bool = False  # sources are uploads, whose paths tell a person nothing
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.sources and not self.images:
            raise InvalidRequest("choose a .zip, a folder or some image files first")
        if self.images and not self.label:
            raise InvalidRequest(
                "name the class of these images, e.g. bolt; or choose a folder or .zip with one folder per class"
            )
        if self.images and (any(sign in self.label for sign in "/\\:\0") or self.label.startswith(".")):
            raise InvalidRequest(
                f"class '{self.label}' cannot be a folder name; use letters, digits, spaces, - and _"
            )


@dataclass(slots=True)
class ImportJob:
    """The import of a studio that is in progress, or the last one; a page polls it."""

    studio: Studio
    request: ImportRequest | None = None
    done: int = 0
    total: int | None = None
    doing: str = ""  # the name of the current photo, or what is done to all
    ended: int = 0  # imports that have ended
    reports: list[ImportReport] = field(default_factory=list)
    stopped: str = ""  # what became of an import that was stopped
    problem: str = ""  # why it failed
    _shown: dict[str, str] = field(default_factory=dict)  # path of an upload → what a person knows it by
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def running(self) -> bool:
        """Whether an import is in progress."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, request: ImportRequest) -> None:
        """Begin an import.

        Raises:
            InvalidRequest: another one is in progress.
        """
        with self._starting:
            if self.running:
                raise InvalidRequest("an import is in progress; wait for its end, or stop it")
            self._stop.clear()
            self.request, self.reports = request, []
            self._shown = {path: Path(path).name for path in request.sources} if request.are_uploads else {}
            self.done, self.total, self.doing, self.stopped, self.problem = 0, None, "", "", ""
            self._thread = threading.Thread(target=self._run, args=(request,), name="import", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask the import to stop after the current photo."""
        self._stop.set()

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, request: ImportRequest) -> None:
        try:
            for source in request.sources:
                self._import(source, request)
            if request.images:
                self._import_loose(request)
        except Cancelled as cancelled:
            added = cancelled.done + sum(report.added for report in self.reports)
            self.stopped = _stopped(request, added)
        except StudioError as error:
            self.problem = str(error)
            for path, name in self._shown.items():
                self.problem = self.problem.replace(path, name)
        except Exception as error:  # nobody else would see it
            self.problem = sentence_of(error, self._run)
        finally:
            self.ended += 1

    def _import_loose(self, request: ImportRequest) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / _UPLOADED
            self._shown[str(folder)] = f"the images of '{request.label}'"
            (folder / request.label).mkdir(parents=True)
            names = distinct_names([Path(path).name for path in request.images])
            for path, name in zip(request.images, names, strict=True):
                shutil.copy(path, folder / request.label / name)
            self._import(str(folder), request)

    def _import(self, source: str, request: ImportRequest) -> None:
        while True:
            try:
                report = self.studio.photos.import_source(
                    source,
                    split=request.split,
                    token=request.token,
                    relabel=request.relabel,
                    dry_run=request.dry_run,
                    on_progress=self._note,
                    cancelled=self._stop.is_set,
                )
            except LibraryBusy as busy:  # an import or a run holds the lock; no photo was stored
                self.doing = f"waiting for another task to finish: {busy.task}"
                if self._stop.wait(_RETRY_SECONDS):
                    raise Cancelled(0) from None
            else:
                self.reports.append(report)
                return

    def _note(self, done: int, total: int | None, name: str) -> None:
        self.done, self.total, self.doing = done, total, name


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return file names that can share a folder: a.jpg, and "a (2).jpg" for another a.jpg or A.jpg."""
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    distinct = []
    for name in names:
        free, number = name, 1
        if name.casefold() in seen:
            while free.casefold() in taken:
                number += 1
                free = f"{Path(name).stem} ({number}){Path(name).suffix}"
        seen.add(name.casefold())
        taken.add(free.casefold())
        distinct.append(free)
    return distinct


def _stopped(request: ImportRequest, added: int) -> str:
    if request.dry_run:
        return "Stopped; nothing was written."
    if not added:
        return "Stopped before the first photo was added."
    photos = "1 photo, which is" if added == 1 else f"{added} photos, which are"
    return f"Stopped after {photos} in the library; the same import again adds the rest."
