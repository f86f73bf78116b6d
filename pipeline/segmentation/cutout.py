"""Cut the object out of a photo, with a score that says whether a person should check the mask."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.domain.photos import NO_OBJECT
from pipeline.errors import SizeMismatch
from pipeline.segmentation.background import Field, fitted_background
from pipeline.segmentation.fusion import fused
from pipeline.segmentation.matting import foreground_colours, soft_alpha
from pipeline.segmentation.network import object_probability, steadied_probability
from pipeline.segmentation.outline import agreement, traced, watershed_outline
from pipeline.segmentation.proposals import proposed
from pipeline.segmentation.quality import USABLE_SCORE, measured, scored, scored_with_network
from pipeline.segmentation.refinement import guided
from pipeline.segmentation.regions import divided, gathered_evidence, without_lumps
from pipeline.segmentation.several import count_of_certain_objects

_WORK_PX = 512  # longest side at which the object is looked for
_FIRST_LOOK_PX = 256  # longest side at which a larger photo is looked at first
_CLOSE_SHARE = 0.6  # an object in a smaller part of the photo than this is looked at again from close by
_CLOSE_MARGIN = 0.3  # of the object's longest side, kept around it
_DOUBTED_SCORE = 0.9 * USABLE_SCORE  # at most, where the two looks disagree
_UNCERTAIN_SHARE = 0.2  # of the object's area that is uncertain, from which a large photo is mirrored, too
_SAME_OBJECT = 0.6  # intersection over union above which both looks have found one object


class CutoutOrigin(StrEnum):
    """Where a mask comes from."""

    GIVEN = "given"  # the file's own alpha, or a mask folder
    BACKGROUND = "ground"  # found in the photo; stored under its earlier name
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
    objects: int = (
        1  # that stand clearly apart in a photo without a given mask; 1 also where it is not certain
    )


class _Found(NamedTuple):
    mask: np.ndarray  # (H, W) bool
    score: float
    doubts: tuple[str, ...]
    objects: int  # that stand clearly apart


def cut_out(rgb: RGB, *, alpha: Mask | None = None, network: Path | None = None) -> CutoutResult:
    """Cut the object out of a photo on a plain background, or with a given mask.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8 mask that came with the photo; None to find it.
        network: the ONNX file of a larger network that finds it; None for the one that is installed.

    Raises:
        SizeMismatch: mask and photo differ in size.
        InvalidRequest: the network cannot be used.
    """
    if alpha is not None:
        return _given(rgb, alpha)
    mask, score, doubts, objects = _found(rgb, network)
    if not mask.any():
        empty = np.zeros(rgb.shape[:2], np.uint8)
        return CutoutResult(rgb.copy(), empty, 0.0, (NO_OBJECT,), CutoutOrigin.BACKGROUND)
    if objects > 1:
        score = min(score, _DOUBTED_SCORE)
        doubts = (f"There are {objects} objects in this photo; choose one or use all", *doubts)
    soft = soft_alpha(rgb, mask)
    colours = foreground_colours(rgb, soft)
    return CutoutResult(colours, soft, round(score, 4), doubts, CutoutOrigin.BACKGROUND, objects)


def object_mask(rgb: RGB, *, network: Path | None = None) -> np.ndarray:
    """Find the object of a photo without a soft edge; (H, W) bool, all False where none was found.

    Args:
        rgb: (H, W, 3) uint8.
        network: as for `cut_out`.
    """
    return _found(rgb, network).mask


def _found(rgb: RGB, network: Path | None) -> _Found:
    """Find the object; a first look at a large photo tells where to look from close by."""
    work = _at_most(rgb, _WORK_PX)
    probability = object_probability(work, network)
    if work is rgb:
        return _found_in(work, _steadied(work, probability, network))
    first = _first_look(work, probability)
    rough = enlarged(first.mask, rgb.shape[:2])
    window = _window_round(rough) if rough.any() else (slice(None), slice(None))
    crop = rgb[window]
    if max(crop.shape[:2]) > _CLOSE_SHARE * max(rgb.shape[:2]):
        found = _found_in(work, _steadied_if_uncertain(work, probability, network))
        return found._replace(mask=_sharpened(rgb, enlarged(found.mask, rgb.shape[:2])))
    work = _at_most(crop, _WORK_PX)
    closer = _found_in(work, _steadied_if_uncertain(work, object_probability(work, network), network))
    mask = np.zeros(rgb.shape[:2], bool)
    mask[window] = enlarged(closer.mask, crop.shape[:2])
    if agreement(mask, rough) < _SAME_OBJECT:
        doubts = ("A closer look found another outline", *first.doubts)
        return _Found(rough, min(first.score, _DOUBTED_SCORE), doubts, first.objects)
    mask[window] = _sharpened(crop, mask[window])
    return closer._replace(mask=mask)


def _first_look(work: np.ndarray, probability: Field | None) -> _Found:
    """Find the object at low resolution, which is fast, and enough to know where it is."""
    small = _at_most(work, _FIRST_LOOK_PX)
    if probability is not None:
        probability = cv2.resize(probability, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    return _found_in(small, probability)


def _steadied(work: np.ndarray, probability: Field | None, network: Path | None) -> Field | None:
    return None if probability is None else steadied_probability(work, probability, network)


def _steadied_if_uncertain(work: np.ndarray, probability: Field | None, network: Path | None) -> Field | None:
    """Look at the mirror image only where it may change the outline, since every look takes as long as all the rest."""
    if probability is None:
        return None
    uncertain = np.count_nonzero((probability > 0.1) & (probability < 0.9))
    if uncertain < _UNCERTAIN_SHARE * np.count_nonzero(probability > 0.5):
        return probability
    return _steadied(work, probability, network)


def _found_in(work: np.ndarray, probability: Field | None) -> _Found:
    """Find the object in a photo of at most 512 px by the network's probability, or without where it is None."""
    if probability is not None:
        proposals = proposed(work, probability)
        mask, expected = fused(proposals)
        score, doubts = scored_with_network(proposals, mask, expected)
        return _Found(mask, score, doubts, count_of_certain_objects(mask, probability))
    background = fitted_background(work)
    evidence = gathered_evidence(background)
    first = divided(evidence)
    mask = without_lumps(evidence, traced(work, first))
    measures = measured(background.border_share, evidence, mask, watershed_outline(evidence, first))
    score, doubts = scored(measures)
    return _Found(mask, score, doubts, count_of_certain_objects(mask, None))


def _sharpened(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Let an outline that was found on fewer pixels follow the photo's own edges."""
    if max(rgb.shape[:2]) <= _WORK_PX:
        return mask
    blur = 0.5 * max(rgb.shape[:2]) / _WORK_PX
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), blur)
    return guided(rgb, soft, radius=round(2 * blur) + 2) > 0.5


def _window_round(mask: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns of a mask with a margin of background to learn from."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    margin = round(_CLOSE_MARGIN * max(width, height)) + 8
    return (
        slice(max(top - margin, 0), top + height + margin),
        slice(max(left - margin, 0), left + width + margin),
    )


def _at_most(rgb: np.ndarray, side: int) -> np.ndarray:
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


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
        return CutoutResult(rgb.copy(), mask.copy(), 0.0, ("The given mask is empty",), CutoutOrigin.GIVEN)
    hard = bool(((mask == 0) | (mask == 255)).all())
    soft = soft_alpha(rgb, mask > 127) if hard else mask
    doubts = ("The given mask covers the whole image",) if (mask > 127).all() else ()
    return CutoutResult(
        foreground_colours(rgb, soft), soft, 0.4 if doubts else 1.0, doubts, CutoutOrigin.GIVEN
    )
