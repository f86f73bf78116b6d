"""Decide the splits of the photos of a source before any of them is stored, so that an import keeps what it stores."""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, pixel_hash
from pipeline.domain.photo_decoding import decoded_pixels
from pipeline.domain.photos import Photo
from pipeline.domain.splits import MIN_TO_SPLIT, TEST, GroupedPhoto, decided_splits, undivided_classes
from pipeline.embedding import Embedder, linked_groups, load_embedder, most_similar, shrunk
from pipeline.errors import Cancelled, SourceRefused, UnreadableImage
from pipeline.services.photos.near_duplicates import photo_vectors
from pipeline.services.photos.objects import photo_of_item
from pipeline.services.photos.workers import Job, on_all_cores
from pipeline.services.reports import Progress
from pipeline.sources import Source, SourceItem, label_fault
from pipeline.store import Library

Items = Callable[[], Iterator[SourceItem]]  # yields the same items at every call
Vectors = dict[str, NDArray[np.float16]]  # image id → embedding; the id of a photo is that of its image
_EMBEDDED_AT_ONCE = 64


@contextmanager
def repeatable_items(source: Source, folder: Path | None) -> Iterator[Items]:
    """Yield a function that reads a source from its beginning at every call; a remote source is downloaded once.

    Args:
        folder: where the items of a remote source are kept meanwhile, in a file without a name; None: the system's.
    """
    if source.address is None:
        yield source.items
        return
    with tempfile.TemporaryFile(dir=folder) as file:
        yield _KeptItems(source.items(), file).items


@dataclass(slots=True)
class _KeptItems:
    """The items of a source that can be read once, in a file."""

    remaining: Iterator[SourceItem]
    file: IO[bytes]
    end: int = 0  # of the file
    interruption: SourceRefused | None = None  # what ended the source

    def items(self) -> Iterator[SourceItem]:
        """Yield the items from the first on."""
        place = 0
        while (item := self._item_at(place)) is not None:
            place = self.file.tell()
            yield item

    def _item_at(self, place: int) -> SourceItem | None:
        """Return the item at a place of the file, behind its end the next one; None where there is no more."""
        self.file.seek(place)
        if place < self.end:
            kept: SourceItem = pickle.load(self.file)
            return kept
        item = self._next()
        if item is not None:
            pickle.dump(item, self.file)
            self.end = self.file.tell()
        return item

    def _next(self) -> SourceItem | None:
        if self.interruption is not None:
            raise self.interruption
        try:
            return next(self.remaining, None)
        except SourceRefused as error:
            self.interruption = error
            raise


@dataclass(frozen=True, slots=True)
class ChosenSplits:
    """The splits of the photos of a source for which it names none."""

    of_photo: Mapping[str, str] = field(
        default_factory=dict
    )  # photo id → train or test; train where it is missing
    undivided: tuple[str, ...] = ()  # classes whose photos look too alike for enough test photos


