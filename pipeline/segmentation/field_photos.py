"""Photos of a place with any number of objects: which segments there are, and the place without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.images import RGB
from pipeline.segmentation.background import Field
from pipeline.segmentation.filling import filled
from pipeline.segmentation.network import object_probability
from pipeline.segmentation.refinement import guided
from pipeline.segmentation.regions import without_islands
from pipeline.segmentation.several import separate_objects
from pipeline.segmentation.soft_shadows import soft_shadow

_WORK_PX = 512  # longest side at which objects are looked for
_LEAST_PIECE = 0.002  # of the photo: smaller pieces are dust
_CERTAIN = 0.65  # mean probability inside an object
_UNDECIDED = (0.2, 0.8)  # probabilities that say neither
_MOST_UNDECIDED = 0.22  # share of the photo
_STEADY = 0.55  # agreement of several looks; in a heap each finds something else
_MOST_COVERED = 0.6  # share of the photo; what covers more is a heap, or the whole scene
_MOST_OF_BORDER = 0.5  # share of the photo's border that objects may reach

_FILLED = "objects fill it or touch each other"
_UNTOLD = "objects cannot be told from the rest"
_HALO_SHARE = 0.025  # of the longest side: how far shadow and light of an object reach
_FAINT = 0.3  # probability from which the halo counts as object
_LARGEST_HOLE = 0.55  # share of the photo that may be filled
_MOST_MISFIT = 16.0  # grey levels, see `Filled`
_LEFT_OVER = 0.25  # share of a hole in which an object is still seen after it was filled


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCount:
    """How many objects a photo shows, and how large they are.

    `lengths` are the longest sides of the single objects as shares of the photo's shorter side, the largest first;
    empty where none is seen or they cannot be counted, which `doubt` explains as a clause. `overlap` is the largest
    share of an object's box that another one's box covers, `covered` the share of the photo that all segments cover;
    None where that is not certain.
    """

    covered: float | None = None
    lengths: tuple[float, ...] = ()
    overlap: float = 0.0
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class FieldObjects:
    """The segments of a field photo.

    `mask` (H, W) bool holds all of them, `hole` (H, W) bool what must be filled to be rid of them.
    """

    mask: np.ndarray
    hole: np.ndarray
    count: ObjectCount


def field_objects(rgb: RGB, network: Path | None = None) -> FieldObjects | None:
    """Find the objects of a photo (H, W, 3) uint8; objects that touch count as one.

    Args:
        network: see `object_probability`.

    Returns:
        The objects; None where no network is installed.

    Raises:
        InvalidRequest: the network cannot be used.
    """
    work = _small(rgb)
    looks = _looks(work, network)
    if not looks:
        return None
    probability = np.asarray(np.mean(looks, axis=0), np.float32)
    mask = without_islands(guided(work, probability) > 0.5, _LEAST_PIECE * probability.size)
    hole = _enlarged(_with_shadow(work, mask, _with_halo(mask, probability)), rgb.shape[:2])
    count = _count(mask, probability, is_steady=_agreement(looks) >= _STEADY)
    return FieldObjects(_enlarged(mask, rgb.shape[:2]), hole, count)


def _small(rgb: RGB) -> RGB:
    scale = min(_WORK_PX / max(rgb.shape[:2]), 1.0)
    height, width = (max(round(side * scale), 1) for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _looks(work: RGB, network: Path | None) -> list[Field]:
    """Look at a photo as it is, mirrored, and from farther away; empty where no network is installed."""
    first = object_probability(work, network)
    if first is None:
        return []
    height, width = work.shape[:2]
    down, across = max(height // 8, 1), max(width // 8, 1)
    farther = cv2.copyMakeBorder(work, down, down, across, across, cv2.BORDER_REFLECT_101)
    mirrored = object_probability(np.ascontiguousarray(work[:, ::-1]), network)
    whole = object_probability(farther, network)
    assert mirrored is not None
    assert whole is not None
    return [first, mirrored[:, ::-1], whole[down : down + height, across : across + width]]


def _agreement(looks: Sequence[Field]) -> float:
    """Return how much of what the first look finds the others find, too: intersection over union, 0 to 1."""
    first, *others = (look > 0.5 for look in looks)
    shares = [(first & other).sum() / max(int((first | other).sum()), 1) for other in others]
    return float(np.mean(shares))


def _count(mask: np.ndarray, probability: Field, *, is_steady: bool) -> ObjectCount:
    objects = separate_objects(mask)
    covered = float(mask.mean())
    doubt = _doubt(mask, objects, probability)
    if objects and not is_steady:
        doubt = _UNTOLD
    if doubt:
        return ObjectCount(covered=covered if doubt == _FILLED else None, doubt=doubt)
    lengths = sorted((_length(single) / min(mask.shape) for single in objects), reverse=True)
    return ObjectCount(covered=covered, lengths=tuple(lengths), overlap=_overlap(objects))


def _doubt(mask: np.ndarray, objects: list[np.ndarray], probability: Field) -> str:
    """Say why the objects cannot be counted; "" where they can."""
    undecided = (probability > _UNDECIDED[0]) & (probability < _UNDECIDED[1])
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if mask.mean() > _MOST_COVERED or border.mean() > _MOST_OF_BORDER:
        return _FILLED
    if not objects:
        return "no object is seen"
    if undecided.mean() > _MOST_UNDECIDED:
        return _UNTOLD
    if any(float(probability[single].mean()) < _CERTAIN for single in objects):
        return _UNTOLD
    return ""


def _length(single: np.ndarray) -> float:
    points = cv2.findNonZero(single.astype(np.uint8))
    return float(max(cv2.minAreaRect(points)[1])) + 1


def _overlap(objects: list[np.ndarray]) -> float:
    boxes = [cv2.boundingRect(single.astype(np.uint8)) for single in objects]
    shares = [0.0]
    for number, (x, y, width, height) in enumerate(boxes):
        for left, top, wide, high in boxes[:number]:
            across = min(x + width, left + wide) - max(x, left)
            down = min(y + height, top + high) - max(y, top)
            shares.append(max(across, 0) * max(down, 0) / min(width * height, wide * high))
    return max(shares)


def _with_halo(mask: np.ndarray, probability: Field) -> np.ndarray:
    reach = max(round(_HALO_SHARE * max(mask.shape)), 2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    faint = (probability > _FAINT) & cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)
    return cv2.dilate((mask | faint).astype(np.uint8), kernel).astype(bool)


def _with_shadow(work: RGB, mask: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Add the soft shadows of objects to what must be filled, with a margin as wide as that of the objects."""
    reach = max(round(_HALO_SHARE * max(mask.shape)), 2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    shadow = soft_shadow(work, mask, around)
    return around | cv2.dilate(shadow.astype(np.uint8), kernel).astype(bool)


def _enlarged(mask: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(mask.astype(np.float32), size[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5


def emptied(rgb: RGB, objects: FieldObjects, network: Path | None = None) -> tuple[RGB | None, str]:
    """Fill a photo's objects with patches of the same photo.

    The result is looked at once more: where an object is still seen, the photo cannot be used.

    Args:
        rgb: (H, W, 3) uint8.
        objects: of this photo.
        network: see `object_probability`.

    Returns:
        (H, W, 3) uint8 and "", or None and the reason as a clause.
    """
    if objects.count.doubt:
        return None, objects.count.doubt
    if objects.hole.mean() > _LARGEST_HOLE:
        return None, f"its objects cover {objects.mask.mean():.0%} of it, too much to be filled"
    result = filled(rgb, objects.hole)
    if result is None or result.misfit > _MOST_MISFIT:
        return None, "no part of it fits into the place of its objects"
    again = object_probability(_small(result.rgb), network)
    if again is not None and _enlarged(again > 0.5, rgb.shape[:2])[objects.hole].mean() > _LEFT_OVER:
        return None, "an object is still seen after it was filled"
    return result.rgb, ""
