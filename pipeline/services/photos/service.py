"""Import photos, show their cut-outs, and edit their masks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.domain.images import RGB, RGBA, Mask, encode_webp, thumbnail
from pipeline.domain.photos import Photo
from pipeline.domain.placement import Box, Layer, object_box
from pipeline.errors import Cancelled, InvalidRequest, SizeMismatch
from pipeline.rendering.composite import composite
from pipeline.segmentation import USABLE_SCORE, cut_out, edited, object_in_box, object_mask, region_at
from pipeline.services.photos import starter
from pipeline.services.photos.bulk import THUMBNAILS, PhotoBulk, thumbnail_file
from pipeline.services.photos.importing import import_photos, rgba
from pipeline.services.photos.near_duplicates import near_duplicates_across_splits
from pipeline.services.photos.several import PhotoObject, choose_object, objects_in, use_all_objects
from pipeline.services.reports import ImportReport, Progress, UncheckedPhotos
from pipeline.services.samples.create import checkerboard
from pipeline.settings import Settings
from pipeline.store import Library

Colour = tuple[int, int, int]
_OPAQUE = 127
_IMAGES = "blobs"  # folder of a library


@dataclass(frozen=True, slots=True)
class PhotoService:
    """The photos of a library and their masks."""

    library: Library
    settings: Settings

    def import_source(
        self,
        source: str,
        *,
        split: str | None = None,
        columns: Mapping[str, str | None] | None = None,
        token: str | None = None,
        relabel: bool = False,
        dry_run: bool = False,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ImportReport:
        """Add the photos of a source; see `import_photos`.

        Test photos that are near-duplicates of training photos are named in the report, except in that of a dry run.
        On a Space the Hub is asked with the visitor's own token or anonymously, never with the Space's.
        """
        report = import_photos(
            self.library,
            source,
            split=split,
            columns=columns,
            token=token or (False if self.settings.hosted else None),
            relabel=relabel,
            dry_run=dry_run,
            network=self.settings.network_file,
            on_progress=on_progress,
            cancelled=cancelled,
        )
        if dry_run:
            return report
        try:
            pairs = near_duplicates_across_splits(self.library, on_progress=on_progress, cancelled=cancelled)
        except Cancelled:
            raise Cancelled(report.added) from None  # all photos are stored
        return replace(report, near_duplicates=pairs)

    @property
    def wants_starter(self) -> bool:
        """Whether the library is to be filled with the starter set: it is empty, or an earlier fill was interrupted.

        A library that holds a person's own photos is left alone, whatever it lacks of the starter set, and so is one
        from which photos of the set were deleted. A library that was restored from a state folder has lost its
        marker, so the number of photos decides.
        """
        if not self.settings.starter or starter.was_removed(self.library):
            return False
        count = sum(self.library.counts().classes.values())
        if not count:
            return True
        begun = starter.marker(self.library).exists() or bool(self.settings.state)
        return begun and count < starter.STARTER_COUNT and not starter.holds_own_photos(self.library)

    def fill_with_starter(self, on_progress: Progress | None = None) -> list[ImportReport]:
        """Import the missing photos of the starter set and its field test set, if the library is to be filled.

        The two are not compared: they were rendered on different grounds, and no part of the one looks like a part of
        the other (similarity at most 0.738, see `pipeline.embedding.embedder`).
        """
        if not self.wants_starter:
            return []
        marker = starter.marker(self.library)
        marker.touch()
        reports = []
        for source, split in starter.SPLITS.items():
            if starter.holds_own_photos(self.library) or starter.was_removed(self.library):  # meanwhile
                break
            network = self.settings.network_file
            reports.append(
                import_photos(self.library, source, split=split, network=network, on_progress=on_progress)
            )
        marker.unlink(missing_ok=True)
        return reports

    @property
    def bulk(self) -> PhotoBulk:
        """Return what can be done to many photos at once."""
        return PhotoBulk(self.library, self.settings.network_file)

    @property
    def image_folders(self) -> list[Path]:
        """The folders whose files a browser may read, images and thumbnails; created where they are missing."""
        folders = [self.library.path / _IMAGES, self.library.path / THUMBNAILS]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        return folders

    def thumbnail_path(self, image_id: str) -> Path:
        """Return the 256-px thumbnail of an image, in a folder of its own that may be deleted at any time."""
        path = thumbnail_file(self.library, image_id)
        if not path.is_file():
            pixels = self.library.images.read(image_id)
            data = encode_webp(thumbnail(pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)))
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            unfinished.write_bytes(data)
            unfinished.rename(path)
        return path

    def cutout_preview(self, photo_id: str, background: Colour | None = None) -> RGB:
        """Return the cut-out of a photo on a plain colour, or on a checkerboard; (H, W, 3) uint8."""
        pixels = self._cutout_pixels(photo_id)
        size = pixels.shape[:2]
        plain = checkerboard(size) if background is None else np.full((*size, 3), background, np.uint8)
        return composite(Layer(rgb=pixels[..., :3], alpha=pixels[..., 3]), plain)

    def mask(self, photo_id: str) -> Mask:
        """Return the soft mask of a photo; (H, W) uint8."""
        return self._cutout_pixels(photo_id)[..., 3]

    def automatic_mask(self, photo_id: str) -> Mask:
        """Propose the mask that is found without help, (H, W) uint8 of 0 and 255. Nothing is stored."""
        found = object_mask(self._pixels(photo_id), network=self.settings.network_file)
        return np.where(found, 255, 0).astype(np.uint8)

    def object_in_box(self, photo_id: str, box: Box) -> Mask:
        """Propose a mask: the object inside a box, see `segmentation.object_in_box`. Nothing is stored."""
        return object_in_box(self._pixels(photo_id), box, network=self.settings.network_file)

    def region_at(self, photo_id: str, point: tuple[int, int], *, add: bool) -> Mask:
        """Propose a region to add or to remove, see `segmentation.region_at`. Nothing is stored."""
        return region_at(self._pixels(photo_id), point, add=add, network=self.settings.network_file)

    def save_mask(self, photo_id: str, mask: Mask) -> Photo:
        """Store a person's mask as the photo's cut-out; samples made from the old one do not change.

        Raises:
            SizeMismatch: mask and photo differ in size.
            InvalidRequest: the mask is empty.
        """
        pixels = self._pixels(photo_id)
        if mask.shape != pixels.shape[:2]:
            raise SizeMismatch(mask=mask.shape, photo=pixels.shape[:2])
        if not (mask > _OPAQUE).any():
            raise InvalidRequest("the mask is empty; paint the object, or exclude the photo")
        result = edited(pixels, mask)
        self.library.photos.record_cutout(
            photo_id,
            cutout_id=self.library.images.put(rgba(result)),
            score=max(result.score, USABLE_SCORE),
            doubts=result.doubts,
            origin=result.origin,
            box=object_box(result.alpha),
        )
        return self.library.photos.get(photo_id)

    def to_check(self) -> list[Photo]:
        """Return the training photos whose mask a person should check, the least trusted first."""
        photos = self.library.photos.list(split="train", doubtful=True)
        return sorted(photos, key=lambda photo: (photo.mask_score, photo.name))

    def unchecked(self) -> UncheckedPhotos:
        """Return how many training photos no plan uses because their mask is not checked."""
        photos = [photo for photo in self.library.photos.list(split="train") if not photo.excluded]
        usable = {photo.label for photo in photos if photo.usable}
        return UncheckedPhotos(
            unchecked=sum(not photo.usable for photo in photos),
            total=len(photos),
            without=tuple(sorted({photo.label for photo in photos} - usable)),
        )

    def confirm_mask(self, photo_id: str) -> Photo:
        """Record that a person found the mask right as it is: it has no doubts any more; its origin stays.

        Raises:
            NotFound: there is no photo with this id.
            InvalidRequest: the mask is empty.
        """
        photo = self.library.photos.get(photo_id)
        if photo.cutout_id is None or photo.box is None:
            raise InvalidRequest(f"{photo.name} has no outline; draw it, or exclude the photo")
        self.library.photos.record_cutout(
            photo_id,
            cutout_id=photo.cutout_id,
            score=max(photo.mask_score, USABLE_SCORE),
            doubts=(),
            origin=photo.mask_origin,
            box=photo.box,
        )
        return self.library.photos.get(photo_id)

    def objects_in(self, photo_id: str) -> list[PhotoObject]:
        """Return the objects that stand apart in the mask of a photo; see `objects_in` of `several`."""
        return objects_in(self.library, photo_id)

    def choose_object(self, photo_id: str, number: int) -> Photo:
        """Keep one object of a photo as its mask; see `choose_object` of `several`."""
        return choose_object(self.library, photo_id, number)

    def use_all_objects(self, photo_id: str) -> list[Photo]:
        """Make a photo of each object of a photo; see `use_all_objects` of `several`."""
        return use_all_objects(self.library, photo_id)

    def _pixels(self, photo_id: str) -> RGB:
        return self.library.images.read(self.library.photos.get(photo_id).image_id)

    def _cutout_pixels(self, photo_id: str) -> RGBA:
        """The stored cut-out; that of a test photo, which an import leaves out, is computed when it is asked for."""
        cutout_id = self.library.photos.get(photo_id).cutout_id
        if cutout_id is None:
            return rgba(cut_out(self._pixels(photo_id), network=self.settings.network_file))
        return self.library.images.read(cutout_id)
