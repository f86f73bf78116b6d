"""Find, change or delete many photos at once: their class, their split, the photos themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.photo_decoding import DecodedPhoto
from pipeline.domain.photo_layout import clean_label
from pipeline.domain.photos import Photo
from pipeline.domain.placement import object_box
from pipeline.errors import InvalidRequest
from pipeline.segmentation import USABLE_SCORE
from pipeline.services.photos import starter
from pipeline.services.photos.importing import rgba
from pipeline.services.photos.objects import cutout_of_item
from pipeline.services.photos.several import with_other_parts
from pipeline.sources import SourceItem, label_fault
from pipeline.store import Library, PhotoDeletion

THUMBNAILS = "thumbnails"  # folder of a library
_SPLITS = ("train", "test")
_LABEL_LENGTH = 200  # characters
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class PhotoBulk:
    """Changes of many photos; each is made to all of them, or to none."""

    library: Library
    network: Path | None = None  # see `cut_out`

    def ids_of(self, names: Sequence[str]) -> list[str]:
        """Return the ids of photos that are given by name, as imports tell it, or by id.

        Raises:
            InvalidRequest: there is no such photo, or several have the name.
        """
        photos = self.library.photos.list() if names else []
        return [_named(photos, name).id for name in names]

    def change_class(self, photo_ids: Sequence[str], label: str) -> str:
        """Give photos another class, which may be new; return it as the library spells it.

        Samples that were made from them keep their class.

        Raises:
            InvalidRequest: a class cannot have this name.
            NotFound: one of the photos was deleted.
        """
        wanted = clean_label(label)
        if label_fault(wanted) or wanted.startswith(".") or len(wanted) > _LABEL_LENGTH:
            raise InvalidRequest(
                f"a class cannot be named '{label[:_SHOWN_CHARACTERS]}'; use letters, digits, spaces, - and _"
            )
        known = {clean_label(stored): stored for stored in self.library.counts().classes}
        stored_label = known.get(wanted, wanted)
        self.library.photos.label_all(photo_ids, stored_label)
        return stored_label

    def change_split(self, photo_ids: Sequence[str], split: str) -> None:
        """Move photos to the split train or test. Test photos that become training photos wait for `cut_out_missing`.

        With a part of a picture move the picture itself and its other parts, since they show the same place.

        Raises:
            InvalidRequest: there is no such split, or samples were made from a photo that would leave its split.
            NotFound: one of the photos was deleted.
            LibraryBusy: an import or a run is in progress.
        """
        if split not in _SPLITS:
            raise InvalidRequest(f"there is no split '{split[:_SHOWN_CHARACTERS]}'; use train or test")
        with self.library.work_lock("change splits"):
            self.library.photos.move_all(with_other_parts(self.library, photo_ids), split)

    def cut_out_missing(self, photo_ids: Sequence[str], *, most: int | None = None) -> int:
        """Cut out those of some training photos that have no cut-out, about a second each; return how many are left.

        Args:
            most: photos to cut out; None for all.

        Raises:
            LibraryBusy: an import or a run is in progress.
        """
        wanted = set(photo_ids)
        missing = [
            photo
            for photo in self.library.photos.list(split="train")
            if photo.id in wanted and photo.cutout_id is None
        ]
        with self.library.work_lock("cut out photos"):
            for photo in missing[:most]:
                self._cut_out(photo)
        return 0 if most is None else max(0, len(missing) - most)

    def delete(self, photo_ids: Sequence[str]) -> PhotoDeletion:
        """Delete photos with their files; samples that were made from them stay. Photos that are gone are passed over.

        Raises:
            LibraryBusy: an import or a run is in progress.
        """
        with self.library.work_lock("delete photos"):
            deletion = self.library.photos.delete(photo_ids)
        for image_id in deletion.image_ids:
            thumbnail_file(self.library, image_id).unlink(missing_ok=True)
        return deletion

    def delete_starter(self) -> PhotoDeletion:
        """Delete the photos of the starter set; no later start brings them back.

        Raises:
            LibraryBusy: an import or a run is in progress.
        """
        return self.delete([photo.id for photo in self.library.photos.list() if starter.is_starter(photo)])

    def _cut_out(self, photo: Photo) -> None:
        pixels = self.library.images.read(photo.image_id)
        item = SourceItem(label=photo.label, name=photo.name, data=b"")
        cutout = cutout_of_item(item, DecodedPhoto(pixels, None, photo.name), None, self.network)
        self.library.photos.record_cutout(
            photo.id,
            cutout_id=self.library.images.put(rgba(cutout)),
            score=cutout.score,
            doubts=cutout.doubts if cutout.score < USABLE_SCORE else (),
            origin=cutout.origin,
            box=object_box(cutout.alpha),
        )


def _named(photos: Sequence[Photo], name: str) -> Photo:
    matches = [photo for photo in photos if name in (photo.name, photo.id)]
    if not matches:
        raise InvalidRequest(
            f"there is no photo '{name}'; name it as an import does, such as {photos[0].name}, or by its id"
            if photos
            else f"there is no photo '{name}'; this library has none"
        )
    if len(matches) > 1:
        ids = " or ".join(photo.id for photo in matches)
        raise InvalidRequest(f"{len(matches)} photos have the name '{name}'; give an id: {ids}")
    return matches[0]


def thumbnail_file(library: Library, image_id: str) -> Path:
    """Return where the thumbnail of an image lies, whether it exists or not."""
    return library.path / THUMBNAILS / image_id[:2] / f"{image_id}.webp"
