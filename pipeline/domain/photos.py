"""A labelled photo of the library with its present cut-out."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.warping import Box

NO_OBJECT = "No object was found"  # the doubt about an empty mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One labelled photo of the library with its present cut-out."""

    id: str  # hash of the photo's pixels
    label: str
    name: str  # file name in its source
    source: str
    split: str  # train or test
    image_id: str  # id of the stored image
    height: int
    width: int
    cutout_id: str | None  # id of the stored cut-out, an RGBA image; None where there is none
    mask_id: str | None  # id of the cut-out's alpha, stored as an image of its own
    mask_score: float  # 0 (bad) to 1 (good)
    mask_doubts: tuple[str, ...]  # why a person should check the mask; empty where nobody needs to
    mask_origin: str
    box: Box | None  # extent of the object in the photo; None where the mask is empty
    excluded: bool  # a person took it out: not planned, not released
    added_at: str  # ISO, UTC

    @property
    def usable(self) -> bool:
        """Whether plans may use it: cut out, without doubts, not excluded."""
        return self.cutout_id is not None and not self.mask_doubts and not self.excluded
