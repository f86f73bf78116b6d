"""Which photos the Photos page shows, and in which order: for the overview, and for the arrows of an open photo."""

from __future__ import annotations

from collections import Counter
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
        return [
            photo
            for photo in self.photos
            if wanted.label in (None, photo.label)
            and wanted.split in (None, photo.split)
            and (wanted.state is None or wanted.state in self.states(photo))
        ]

    def label_counts(self, wanted: PhotoFilter) -> Counter[str]:
        """Return how many photos each class would show under the other filters."""
        return Counter(photo.label for photo in self.matching(replace(wanted, label=None)))

    def split_counts(self, wanted: PhotoFilter) -> Counter[str]:
        """Return how many photos each split would show under the other filters."""
        return Counter(photo.split for photo in self.matching(replace(wanted, split=None)))

    def state_counts(self, wanted: PhotoFilter) -> Counter[str]:
        """Return how many photos each state would show under the other filters; "" for any state."""
        photos = self.matching(replace(wanted, state=None))
        counts = Counter(str(state) for photo in photos for state in self.states(photo))
        counts[""] = len(photos)
        return counts

    def states(self, photo: Photo) -> list[PhotoState]:
        """Return the states of a photo."""
        return [
            state
            for state, holds in (
                (PhotoState.CHECK, needs_check(photo)),
                (PhotoState.EXCLUDED, photo.excluded),
                (PhotoState.UNUSED, photo.split == "train" and photo.id not in self.used),
            )
            if holds
        ]


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
