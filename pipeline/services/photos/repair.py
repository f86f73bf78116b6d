"""Repair a library: derive again what can be derived; the rest waits for `import` or `generate`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.domain.images import RGB, RGBA, pixel_hash
from pipeline.domain.photos import Photo
from pipeline.domain.placement import object_box
from pipeline.segmentation import CutoutResult, cut_out
from pipeline.segmentation.matting import foreground_colours
from pipeline.store import Library

_ALPHA = 3  # channel of a cut-out


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """The problems that `verify` reported, by whether a repair solved them."""

    repaired: tuple[str, ...]
    left: tuple[str, ...]  # problems that remain
    to_render: int  # samples whose image was lost; `generate` renders them again, importing their release restores them

    @property
    def sentence(self) -> str:
        """Return the report as text, one problem a line."""
        lines = [f"repaired: {problem}" for problem in self.repaired]
        if self.to_render:
            lines.append(
                f"{self.to_render} samples are planned again; `python -m pipeline generate` with their recipe renders "
                "them, importing their release again brings them back; their decisions are kept"
            )
        lines += [f"not repaired: {problem}" for problem in self.left]
        if any(problem.startswith("the photo of") for problem in self.left):
            lines.append("import the photos again from where they came to bring back their files")
        return "\n".join(lines) or "nothing to repair: files, rows and hashes agree"


def repair(library: Library) -> RepairReport:
    """Derive masks, cut-outs, counters and review states again from the rest of the library.

    Samples whose image or mask is missing or damaged are planned again; their decisions are kept.

    Raises:
        LibraryBusy: another process is importing, rendering or repairing.
    """
    with library.work_lock("repair"):
        before = library.verify()
        for photo in library.photos.list():
            if library.images.is_sound(photo.image_id):
                _restore_cutout(library, photo, library.images.read(photo.image_id))
            _restore_mask(library, photo.id)
        lost = library.samples.plan_broken_again()
        library.recompute()
        left = library.verify()
    remaining = set(left)
    return RepairReport(
        repaired=tuple(problem for problem in before if problem not in remaining),
        left=tuple(left),
        to_render=len(lost),
    )


def restore_photo(library: Library, photo_id: str, rgb: RGB, cutout: CutoutResult | None = None) -> None:
    """Write the missing or damaged files of a photo that is imported again.

    Args:
        rgb: the pixels of the photo, whose hash is its id.
        cutout: the cut-out that the import has computed, if any; it replaces the stored one where that cannot be
            restored.
    """
    library.images.put(rgb)
    photo = library.photos.get(photo_id)
    if not _restore_cutout(library, photo, rgb, cutout) and cutout is not None:
        library.photos.record_cutout(
            photo_id,
            cutout_id=library.images.put(_rgba(cutout)),
            score=cutout.score,
            doubts=cutout.doubts,
            origin=cutout.origin,
            box=object_box(cutout.alpha),
        )
    _restore_mask(library, photo_id)


def is_whole(library: Library, photo_id: str) -> bool:
    """Whether all files of a photo exist and hold what was stored."""
    photo = library.photos.get(photo_id)
    return all(
        library.images.is_sound(blob_id)
        for blob_id in (photo.image_id, photo.cutout_id, photo.mask_id)
        if blob_id
    )


def _restore_cutout(library: Library, photo: Photo, rgb: RGB, cutout: CutoutResult | None = None) -> bool:
    """Whether the stored cut-out of a photo is sound, after it was written again where necessary."""
    if photo.cutout_id is None or library.images.is_sound(photo.cutout_id):
        return True
    for pixels in _cutouts(library, photo, rgb, cutout):
        if pixel_hash(pixels) == photo.cutout_id:
            library.images.put(pixels)
            return True
    return False


def _cutouts(library: Library, photo: Photo, rgb: RGB, cutout: CutoutResult | None) -> Iterator[RGBA]:
    """Yield candidates for the lost cut-out: the one computed now, and those derived from the stored mask."""
    if cutout is not None:
        yield _rgba(cutout)
    if photo.mask_id and library.images.is_sound(photo.mask_id):
        mask = library.images.read(photo.mask_id)
        yield _rgba(cut_out(rgb, alpha=mask))
        yield np.dstack([foreground_colours(rgb, mask), mask])


def _restore_mask(library: Library, photo_id: str) -> None:
    """Write the mask of a photo again from its cut-out."""
    photo = library.photos.get(photo_id)
    if photo.cutout_id is None or photo.mask_id is None or library.images.is_sound(photo.mask_id):
        return
    if library.images.is_sound(photo.cutout_id):
        library.images.put(library.images.read(photo.cutout_id)[..., _ALPHA])


def _rgba(cutout: CutoutResult) -> RGBA:
    return np.dstack([cutout.rgb, cutout.alpha])
