"""Object masks: given, found against a plain ground, found by a network, mended by a person."""

from pipeline.segmentation.cutout import CutoutOrigin, CutoutResult, cut_out
from pipeline.segmentation.editing import flood_click, grabcut_box, mended
from pipeline.segmentation.quality import USABLE_SCORE

__all__ = [
    "USABLE_SCORE",
    "CutoutOrigin",
    "CutoutResult",
    "cut_out",
    "flood_click",
    "grabcut_box",
    "mended",
]
