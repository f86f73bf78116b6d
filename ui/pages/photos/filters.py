"""Which photos the Photos page shows, and in which order: for the overview, and for the arrows of an open photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.errors import InvalidRequest

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.studio import Studio

_SPLITS = ("train", "test")
_LABEL_LENGTH = 200  # characters, as in the library
_UNREADABLE = "the filter of the photos cannot be read: {}; reload the page and try again"


class PhotoState(StrEnum):
    """What can be asked of a photo, besides its class and its split."""

    CHECK = "check"  # a training photo whose outline a person should check
    EXCLUDED = "excluded"
    UNUSED = "unused"  # a training photo that no synthetic image was made from


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFilter:
    """Photos by class, split and state; None = any."""

    label: str | None = None
    split: str | None = None
    state: PhotoState | None = None

    @classmethod
    def read(cls, question: object) -> PhotoFilter:
        """Read `{class, split, state}` as a browser sends it; what is missing or empty matches any photo.

        Raises:
            InvalidRequest: it has another form, or names a split or a state that there is not.
        """
        if not isinstance(question, Mapping):
            raise InvalidRequest(_UNREADABLE.format("it is not a filter"))
        texts = {name: question.get(name) or "" for name in ("class", "split", "state")}
        for name, text in texts.items():
            if not isinstance(text, str) or len(text) > _LABEL_LENGTH:
                raise InvalidRequest(_UNREADABLE.format(f"{name} is not a short text"))
        for name, known in (("split", _SPLITS), ("state", tuple(PhotoState))):
            if texts[name] and texts[name] not in known:
                raise InvalidRequest(_UNREADABLE.format(f"{name} must be one of {', '.join(known)}"))
        return cls(
            label=texts["class"] or None,
            split=texts["split"] or None,
            state=PhotoState(texts["state"]) if texts["state"] else None,
        )


@dataclass(frozen=True, slots=True)
class FilteredPhotos:
    """The photos of a library at one moment, for several filters."""

    photos: tuple[Photo, ...]  # in the order of the page
    used: frozenset[str]  # ids of those that a synthetic image was made from

    def matching(self, wanted: PhotoFilter) -> list[Photo]:
        """Return the photos that match, in the order of the page."""
        return [photo for photo in self.photos if self._matches(photo, wanted)]

    def counts(self, wanted: PhotoFilter, field: str, values: tuple[str, ...]) -> dict[str, int]:
        """Return how many photos each value of a field would show, the other fields as they are; "" for any value."""
        others = self.matching(replace(wanted, **{field: None}))
        return {"": len(others)} | {
            value: sum(self._matches(photo, _only(field, value)) for photo in others) for value in values
        }

    def _matches(self, photo: Photo, wanted: PhotoFilter) -> bool:
        if wanted.label is not None and photo.label != wanted.label:
            return False
        if wanted.split is not None and photo.split != wanted.split:
            return False
        match wanted.state:
            case PhotoState.CHECK:
                return needs_check(photo)
            case PhotoState.EXCLUDED:
                return photo.excluded
            case PhotoState.UNUSED:
                return photo.split == "train" and photo.id not in self.used
            case None:
                return True


def _only(field: str, value: str) -> PhotoFilter:
    return PhotoFilter.read({"class" if field == "label" else field: value})


def needs_check(photo: Photo) -> bool:
    """Whether a person should check the outline of a photo before plans use it."""
    return photo.split == "train" and bool(photo.mask_doubts) and not photo.excluded


def filtered_photos(studio: Studio) -> FilteredPhotos:
    """Read all photos, in the order of the page: those to check first, the excluded ones last."""
    photos = sorted(
        studio.library.photos.list(),
        key=lambda photo: (photo.excluded, not needs_check(photo), photo.mask_score, photo.name),
    )
    return FilteredPhotos(tuple(photos), frozenset(studio.library.photos.used_ids()))


def shown_photos(studio: Studio, wanted: PhotoFilter) -> list[Photo]:
    """Return the photos that match a filter, in the order of the page."""
    return filtered_photos(studio).matching(wanted)
