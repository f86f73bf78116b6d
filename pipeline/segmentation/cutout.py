"""Cut the object out of a photo, with a score that says whether a person should check the mask."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.errors import SizeMismatch
from pipeline.segmentation.background import fitted_background
from pipeline.segmentation.matting import foreground_colours, soft_alpha
from pipeline.segmentation.outline import traced, watershed_outline
from pipeline.segmentation.quality import measured, scored
from pipeline.segmentation.regions import divided, gathered_evidence, without_lumps

_WORK_PX = 512  # longest side at which the object is looked for


class CutoutOrigin(StrEnum):
    """Where a mask comes from."""

    GIVEN = "given"  # the file's own alpha, or a mask folder
    BACKGROUND = "ground"  # found against a plain background; stored under its earlier name
    PERSON = "person"  # edited by a person


@dataclass(frozen=True, slots=True)
class CutoutResult:
    """An object cut out of its photo.

    `rgb` (H, W, 3) uint8 are foreground colours, equal to the photo where `alpha` (H, W) uint8 is 255. `score` is
    0 to 1; below `USABLE_SCORE` a person should check the mask. `doubts` say why, worst first.
    """

    rgb: RGB
    alpha: Mask
    score: float
    doubts: tuple[str, ...]
    origin: CutoutOrigin


def cut_out(rgb: RGB, *, alpha: Mask | None = None) -> CutoutResult:
    """Cut the object out of a photo on a plain background, or with a given mask.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8 mask that came with the photo; None to find it.

    Raises:
        SizeMismatch: mask and photo differ in size.
    """
    if alpha is not None:
        return _given(rgb, alpha)
    height, width = rgb.shape[:2]
    scale = min(1.0, _WORK_PX / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    work = rgb if scale == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    background = fitted_background(work)
    evidence = gathered_evidence(background)
    first = divided(evidence)
    mask = without_lumps(evidence, traced(work, first))
    score, doubts = scored(measured(background, evidence, mask, watershed_outline(evidence, first)))
    if not mask.any():
        return CutoutResult(
            rgb.copy(),
            np.zeros(rgb.shape[:2], np.uint8),
            0.0,
            ("no object was found",),
            CutoutOrigin.BACKGROUND,
        )
    soft = soft_alpha(rgb, enlarged(mask, (height, width)))
    return CutoutResult(foreground_colours(rgb, soft), soft, round(score, 4), doubts, CutoutOrigin.BACKGROUND)


def enlarged(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize a mask (H, W) bool to (height, width), with a smooth outline."""
    if mask.shape == size:
        return mask
    return cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC) > 0.5


def checked_mask(rgb: RGB, mask: Mask) -> Mask:
    """Return a mask that has the size of its photo.

    Raises:
        SizeMismatch: it has another size.
    """
    if mask.shape != rgb.shape[:2]:
        raise SizeMismatch(photo=rgb.shape[:2], mask=mask.shape)
    return mask


def _given(rgb: RGB, alpha: Mask) -> CutoutResult:
    """A mask that came with the photo, trusted; one of hard 0 and 255 gets a soft edge."""
    mask = checked_mask(rgb, alpha)
    if not mask.any():
        return CutoutResult(rgb.copy(), mask.copy(), 0.0, ("the given mask is empty",), CutoutOrigin.GIVEN)
    hard = bool(((mask == 0) | (mask == 255)).all())
    soft = soft_alpha(rgb, mask > 127) if hard else mask
    doubts = ("the given mask covers the whole image",) if (mask > 127).all() else ()
    return CutoutResult(
        foreground_colours(rgb, soft), soft, 0.4 if doubts else 1.0, doubts, CutoutOrigin.GIVEN
    )
