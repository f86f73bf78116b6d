"""Object masks: given with the photo, found against a plain background, or edited by a person."""

from pipeline.segmentation.cutout import CutoutOrigin, CutoutResult, cut_out
from pipeline.segmentation.editing import edited, flood_click, grabcut_box
from pipeline.segmentation.quality import USABLE_SCORE
from pipeline.segmentation.several import divided_mask

__all__ = [
    "USABLE_SCORE",
    "CutoutOrigin",
    "CutoutResult",
    "cut_out",
    "divided_mask",
    "edited",
    "flood_click",
    "grabcut_box",
]
