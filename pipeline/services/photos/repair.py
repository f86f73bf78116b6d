"""Mending a library: what can be derived again is, and what cannot waits for `import` or `generate`."""

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
    """What a repair did, in the sentences of `verify`."""

    repaired: tuple[str, ...]
    left: tuple[str, ...]  # still wrong
    to_render: int  # samples whose image was lost; `generate` or importing their release draws them again

    @property
    def sentence(self) -> str:
        """All of it, a line each."""
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
    """Derive anew what follows from the rest: masks, cut-outs, counters and review states.

    Samples whose image or mask is missing or damaged become planned again; their decisions are kept.

    Raises:
        LibraryBusy: another process does long work here.
    """
    with library.work_lock("repair"):
        before = library.verify()
        for subject in library.photos.list():
            if library.images.is_sound(subject.photo_id):
                _restore_cutout(library, subject, library.images.read(subject.photo_id))
            _restore_mask(library, subject.id)
        lost = library.samples.plan_broken_again()
        library.recompute()
        left = library.verify()
    remaining = set(left)
    return RepairReport(
        repaired=tuple(problem for problem in before if problem not in remaining),
        left=tuple(left),
        to_render=len(lost),
    )


def restore_photo(library: Library, subject_id: str, rgb: RGB, cutout: CutoutResult | None = None) -> None:
    """Write the missing or damaged files of a photo that is imported again.

    Args:
        rgb: the pixels of the photo, which its id stands for.
        cutout: as an import finds it now, where it looks for one; it takes the place of the stored one where
            that cannot be restored.
    """
    library.images.put(rgb)
    subject = library.photos.get(subject_id)
    if not _restore_cutout(library, subject, rgb, cutout) and cutout is not None:
        library.photos.record_cutout(
            subject_id,
            cutout_id=library.images.put(_rgba(cutout)),
            score=cutout.score,
            doubts=cutout.doubts,
            origin=cutout.origin,
            box=object_box(cutout.alpha),
        )
    _restore_mask(library, subject_id)


def is_whole(library: Library, subject_id: str) -> bool:
    """Whether all files of a photo are there and hold what was stored."""
    subject = library.photos.get(subject_id)
    return all(
        library.images.is_sound(blob_id)
        for blob_id in (subject.photo_id, subject.cutout_id, subject.mask_id)
        if blob_id
    )


def _restore_cutout(library: Library, subject: Photo, rgb: RGB, cutout: CutoutResult | None = None) -> bool:
    """Whether the stored cut-out of a photo is sound, written anew if need be."""
    if subject.cutout_id is None or library.images.is_sound(subject.cutout_id):
        return True
    for pixels in _cutouts(library, subject, rgb, cutout):
        if pixel_hash(pixels) == subject.cutout_id:
            library.images.put(pixels)
            return True
    return False


def _cutouts(library: Library, subject: Photo, rgb: RGB, cutout: CutoutResult | None) -> Iterator[RGBA]:
    """What the lost cut-out may have been: the one found now, and those along the stored mask."""
    if cutout is not None:
        yield _rgba(cutout)
    if subject.mask_id and library.images.is_sound(subject.mask_id):
        mask = library.images.read(subject.mask_id)
        yield _rgba(cut_out(rgb, alpha=mask))
        yield np.dstack([foreground_colours(rgb, mask), mask])


def _restore_mask(library: Library, subject_id: str) -> None:
    """Write the mask of a photo anew from its cut-out."""
    subject = library.photos.get(subject_id)
    if subject.cutout_id is None or subject.mask_id is None or library.images.is_sound(subject.mask_id):
        return
    if library.images.is_sound(subject.cutout_id):
        library.images.put(library.images.read(subject.cutout_id)[..., _ALPHA])


def _rgba(cutout: CutoutResult) -> RGBA:
    return np.dstack([cutout.rgb, cutout.alpha])
