"""Publishing: what a release would hold, and writing it to a folder or to the Hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.domain.release import Part
from pipeline.errors import UnknownName
from pipeline.library import Library
from pipeline.publish import (
    Format,
    Outlook,
    PushOptions,
    PushReport,
    ReleaseOptions,
    ReleaseReport,
    Study,
    export,
    hub_name,
    outlook,
    push_release,
    release_card,
    write_release,
)
from pipeline.studio.imports import Progress
from pipeline.studio.reports import ReleaseOutlook


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


def release_outlook(library: Library, name: str, study: Study | None = None) -> ReleaseOutlook:
    """What would be published now, counted without writing anything."""
    found = outlook(library)
    return ReleaseOutlook(
        real=found.real,
        synthetic=found.synthetic,
        methods=found.methods,
        card=release_card(library, name=name, study=study),
        decided_by_gate=found.review.accepted_by_gates + found.review.accepted_by_helper,
    )


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
    said = _pushed(release, pushed, dry_run=request.dry_run)
    return {**asdict(release), "path": request.to, "push": asdict(pushed), "sentence": said}


def _pushed(release: ReleaseReport, pushed: PushReport, *, dry_run: bool) -> str:
    if not pushed.changed:
        return f"nothing changed: {pushed.url} holds release {release.version} already"
    changes = release.changes
    rows = f"{changes.added:,} rows added, {changes.removed:,} removed, {changes.changed:,} changed"
    since = f" since release {release.before}" if release.before else ""
    files = f"{len(pushed.files)} files ({_size(pushed.sent_bytes)})"
    if dry_run:
        lines = [f"release {release.version} of {pushed.url} would send {files}: {rows}{since}"]
        lines += [f"  + {path} ({_size(size)})" for path, size in pushed.files]
        lines += [f"  - {path}" for path in pushed.removed]
        lines += [f"  {pushed.kept} files stay as they are"] if pushed.kept else []
        return "\n".join(lines)
    if pushed.pull_request:
        return f"{files} proposed at {pushed.pull_request}: {rows}{since}"
    return f"release {release.version} pushed to {pushed.url} (tag {pushed.tag}): {files}, {rows}{since}"


def _size(size: int) -> str:
    mega = size / 1e6
    return f"{mega:,.1f} MB" if mega >= 0.1 else f"{max(1, round(size / 1e3))} kB"


def _to_folder(
    library: Library, request: PublishRequest, options: ReleaseOptions, on_progress: Progress | None
) -> dict[str, Any]:
    folder = Path(request.to)
    if request.dry_run:
        found = outlook(library)
        return {
            **_counts(found),
            "path": str(folder),
            "sentence": f"{_said(found)} would be written to {folder}",
        }
    release = write_release(
        library, folder, name=folder.resolve().name, options=options, on_progress=_rows(on_progress)
    )
    said = f"{_said(outlook(library))} written to {release.path}"
    if not release.changed:
        said = f"nothing changed: {release.path} holds release {release.version} already"
    return {**asdict(release), "sentence": said}


def _counts(found: Outlook) -> dict[str, Any]:
    return {"real": found.real, "synthetic": found.synthetic, "methods": found.methods}


def _said(found: Outlook) -> str:
    real, synthetic = (sum(map(_total, part.values())) for part in (found.real, found.synthetic))
    return f"{real} photos and {synthetic} accepted samples"


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _rows(on_progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if on_progress is None else lambda done, total: on_progress(done, total, "")


def export_to(library: Library, to: Path, kind: str, *, origin: str, on_progress: Progress | None) -> int:
    """Write the pictures of a release as class folders, COCO, YOLO or WebDataset; how many.

    Args:
        kind: one of `Format`.
        origin: real, synthetic or mixed.

    Raises:
        UnknownName: no such format or origin.
        ReleaseRefused: there is nothing to export, or the folder cannot be written.
    """
    if kind not in list(Format):
        raise UnknownName("format", kind, list(Format))
    mixed = (Part.REAL, Part.SYNTHETIC)
    if origin not in (*mixed, "mixed"):
        raise UnknownName("origin", origin, [*mixed, "mixed"])
    parts = mixed if origin == "mixed" else (Part(origin),)
    return export(library, to, Format(kind), parts=parts, on_progress=_rows(on_progress))
