"""Decide which paths of this machine a recipe or a request may name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.errors import InvalidRecipe, InvalidRequest
from pipeline.rendering import CHECKPOINTS
from pipeline.settings import Settings

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_MOST_FILES = 20_000  # files that are listed in one folder
_ASK = "or ask the owner of this studio to add its folder to BACKLOT_ROOTS"


@dataclass(frozen=True, slots=True)
class FileAccess:
    """The folders that recipes and requests may read images and models from.

    With `roots` None, every path that this process can read, for a person at their own machine; otherwise only paths
    inside these folders after links are resolved. A refusal does not reveal whether the path exists.
    """

    roots: tuple[Path, ...] | None = None
    models: frozenset[str] = frozenset()  # further models that the owner offers, by name or folder

    def path(self, text: str, key: str, instead: str) -> Path:
        """Return the path that a text names, if it may be read.

        Args:
            key: the setting that names the path, e.g. "backdrops.folder"; the message begins with it.
            instead: what the message recommends in its place.

        Raises:
            InvalidRequest: the path lies outside the roots.
        """
        if not self._holds(text):
            raise InvalidRequest(f"{key} names a path that may not be read here; use {instead}, {_ASK}")
        return Path(text)

    def model(self, name: str) -> str:
        """Return the name of a model if it may be used: a registered model, or a folder inside the roots.

        Raises:
            InvalidRequest: the model is neither.
        """
        if name not in CHECKPOINTS and name not in self.models and not self._holds(name):
            known = " or ".join(CHECKPOINTS)
            raise InvalidRequest(f"this studio does not offer the model that was named; use {known}, {_ASK}")
        return name

    def images(self, folder: Path) -> Iterator[Path]:
        """Iterate over the image files of a folder and its sub-folders.

        Raises:
            InvalidRecipe: there are more than 20,000 files.
        """
        files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
        for number, path in enumerate(islice(files, _MOST_FILES + 1)):
            if number == _MOST_FILES:
                raise InvalidRecipe(f"{folder} has more than {_MOST_FILES:,} files; name a smaller folder")
            if path.suffix.lower() in IMAGE_SUFFIXES and os.path.isfile(path) and self._holds(str(path)):
                yield path

    def _holds(self, text: str) -> bool:
        if self.roots is None:
            return True
        try:
            real = Path(os.path.realpath(text))
        except (OSError, ValueError):
            return False
        return any(real.is_relative_to(os.path.realpath(root)) for root in self.roots)


def file_access(settings: Settings) -> FileAccess:
    """Return what the settings allow: on a Space the folders of BACKLOT_ROOTS and its model, otherwise every path."""
    if not settings.hosted:
        return FileAccess()
    roots = tuple(Path(root) for root in settings.roots.split(os.pathsep) if root)
    return FileAccess(roots, models=frozenset({settings.model}))
