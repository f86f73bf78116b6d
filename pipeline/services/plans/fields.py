"""Learn a field profile from photos of the place where the objects will be seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from pipeline.domain.field_light import FieldLight, in_light_of
from pipeline.domain.field_profile import (
    USUAL_NAME,
    FieldBackground,
    FieldProfile,
    checked_name,
    profile_rows,
)
from pipeline.domain.images import RGB, encode_webp, pixel_hash
from pipeline.domain.photo_decoding import load_photo
from pipeline.domain.recipe import Recipe, Start
from pipeline.domain.recipe_faults import fault_sentence
from pipeline.domain.recipe_learnt import FieldPlacement
from pipeline.domain.texts import LONGEST_NAME, text_fault
from pipeline.embedding import Embedder, load_embedder, most_similar
from pipeline.errors import Cancelled, InvalidRequest, UnreadableImage
from pipeline.services.photos.near_duplicates import photo_vectors
from pipeline.services.plans.field_photos import (
    MeasuredPhoto,
    background_notes,
    cameras_of,
    covered_of,
    light_of,
    measured_photo,
    placement_of,
)
from pipeline.services.reports import Progress
from pipeline.store import Library


class FieldPart(StrEnum):
    """What a recipe can take from a profile."""

    PLACEMENT = "placement"
    BACKGROUNDS = "backgrounds"
    CAMERA = "camera"
    LIGHT = "light"


LEAST_PHOTOS, MOST_PHOTOS = 5, 50
MOST_BACKGROUNDS = 500  # photos without objects
_SHOWN_REFUSALS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport:
    """A stored profile, and the photos that were not used for it."""

    name: str
    path: Path
    profile: FieldProfile
    refused: tuple[tuple[str, str], ...] = ()  # (file, reason)

    @property
    def sentence(self) -> str:
        """What was learnt, as a short table, with what could not be told."""
        rows = list(profile_rows(self.profile))
        width = max(len(what) for what, _ in rows)
        lines = [f"{what:<{width}}  {values}" for what, values in rows]
        lines += self.profile.notes
        lines += [f"refused {name}: {reason}" for name, reason in self.refused[:_SHOWN_REFUSALS]]
        if len(self.refused) > _SHOWN_REFUSALS:
            lines.append(f"… and {len(self.refused) - _SHOWN_REFUSALS} more; --json lists all")
        return "\n".join([*lines, f"stored as '{self.name}': {self.path}"])


def stored_field(library: Library, name: str) -> FieldReport:
    """Return a profile that was learnt before.

    Raises:
        UnknownName: there is none of this name.
        InvalidRecipe: its file cannot be read.
    """
    return FieldReport(name=name, path=library.fields.path(name), profile=library.fields.read(name))


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A recipe that takes parts of a profile."""

    recipe: Recipe
    parts: tuple[FieldPart, ...]  # in which it differs from the earlier one
    note: str = ""  # why the words for the light stay, as a clause


def like_field(
    recipe: Recipe, name: str, parts: Collection[FieldPart], light: FieldLight | None = None
) -> FieldChange:
    """Return a recipe that takes parts of a profile; what it says itself of the same things is left out.

    With the backgrounds it starts from pictures, where none of its methods would use them otherwise. The light is put
    into words: of the recipe's slot `light` only those stay that fit.

    Args:
        light: of the profile; None where it is not known.

    Raises:
        InvalidRequest: none of its methods can use backgrounds.
    """
    differing: list[FieldPart] = []
    alike, note = recipe, ""
    for part in FieldPart:
        if part not in parts:
            continue
        earlier = alike
        if part is not FieldPart.LIGHT:
            alike = _with_part(alike, name, part)
        elif light is not None:
            alike, note = in_light_of(alike, light)
        if alike.model_dump() != earlier.model_dump():
            differing.append(part)
    return FieldChange(alike, tuple(differing), note)


def _with_part(recipe: Recipe, name: str, part: FieldPart) -> Recipe:
    """Return a recipe that takes numbers or backgrounds of a profile."""
    values = recipe.model_dump(mode="json")
    if part is FieldPart.PLACEMENT:
        ranges = next(iter(recipe.arrangements.values())).model_dump(mode="json")
        told = {*FieldPlacement.model_fields, "name", "weight"}
        values["placement"] = {key: value for key, value in ranges.items() if key not in told} | {
            "like": name
        }
    elif part is FieldPart.CAMERA:
        values["camera"] = {"like": name}
    elif part is FieldPart.BACKGROUNDS:
        values["backdrops"]["folder"] = name
        if not recipe.needs_backgrounds(recipe.methods):
            values["start"] = str(Start.PICTURE)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise InvalidRequest(fault_sentence(error, Recipe)) from None


