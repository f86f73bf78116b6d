"""Find the files that lists and annotations name, and the splits that they mean. Only files of the source are found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from pipeline.domain.photo_formats import is_image_name
from pipeline.domain.photo_layout import visible

_SPLITS = {"train": "train", "val": "test", "valid": "test", "validation": "test", "test": "test"}


class FileIndex:
    """The images of a source by their paths and names.

    Args:
        paths: files, relative to the source's root.
    """

    def __init__(self, paths: Iterable[PurePosixPath]) -> None:
        self._images = {path for path in visible(paths) if is_image_name(path)}
        self._by_name: dict[str, list[PurePosixPath]] = {}
        for path in sorted(self._images):
            for key in (path.name, path.stem):
                self._by_name.setdefault(key, []).append(path)

    def find(self, name: str, *folders: PurePosixPath) -> PurePosixPath | None:
        """Return the image of a name: below one of some folders, or the only one with this file name, ending or not.

        Args:
            name: a path as a list gives it.
            folders: where to look first, in order.
        """
        named = PurePosixPath(name.strip().replace("\\", "/"))
        if not name.strip():
            return None
        for folder in (*folders, PurePosixPath()):
            if folder / named in self._images:
                return folder / named
        candidates = self._by_name.get(named.name, ())
        if len(candidates) > 1:
            near = [path for path in candidates if path.parts[-len(named.parts) :] == named.parts]
            candidates = near or [
                path for path in candidates if any(path.is_relative_to(one) for one in folders)
            ]
        return candidates[0] if len(candidates) == 1 else None


def split_named(text: str) -> str | None:
    """Return train or test where a path or value says so: valid/images, instances_val2017, Training …; else None."""
    for word in re.findall(r"[a-z]+", text.lower()):
        split = _SPLITS.get(word.removesuffix("ing"))
        if split:
            return split
    return None
