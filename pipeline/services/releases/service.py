"""Preview, publish and export releases."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipeline.domain.release import Subset
from pipeline.domain.splits import TEST
from pipeline.errors import InvalidRequest, ReleaseRefused, UnknownName
from pipeline.publish import (
    CardDetails,
    ExportReport,
    PushOptions,
    ReleaseContents,
    ReleaseOptions,
    Study,
    card,
    export,
    hub_name,
    previous_release,
    push_release,
    refuse_foreign,
    release_contents,
    released_photos,
    write_release,
)
from pipeline.services.releases.reports import PublishReport
from pipeline.services.releases.source import release_source
from pipeline.services.reports import Progress, ReleasePreview
from pipeline.services.studies.verdicts import newest_verdict, study_verdict
from pipeline.settings import Settings
from pipeline.store import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """The destination of a release, and what it contains besides the photos and the accepted samples."""

    to: str  # a folder, or hf://datasets/ns/name
    private: bool = True  # where a dataset is created on the Hub
    dry_run: bool = False
    pull_request: bool = False
    replace: bool = False  # overwrite what somebody else changed on the Hub
    rejected: bool = False  # with the rejected samples in a configuration of their own
    classes_changed: bool = False  # allow that classes of the previous release are missing
    study: Path | None = None  # folder of the study whose verdict the card shows; None: the newest one
    token: str | None = field(default=None, repr=False)  # None: HF_TOKEN or the saved sign-in

    @property
    def on_hub(self) -> bool:
        """Whether the release goes to the Hub."""
        return hub_name(self.to) is not None


class ReleaseService:
    """The releases of a library. The library is surveyed once after each change."""

    def __init__(self, library: Library, settings: Settings) -> None:
        self._library = library
        self._settings = settings
        self._surveyed: tuple[int, ReleaseContents] | None = None  # change number → the survey of that state
        self._surveying = threading.Lock()  # concurrent requests wait for one survey

    def preview(self, name: str = "my-dataset") -> ReleasePreview:
        """Count and describe a release called `name`; nothing is written.

        Raises:
            ReleaseRefused: there is nothing to publish.
        """
        contents = self._survey()
        study = newest_verdict(self._settings.runs, self._library)
        return ReleasePreview(
            real=contents.counts[Subset.REAL],
            synthetic=contents.counts[Subset.SYNTHETIC],
            methods=dict(sorted(contents.methods.items())),
            card=card(contents, CardDetails(name=name, study=study)),
            decided_by_gate=contents.review.accepted_by_gates + contents.review.accepted_by_auto_reviewer,
        )

    def publish(self, request: PublishRequest, *, on_progress: Progress | None = None) -> PublishReport:
        """Write a release to a folder, or push it to `hf://datasets/ns/name`.

        Raises:
            ReleaseRefused: there is nothing to publish, the destination cannot be written, or a visitor of a Space
                publishes to the Hub without a token of their own.
        """
        if self._settings.hosted and request.on_hub and not request.token:
            raise ReleaseRefused("on a Space your own account publishes; sign in with Hugging Face first")
        if request.study:
            study: Study | None = study_verdict(request.study)
        else:
            study = newest_verdict(self._settings.runs, self._library)
        options = ReleaseOptions(
            rejected=request.rejected, classes_changed=request.classes_changed, study=study
        )
        if name := hub_name(request.to):
            return self._to_hub(name, request, options, on_progress)
        return self._to_folder(Path(request.to), request, options, on_progress)

    def export(
        self, to: Path, kind: str, *, origin: str = "mixed", on_progress: Progress | None = None
    ) -> ExportReport:
        """Write photos and accepted samples for other tools: as class folders, COCO, YOLO or WebDataset.

        Args:
            kind: one of `EXPORT_FORMATS`.
            origin: real, synthetic or mixed.

        Raises:
            UnknownName: no such format or origin.
            ReleaseRefused: there is nothing to export, or the folder cannot be written.
        """
        mixed = (Subset.REAL, Subset.SYNTHETIC)
        if origin not in (*mixed, "mixed"):
            raise UnknownName("origin", origin, [*mixed, "mixed"])
        subsets = mixed if origin == "mixed" else (Subset(origin),)
        return export(self._library, to, kind, subsets=subsets, on_progress=_rows(on_progress))

    def folders(self) -> list[Path]:
        """Return the release folders on this machine, newest first; not the hidden ones that are just being written."""
        written: dict[Path, int] = {}
        for readme in self._settings.releases.glob("[!.]*/README.md"):
            with suppress(FileNotFoundError):  # it is deleted, or replaced by a newer version, at this moment
                written[readme.parent] = readme.parent.stat().st_mtime_ns
        return sorted(written, key=written.__getitem__, reverse=True)

    def test_photos(self, folder: Path, *, of_all_splits: bool = False) -> dict[str, int]:
        """Count the test photos of each class in a release folder; empty where it holds none that can be read.

        Args:
            of_all_splits: whether the release serves as a test set, in which every photo is a test photo.
        """
        counts = released_photos(folder)
        labels = sorted({label for by_label in counts.values() for label in by_label})
        chosen = [by_label for split, by_label in counts.items() if of_all_splits or split == TEST]
        return {label: sum(by_label[label] for by_label in chosen) for label in labels}

    def _survey(self) -> ReleaseContents:
        with self._surveying:
            number = self._library.change_number()  # read first: a later change makes the survey out of date
            if self._surveyed is not None and self._surveyed[0] == number:
                return self._surveyed[1]
            surveyed = release_contents(release_source(self._library))
            self._surveyed = None if number is None else (number, surveyed)
            return surveyed

    def _to_hub(
        self, name: str, request: PublishRequest, options: ReleaseOptions, on_progress: Progress | None
    ) -> PublishReport:
        push = PushOptions(
            private=request.private,
            dry_run=request.dry_run,
            pull_request=request.pull_request,
            replace=request.replace,
            token=request.token,
        )
        release, pushed = push_release(
            release_source(self._library), name, release=options, options=push, on_progress=_rows(on_progress)
        )
        return PublishReport(release=release, path=request.to, dry_run=request.dry_run, push=pushed)

    def _to_folder(
        self, folder: Path, request: PublishRequest, options: ReleaseOptions, on_progress: Progress | None
    ) -> PublishReport:
        if request.pull_request or request.replace:
            raise InvalidRequest(
                "pull requests and --replace are for the Hub; publish to hf://datasets/NAMESPACE/NAME"
            )
        write = partial(
            write_release,
            release_source(self._library),
            name=folder.resolve().name,
            options=options,
            on_progress=_rows(on_progress),
        )
        if request.dry_run:
            refuse_foreign(folder)
            with tempfile.TemporaryDirectory(prefix="backlot-release-") as scratch:
                release = write(Path(scratch) / "release", before=previous_release(folder))
        else:
            release = write(folder)
        return PublishReport(release=release, path=str(folder), dry_run=request.dry_run)


def _rows(on_progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if on_progress is None else lambda done, total: on_progress(done, total, "")