def learn_field(
    library: Library,
    files: Sequence[Path],
    *,
    name: str = USUAL_NAME,
    has_objects: bool = True,
    licence: str = "",
    network: Path | None = None,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FieldReport:
    """Measure unlabelled photos of a place and empty them of objects; store the profile in place of an earlier one.

    Args:
        files: 5 to 50 image files; up to 500 where they show no objects.
        has_objects: otherwise every photo is a background as it is, and nothing is told of objects.
        licence: of the photos, as the person names it; stored with them.
        network: the ONNX file of the network that finds objects; None for the one that is installed.

    Raises:
        InvalidRequest: a wrong name or licence, too few or too many photos, or too few of them can be used.
        LibraryBusy: another task holds the library.
        Cancelled: it was stopped; nothing was stored.
    """
    checked_name(name)
    least, most = (LEAST_PHOTOS, MOST_PHOTOS) if has_objects else (1, MOST_BACKGROUNDS)
    _refuse_outside(files, least, most, licence)
    with library.work_lock("field"):
        survey = _Survey(library, _Tested.of(library, cancelled), has_objects, network)
        for number, file in enumerate(files, start=1):
            if cancelled and cancelled():
                raise Cancelled()
            survey.add(file)
            if on_progress:
                on_progress(number, len(files), _shown_name(file))
        survey.refuse_fewer_than(least)
        pictures = {each.file: each.data for each in survey.pictures}
        profile = library.fields.write(name, survey.profile(licence), pictures)
        path = library.fields.path(name)
    return FieldReport(name=name, path=path, profile=profile, refused=tuple(survey.refused))


def _refuse_outside(files: Sequence[Path], least: int, most: int, licence: str) -> None:
    if not least <= len(files) <= most:
        raise InvalidRequest(f"{len(files)} photos were given; {least} to {most} are needed")
    if fault := text_fault(licence, LONGEST_NAME):
        raise InvalidRequest(f"the licence {fault}")


def _shown_name(file: Path) -> str:
    """Return a file's name as text that can be stored and printed: "?" for bytes that are no UTF-8."""
    return file.name.encode("utf-8", "replace").decode()[:LONGEST_NAME]


@dataclass(frozen=True, slots=True)
class _Tested:
    """The test photos of a library, none of which may teach anything."""

    embedder: Embedder
    names: list[str]
    vectors: NDArray[np.float16]  # (N, D)

    @classmethod
    def of(cls, library: Library, cancelled: Callable[[], bool] | None) -> _Tested:
        embedder, photos = load_embedder(), library.photos.list(split="test")
        known = photo_vectors(library, embedder, photos, cancelled=cancelled)
        readable = [photo for photo in photos if photo.image_id in known]
        vectors = [known[photo.image_id] for photo in readable]
        stacked = np.stack(vectors) if vectors else np.zeros((0, embedder.size), np.float16)
        return cls(embedder, [photo.name for photo in readable], stacked)

    def fault(self, rgb: RGB) -> str:
        """Say which test photo a photo is, or nearly is; "" for none."""
        if not self.names:
            return ""
        places, similarities = most_similar(self.embedder.embed([rgb]), self.vectors)
        if similarities[0] < self.embedder.near_duplicate:
            return ""
        return f"it is, or nearly is, the test photo '{self.names[places[0]]}' of the library; take another photo"


@dataclass(frozen=True, slots=True)
class _Picture:
    """A background that is to be stored."""

    file: str
    data: bytes
    photo: str
    photo_id: str


@dataclass(slots=True)
class _Survey:
    """The photos of a place that were measured so far."""

    library: Library
    tested: _Tested
    has_objects: bool
    network: Path | None
    photos: list[MeasuredPhoto] = field(default_factory=list)
    pictures: list[_Picture] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def add(self, file: Path) -> None:
        """Measure a photo, or note why it cannot be used."""
        name = _shown_name(file)
        try:
            data = file.read_bytes()
            rgb = load_photo(data, name).rgb
        except UnreadableImage as refusal:
            self.refused.append((name, refusal.reason))
            return
        except OSError as error:
            self.refused.append((name, f"it cannot be read: {error.strerror}"))
            return
        photo_id = pixel_hash(rgb)
        twin = next((photo.name for photo in self.photos if photo.photo_id == photo_id), None)
        if fault := f"the same pixels as {twin}" if twin else self.tested.fault(rgb):
            self.refused.append((name, fault))
            return
        photo, background = measured_photo(
            name, rgb, data, has_objects=self.has_objects, network=self.network
        )
        self.photos.append(photo)
        if background is not None:
            stored_as = f"{len(self.photos):03d}.webp"
            self.pictures.append(_Picture(stored_as, encode_webp(background), name, photo_id))

    def refuse_fewer_than(self, least: int) -> None:
        """Check that so many photos can be used.

        Raises:
            InvalidRequest: there are fewer.
        """
        if len(self.photos) < least:
            first, reason = self.refused[0]
            number = len(self.photos) + len(self.refused)
            raise InvalidRequest(
                f"only {len(self.photos)} of {number} photos can be used, at least {least} are needed; the first that "
                f"cannot, {first}: {reason}"
            )

    def profile(self, licence: str) -> FieldProfile:
        """Say what the photos have in common."""
        placement, notes = FieldPlacement(), list[str]()
        if self.has_objects:
            placement, notes = placement_of(self.photos)
        return FieldProfile(
            photos=len(self.photos),
            licence=licence,
            covered=covered_of(self.photos),
            placement=placement,
            camera=cameras_of(self.photos),
            light=light_of(self.photos),
            backgrounds=tuple(
                FieldBackground(file=each.file, photo=each.photo, photo_id=each.photo_id)
                for each in self.pictures
            ),
            notes=(*notes, *background_notes(self.photos)),
        )
