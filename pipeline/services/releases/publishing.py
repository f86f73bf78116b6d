"""Publishing: what a release would hold, and writing it to a folder or to the Hub."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.domain.release import Subset
from pipeline.domain.sizes import file_size
from pipeline.errors import InvalidRequest, UnknownName
from pipeline.publish import (
    ExportReport,
    Format,
    PushOptions,
    PushReport,
    ReleaseOptions,
    ReleaseReport,
    Study,
    Survey,
    card,
    earlier_release,
    export,
    hub_name,
    outlook_of,
    push_release,
    refuse_foreign,
    survey,
    write_release,
)
from pipeline.services.photos.importing import Progress
from pipeline.services.reports import ReleaseOutlook
from pipeline.store import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """Where a release goes, and what is in it besides the photos and the accepted samples."""

    to: str  # a folder, or hf://datasets/ns/name
    private: bool = True  # where a data set is made new on the Hub
    dry_run: bool = False
    pull_request: bool = False
    replace: bool = False  # take the place of what somebody else changed on the Hub
    rejected: bool = False  # the rejected samples as a configuration of their own
    classes_changed: bool = False  # classes of the release before may be missing
    study: Path | None = None  # folder of a study whose verdict the card tells
    token: str | None = field(default=None, repr=False)  # None: HF_TOKEN or the saved sign-in

    @property
    def on_hub(self) -> bool:
        """Whether it goes to the Hub."""
        return hub_name(self.to) is not None


class ReleaseOutlooks:
    """What would be published now. The library is surveyed once for each state that it is in."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._surveyed: tuple[int, Survey] | None = None  # change number → what was found then
        self._surveying = threading.Lock()  # pages that ask at once wait for one survey

    def outlook(self, name: str, study: Study | None = None) -> ReleaseOutlook:
        """Count and describe a release called `name`, without writing anything.

        Raises:
            ReleaseRefused: there is nothing to publish.
        """
        found = self._survey()
        counted = outlook_of(found)
        return ReleaseOutlook(
            real=counted.real,
            synthetic=counted.synthetic,
            methods=counted.methods,
            card=card(found, name=name, version="1", dataset_info=(), study=study),
            decided_by_gate=found.review.accepted_by_gates + found.review.accepted_by_helper,
        )

    def _survey(self) -> Survey:
        with self._surveying:
            number = (
                self._library.change_number()
            )  # before the survey: a change meanwhile makes the next one anew
            if self._surveyed is not None and self._surveyed[0] == number:
                return self._surveyed[1]
            found = survey(self._library)
            self._surveyed = None if number is None else (number, found)
            return found


def publish(
    library: Library, request: PublishRequest, *, study: Study | None, on_progress: Progress | None
) -> dict[str, Any]:
    """Write a release to a folder or push it to `hf://datasets/ns/name`; what was done, JSON-ready.

    Raises:
        ReleaseRefused: nothing is there to publish, or the place cannot be written.
    """
    options = ReleaseOptions(rejected=request.rejected, classes_changed=request.classes_changed, study=study)
    name = hub_name(request.to)
    if name is None:
        return _to_folder(library, request, options, on_progress)
    push = PushOptions(
        private=request.private,
        dry_run=request.dry_run,
        pull_request=request.pull_request,
        replace=request.replace,
        token=request.token,
    )
    release, pushed = push_release(
        library, name, release=options, options=push, on_progress=_rows(on_progress)
    )
    sentence = _pushed(release, pushed, dry_run=request.dry_run)
    return {**asdict(release), "path": request.to, "push": asdict(pushed), "sentence": sentence}


def _pushed(release: ReleaseReport, pushed: PushReport, *, dry_run: bool) -> str:
    if not pushed.changed:
        return f"nothing changed: {pushed.url} holds release {release.version} already"
    rows = release.changes
    since = f" since release {release.before}" if release.before else ""
    files = f"{len(pushed.files)} files ({file_size(pushed.sent_bytes)})"
    if dry_run:
        lines = [f"release {release.version} of {pushed.url} would send {files}: {rows}{since}"]
        lines += [f"  + {path} ({file_size(size)})" for path, size in pushed.files]
        lines += [f"  - {path}" for path in pushed.removed]
        lines += [f"  {pushed.kept} files stay as they are"] if pushed.kept else []
        lines += ["  without an account a private data set there cannot be seen"] if pushed.unseen else []
        return "\n".join(lines)
    if pushed.pull_request:
        return f"{files} proposed at {pushed.pull_request}: {rows}{since}"
    return f"release {release.version} pushed to {pushed.url} (tag {pushed.tag}): {files}, {rows}{since}"


def _to_folder(
    library: Library, request: PublishRequest, options: ReleaseOptions, on_progress: Progress | None
) -> dict[str, Any]:
    if request.pull_request or request.replace:
        raise InvalidRequest(
            "pull requests and --replace are for the Hub; publish to hf://datasets/NAMESPACE/NAME"
        )
    folder = Path(request.to)
    write = partial(
        write_release, library, name=folder.resolve().name, options=options, on_progress=_rows(on_progress)
    )
    if request.dry_run:
        refuse_foreign(folder)
        with tempfile.TemporaryDirectory(prefix="backlot-release-") as scratch:
            release = write(Path(scratch) / "release", before=earlier_release(folder))
    else:
        release = write(folder)
    return {**asdict(release), "path": folder, "sentence": _written(release, folder, dry_run=request.dry_run)}


def _written(release: ReleaseReport, folder: Path, *, dry_run: bool) -> str:
    if not release.changed:
        return f"nothing changed: {folder} holds release {release.version} already"
    numbers = {config: sum(release.counts[config].values()) for config in release.counts if config != "mixed"}
    held = [f"{numbers['real']:,} photos", f"{numbers['synthetic']:,} accepted samples"]
    held += [f"{numbers['rejected']:,} rejected ones"] if "rejected" in numbers else []
    since = f"; {release.changes} since release {release.before}" if release.before else ""
    verb = "would be written" if dry_run else "written"
    return f"{', '.join(held)} {verb} to {folder} as release {release.version}{since}"


def _rows(on_progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if on_progress is None else lambda done, total: on_progress(done, total, "")


def export_to(
    library: Library, to: Path, kind: str, *, origin: str, on_progress: Progress | None
) -> ExportReport:
    """Write the pictures of a release as class folders, COCO, YOLO or WebDataset.

    Args:
        kind: one of `Format`.
        origin: real, synthetic or mixed.

    Raises:
        UnknownName: no such format or origin.
        ReleaseRefused: there is nothing to export, or the folder cannot be written.
    """
    if kind not in list(Format):
        raise UnknownName("format", kind, list(Format))
    mixed = (Subset.REAL, Subset.SYNTHETIC)
    if origin not in (*mixed, "mixed"):
        raise UnknownName("origin", origin, [*mixed, "mixed"])
    parts = mixed if origin == "mixed" else (Subset(origin),)
    return export(library, to, Format(kind), parts=parts, on_progress=_rows(on_progress))
