"""Field profiles of a library: a JSON file that a person may change, and a folder of background pictures each."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pipeline.domain.field_profile import FieldProfile, checked_name, is_profile_name, parse_profile
from pipeline.domain.photo_decoding import load_photo
from pipeline.errors import InvalidRecipe, StudioError, UnknownName, UnreadableImage
from pipeline.store.database import plain_faults

_SUFFIX = ".json"
_PICTURES = ".backgrounds-"  # between the name of a profile, which has no dot, and a random part: a folder


class FieldProfiles:
    """The profiles of a library: `fields/NAME.json` and `fields/NAME.backgrounds-…/`.

    A profile is written whole or not at all: its pictures first, into a folder of their own, which the JSON file names.

    Args:
        library: the library's folder. Only the holder of the work lock writes profiles.
    """

    def __init__(self, library: Path) -> None:
        self._library = library
        self._folder = library / "fields"

    def names(self) -> list[str]:
        """Return the names of all profiles."""
        return sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}") if is_profile_name(path.stem))

    def path(self, name: str) -> Path:
        """Return the JSON file of a profile, whether it exists or not.

        Raises:
            InvalidRequest: this cannot be the name of a profile.
        """
        return self._folder / f"{checked_name(name)}{_SUFFIX}"

    def read(self, name: str) -> FieldProfile:
        """Read a profile.

        Raises:
            UnknownName: there is none of this name.
            InvalidRecipe: its file was changed so that it cannot be read.
        """
        return parse_profile(self._text(name), str(self.path(name)))

    def version(self, name: str) -> str:
        """Return what changes with every change of a profile: 16 hexadecimal digits.

        Raises:
            UnknownName: there is none of this name.
        """
        files = sorted(path.name for path in self.backgrounds(name).values())
        return hashlib.sha256(repr((self._text(name), files)).encode()).hexdigest()[:16]

    def backgrounds(self, name: str) -> dict[str, Path]:
        """Return the background pictures that are there, hash of their photo → file; a deleted file is left out.

        Raises:
            UnknownName, InvalidRecipe: see `read`.
        """
        profile = self.read(name)
        paths = {
            each.photo_id: self._folder / profile.folder / Path(each.file).name
            for each in profile.backgrounds
        }
        return {photo_id: path for photo_id, path in paths.items() if path.is_file()}

    def problems(self) -> Iterator[str]:
        """Yield what cannot be read of the profiles, one sentence each; a picture that was deleted is not missed."""
        for name in self.names():
            try:
                profile = self.read(name)
            except StudioError as error:
                yield f"field profile '{name}': {error}"
                continue
            folder = self._folder / profile.folder
            if profile.backgrounds and not folder.is_dir():
                yield (
                    f"the backgrounds of field profile '{name}' are missing: {folder}; learn the profile again from "
                    "its photos"
                )
            for path in self.backgrounds(name).values():
                if not _is_image(path):
                    yield (
                        f"a background of field profile '{name}' cannot be read: {path}; delete it, or learn the "
                        "profile again from its photos"
                    )

    def write(self, name: str, profile: FieldProfile, pictures: Mapping[str, bytes]) -> FieldProfile:
        """Store a profile in the place of an earlier one of its name; return it as stored.

        Args:
            pictures: file name → WebP file of each of its backgrounds.

        Raises:
            LibraryUnusable: the disk is full or read-only; the earlier profile is as it was.
        """
        path = self.path(name)
        folder = self._folder / f"{name}{_PICTURES}{uuid.uuid4().hex[:12]}"
        stored = profile.model_copy(update={"folder": folder.name})
        with plain_faults(self._library):
            try:
                folder.mkdir(parents=True)
                for file, data in pictures.items():
                    _write(folder / file, data)
                _write(folder / path.name, stored.model_dump_json(indent=2).encode())
                (folder / path.name).replace(path)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        for earlier in self._folder.glob(f"{name}{_PICTURES}*"):
            if earlier != folder:
                shutil.rmtree(earlier, ignore_errors=True)
        return stored

    def _text(self, name: str) -> str:
        path = self.path(name)
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise UnknownName(
                "field profile",
                name,
                self.names(),
                if_none="none is stored yet; learn one with `python -m pipeline field PHOTOS`",
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidRecipe(f"{path} cannot be read: {error}; learn the profile again") from None


def _is_image(path: Path) -> bool:
    try:
        load_photo(path.read_bytes(), path.name)
    except (OSError, UnreadableImage):
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        with suppress(OSError):  # a file system without it
            os.fsync(file.fileno())
