"""Publishing: what a release would hold, and writing it to a folder or to the Hub."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.domain.release import Origin
from pipeline.errors import UnknownName
from pipeline.library import Library
from pipeline.publish import Format, Outlook, export, hub_name, outlook, push, release_card, write_release
from pipeline.studio.imports import Progress
from pipeline.studio.reports import ReleaseOutlook


def release_outlook(library: Library, name: str) -> ReleaseOutlook:
    """What would be published now, counted without writing anything."""
    found = outlook(library)
    return ReleaseOutlook(
        real=found.real,
        synthetic=found.synthetic,
        methods=found.methods,
        card=release_card(library, name=name),
        decided_by_gate=found.review.accepted_by_gates + found.review.accepted_by_helper,
    )


def publish(
    library: Library,
    to: str,
    *,
    private: bool,
    dry_run: bool,
    on_progress: Progress | None,
) -> dict[str, Any]:
    """Write a release to a folder or push it to `hf://datasets/ns/name`; what was done, JSON-ready.

    Raises:
        ReleaseRefused: nothing is there to publish, or the place cannot be written.
    """
    name = hub_name(to)
    if name is None:
        return _to_folder(library, Path(to), dry_run=dry_run, on_progress=on_progress)
    with tempfile.TemporaryDirectory(prefix="backlot-release-") as scratch:
        release = write_release(
            library, Path(scratch) / "release", name=name.split("/")[1], on_progress=_rows(on_progress)
        )
        pushed = push(release.path, name, private=private, dry_run=dry_run)
    verb = "would be pushed" if dry_run else "pushed"
    sentence = f"{len(pushed.files)} files {verb} to {pushed.url}"
    return {**asdict(release), "path": to, "push": asdict(pushed), "sentence": sentence}


def _to_folder(
    library: Library, folder: Path, *, dry_run: bool, on_progress: Progress | None
) -> dict[str, Any]:
    if dry_run:
        found = outlook(library)
        return {
            **_counts(found),
            "path": str(folder),
            "sentence": f"{_said(found)} would be written to {folder}",
        }
    release = write_release(library, folder, name=folder.resolve().name, on_progress=_rows(on_progress))
    found = outlook(library)
    return {**asdict(release), "sentence": f"{_said(found)} written to {release.path}"}


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
    if origin not in (*Origin, "mixed"):
        raise UnknownName("origin", origin, [*Origin, "mixed"])
    origins = tuple(Origin) if origin == "mixed" else (Origin(origin),)
    return export(library, to, Format(kind), origins=origins, on_progress=_rows(on_progress))
