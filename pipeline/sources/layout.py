"""Find the images, classes and masks in a tree of files by their names, without reading them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.errors import SourceRefused
from pipeline.sources.item import IMAGE_SUFFIXES, Refusal

MASKS = "masks"
_SPLITS = frozenset({"train", "test", "val", "valid", "validation"})
_IGNORED = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class Entry:
    """An image file: its class, its path inside the source, and the path of its mask or None."""

    label: str
    path: PurePosixPath
    mask: PurePosixPath | None


def image_entries(paths: Iterable[PurePosixPath], *, unwrap: bool) -> tuple[list[Entry], list[Refusal]]:
    """Return the images in order of path, and the files that are refused.

    Args:
        paths: files, relative to the source's root.
        unwrap: whether to skip folders that contain all others, as archives have.

    Raises:
        SourceRefused: the folders are splits, not classes.
    """
    visible = [path for path in sorted(set(paths)) if not _is_hidden(path)]
    images = [path for path in visible if path.suffix.lower() in IMAGE_SUFFIXES]
    refused = [
        Refusal(str(path), f"is not an image file ({path.suffix or 'no extension'})")
        for path in visible
        if path.suffix.lower() not in IMAGE_SUFFIXES
    ]
    depth = _wrappers(images) if unwrap else 0
    masks = {_mask_key(path, depth): path for path in images if path.parts[depth] == MASKS}
    entries = []
    for path in images:
        if path.parts[depth] == MASKS and len(path.parts) > depth + 1:
            continue
        if len(path.parts) < depth + 2:
            refused.append(Refusal(str(path), "is outside any class folder"))
            continue
        own = path.relative_to(*path.parts[:depth]) if depth else path
        entries.append(Entry(path.parts[depth], path, masks.get(own.with_suffix(""))))
    _refuse_splits(entries, depth)
    return entries, refused


def _is_hidden(path: PurePosixPath) -> bool:
    return path.name.lower() in _IGNORED or any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _wrappers(paths: list[PurePosixPath]) -> int:
    """Return how many folders contain everything else, class folders included."""
    depth = 0
    while (
        paths
        and all(len(path.parts) > depth + 2 for path in paths)
        and len({path.parts[depth] for path in paths}) == 1
    ):
        depth += 1
    return depth


def _mask_key(path: PurePosixPath, depth: int) -> PurePosixPath:
    return PurePosixPath(*path.parts[depth + 1 :]).with_suffix("") if len(path.parts) > depth + 1 else path


def _refuse_splits(entries: list[Entry], depth: int) -> None:
    labels = {entry.label.lower() for entry in entries}
    if labels and labels <= _SPLITS and all(len(entry.path.parts) > depth + 2 for entry in entries):
        names = ", ".join(sorted({entry.label for entry in entries}))
        raise SourceRefused(
            f"the folders are splits ({names}), not classes; import each by itself (--split train or test)"
        )