def splits_of_items(
    library: Library,
    items: Items,
    *,
    count: int | None = None,
    store: bool = True,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ChosenSplits:
    """Decide the splits of the new photos of a source for which it names none; see `decided_splits`.

    Near-duplicates, and the objects of one image, are one group; near-duplicates of stored photos join them. Images are
    decoded and embedded one after the other; a photo that no answer names is for training, as all are where there
    is no test photo and no class has enough photos for some.

    Args:
        count: how many items there are, where that is known.
        store: whether the embeddings are kept in the library.

    Raises:
        Cancelled: it was stopped; no photo was stored.
    """
    stored = library.photos.list()
    if not _splits_matter(items, stored):
        return ChosenSplits()
    embedder = load_embedder()
    reading = _Reading(library, embedder, store, {photo.id for photo in stored})
    seen = reading.photos(items, count, on_progress, cancelled)
    new = [photo_id for photo_id in seen if photo_id in reading.vectors]
    if all(seen[photo_id].split for photo_id in new):
        return ChosenSplits()
    vectors = reading.vectors | photo_vectors(
        library, embedder, stored, store=store, on_progress=on_progress, cancelled=cancelled
    )
    group = _groups(seen, new, stored, vectors, embedder.near_duplicate)
    known = [
        GroupedPhoto(
            id=photo.id,
            label=photo.label,
            group=group(photo.id),
            split=photo.split,
            counts=not photo.excluded,
        )
        for photo in stored
    ]
    photos = [*known, *(replace(seen[photo_id], group=group(photo_id)) for photo_id in new)]
    splits = decided_splits(photos)
    return ChosenSplits(splits, undivided_classes(photos, splits))


def _splits_matter(items: Items, stored: list[Photo]) -> bool:
    """Whether a photo has no split and any photo may be for the test; reads no further than it must."""
    counts = Counter(photo.label for photo in stored)
    has_test = any(photo.split == TEST for photo in stored)
    undecided = False
    for item in UntilInterrupted(items()):
        counts[item.label] += 1
        undecided = undecided or item.split is None
        has_test = has_test or item.split == TEST or counts[item.label] >= MIN_TO_SPLIT
        if undecided and has_test:
            return True
    return False


class UntilInterrupted:
    """Yields items until the source ends or breaks off; `interruption` is why it broke off."""

    def __init__(self, items: Iterator[SourceItem]) -> None:
        self.interruption: SourceRefused | None = None
        self._items = items

    def __iter__(self) -> Iterator[SourceItem]:
        try:
            yield from self._items
        except SourceRefused as error:
            self.interruption = error


@dataclass(frozen=True, slots=True)
class _Seen:
    """A photo of a source, decoded."""

    photo: GroupedPhoto  # its group is its image, where the source gives several photos of one image, or ""
    small: RGB | None  # at the embedder's size; None where the library holds the photo


@dataclass(frozen=True, slots=True)
class _Shared:
    """What every worker knows."""

    known: set[str]  # ids of stored photos
    side_px: int


def _seen(item: SourceItem, shared: _Shared) -> _Seen | None:
    """Decode an item; None where it cannot become a photo."""
    if label_fault(item.label):
        return None
    try:
        photo, _ = photo_of_item(item)
    except UnreadableImage:
        return None
    photo_id = pixel_hash(photo.rgb)
    small = None if photo_id in shared.known else shrunk(photo.rgb, shared.side_px)
    return _Seen(GroupedPhoto(id=photo_id, label=item.label, group=item.image, split=item.split), small)


def _pixels(item: SourceItem) -> int:
    return decoded_pixels(item.data)


def _lost(_item: SourceItem) -> None:
    return None


class _Reading:
    """Reads the photos of a source; `vectors` holds the embeddings of the new ones."""

    def __init__(self, library: Library, embedder: Embedder, store: bool, known: set[str]) -> None:
        self.vectors: Vectors = {}
        self._library = library
        self._embedder = embedder
        self._store = store
        self._known = known
        self._waiting: dict[str, RGB] = {}

    def photos(
        self,
        items: Items,
        count: int | None,
        on_progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> dict[str, GroupedPhoto]:
        """Return the photos of a source by id, the first of several with the same pixels, and embed the new ones."""
        job = Job(work=_seen, shared=_Shared(self._known, self._embedder.side_px), pixels=_pixels, lost=_lost)
        photos: dict[str, GroupedPhoto] = {}
        for done, seen in enumerate(on_all_cores(iter(UntilInterrupted(items())), job), start=1):
            if cancelled and cancelled():
                raise Cancelled(0)
            if seen is not None and seen.photo.id not in photos:
                photos[seen.photo.id] = seen.photo
                if seen.small is not None:
                    self._waiting[seen.photo.id] = seen.small
            if len(self._waiting) == _EMBEDDED_AT_ONCE:
                self._embed()
            if on_progress:
                on_progress(done, count, "choosing test photos")
        self._embed()
        return photos

    def _embed(self) -> None:
        vectors = self._library.embeddings.of(self._embedder.name, self._waiting)
        missing = {image_id: small for image_id, small in self._waiting.items() if image_id not in vectors}
        new = dict(zip(missing, self._embedder.embed(missing.values()), strict=True))
        if self._store:
            self._library.embeddings.add(self._embedder.name, new)
        self.vectors |= vectors | new
        self._waiting.clear()


def _groups(
    seen: Mapping[str, GroupedPhoto],
    new: list[str],
    stored: list[Photo],
    vectors: Vectors,
    near_duplicate: float,
) -> Callable[[str], str]:
    """Return the function photo id → group: of near-duplicates, of the objects of one image, and of chains of these."""
    links = _Links()
    rows = np.stack([vectors[photo_id] for photo_id in new])
    for photo_id, first in zip(new, linked_groups(rows, near_duplicate).tolist(), strict=True):
        links.join(new[first], photo_id)
    images: dict[str, str] = {}
    for photo in seen.values():
        if photo.group:
            links.join(images.setdefault(photo.group, photo.id), photo.id)
    known = [photo for photo in stored if photo.image_id in vectors]
    if known:
        places, similarities = most_similar(rows, np.stack([vectors[photo.image_id] for photo in known]))
        for photo_id, place, similarity in zip(new, places.tolist(), similarities.tolist(), strict=True):
            if similarity >= near_duplicate:
                links.join(known[place].id, photo_id)
    return links.group


class _Links:
    """Joins ids to groups."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}  # id → another id of its group, nearer to the group's name

    def group(self, photo_id: str) -> str:
        """Return the name of the group of an id: one of its ids."""
        while (above := self._above.get(photo_id, photo_id)) != photo_id:
            self._above[photo_id] = self._above.get(above, above)
            photo_id = above
        return photo_id

    def join(self, photo_id: str, other: str) -> None:
        """Make one group of those of two ids."""
        self._above[self.group(other)] = self.group(photo_id)
