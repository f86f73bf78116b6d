"""Photos of a place with any number of objects: which segments there are, and the place without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.images import RGB
from pipeline.segmentation.background import Field
from pipeline.segmentation.network import object_probability
from pipeline.segmentation.refinement import guided
from pipeline.segmentation.regions import without_islands
from pipeline.segmentation.several import separate_objects

_WORK_PX = 512  # longest side at which objects are looked for
_LEAST_PIECE = 0.002  # of the photo: smaller pieces are dust
_CERTAIN = 0.75  # mean probability inside an object
_UNDECIDED = (0.2, 0.8)  # probabilities that say neither
_MOST_UNDECIDED = 0.12  # share of the photo
_MOST_COVERED = 0.6  # share of the photo; what covers more is a heap, or the whole scene
_MOST_OF_BORDER = 0.5  # share of the photo's border that objects may reach

_HALO_SHARE = 0.025  # of the longest side: how far shadow and light of an object reach
_FAINT = 0.3  # probability from which the halo counts as object
_LARGEST_HOLE = 0.3  # share of the photo that may be filled
_SHIFTS = 9  # places tried in each direction
_RING_PX = 6
_MOST_MISFIT = 28.0  # mean difference of grey levels beside the hole, at equal light
_LEFT_OVER = 0.25  # share of a hole in which an object is still seen after it was filled


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCount:
    """How many objects a photo shows, and how large they are.

    `lengths` are the longest sides of the single objects as shares of the photo's shorter side, the largest first;
    empty where none is seen or they cannot be counted, which `doubt` explains as a clause. `overlap` is the largest
    share of an object's box that another one's box covers.
    """

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
    scale = min(_WORK_PX / max(rgb.shape[:2]), 1.0)
    height, width = (max(round(side * scale), 1) for side in rgb.shape[:2])
    work = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    probability = object_probability(work, network)
    if probability is None:
        return None
    mask = without_islands(guided(work, probability) > 0.5, _LEAST_PIECE * probability.size)
    hole = _enlarged(_with_halo(mask, probability), rgb.shape[:2])
    return FieldObjects(_enlarged(mask, rgb.shape[:2]), hole, _count(mask, probability))


def _count(mask: np.ndarray, probability: Field) -> ObjectCount:
    objects = separate_objects(mask)
    if doubt := _doubt(mask, objects, probability):
        return ObjectCount(doubt=doubt)
    lengths = sorted((_length(single) / min(mask.shape) for single in objects), reverse=True)
    return ObjectCount(lengths=tuple(lengths), overlap=_overlap(objects))


def _doubt(mask: np.ndarray, objects: list[np.ndarray], probability: Field) -> str:
    """Say why the objects cannot be counted; "" where they can."""
    undecided = (probability > _UNDECIDED[0]) & (probability < _UNDECIDED[1])
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if mask.mean() > _MOST_COVERED or border.mean() > _MOST_OF_BORDER:
        return "objects fill it or touch each other"
    if undecided.mean() > _MOST_UNDECIDED:
        return "objects cannot be told from the rest"
    if any(float(probability[single].mean()) < _CERTAIN for single in objects):
        return "objects cannot be told from the rest"
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


def _enlarged(mask: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(mask.astype(np.float32), size[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5


def emptied(rgb: RGB, objects: FieldObjects, network: Path | None = None) -> tuple[RGB | None, str]:
    """Fill a photo's objects with what lies beside them.

    Each hole takes the piece of the same photo that fits its surroundings best, at the light of the place. The result
    is looked at once more: where an object is still seen, the photo cannot be used.

    Args:
        rgb: (H, W, 3) uint8.
        objects: of this photo.
        network: see `object_probability`.

    Returns:
        (H, W, 3) uint8 and "", or None and the reason as a clause.
    """
    if objects.count.doubt:
        return None, objects.count.doubt
    if not objects.hole.any():
        return rgb, ""
    if objects.hole.mean() > _LARGEST_HOLE:
        return None, f"its objects cover {objects.mask.mean():.0%} of it, too much to be filled"
    filled = rgb.copy()
    for hole in _pieces(objects.hole):
        if not _fill(filled, hole, objects.hole):
            return None, "no part of it fits into the place of its objects"
    again = field_objects(filled, network)
    if again is not None and (again.mask & objects.hole).sum() > _LEFT_OVER * objects.hole.sum():
        return None, "an object is still seen after it was filled"
    return filled, ""


def _pieces(hole: np.ndarray) -> Iterator[np.ndarray]:
    count, labels = cv2.connectedComponents(hole.astype(np.uint8), connectivity=8)
    return (labels == number for number in range(1, count))


def _fill(filled: np.ndarray, hole: np.ndarray, holes: np.ndarray) -> bool:
    """Fill one hole (H, W) bool of an image in place; return whether a piece was found that fits.

    Args:
        holes: all holes: where nothing may be taken from.
    """
    window = _window(hole)
    inside, ring = hole[window], _ring(hole[window], holes[window])
    if not ring.any():
        return False
    target = filled[window].astype(np.float32)
    best: tuple[float, np.ndarray] | None = None
    for top, left in _places(filled.shape[:2], inside.shape):
        source = (slice(top, top + inside.shape[0]), slice(left, left + inside.shape[1]))
        if (holes[source] & (inside | ring)).any():
            continue
        piece = filled[source].astype(np.float32)
        miss = target[ring] - piece[ring]
        misfit = float(np.abs(miss - miss.mean(0)).mean() + 0.2 * np.abs(miss.mean(0)).mean())
        if best is None or misfit < best[0]:
            best = misfit, piece
    if best is None or best[0] > _MOST_MISFIT:
        return False
    filled[window] = _blended(target, best[1], inside, ring)
    return True


def _window(hole: np.ndarray) -> tuple[slice, slice]:
    left, top, width, height = cv2.boundingRect(hole.astype(np.uint8))
    margin = _RING_PX + 1
    return (
        slice(max(top - margin, 0), min(top + height + margin, hole.shape[0])),
        slice(max(left - margin, 0), min(left + width + margin, hole.shape[1])),
    )


def _ring(inside: np.ndarray, holes: np.ndarray) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RING_PX + 1,) * 2)
    return cv2.dilate(inside.astype(np.uint8), kernel).astype(bool) & ~holes


def _places(size: tuple[int, ...], window: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield (top, left) of places for a window, spread over an image."""
    downs, acrosses = (
        sorted({round(place) for place in np.linspace(0, whole - own, _SHIFTS)})
        for whole, own in zip(size, window, strict=True)
    )
    return ((top, left) for top in downs for left in acrosses)


def _blended(target: Field, piece: Field, inside: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Put a piece into a hole: its light and colour are moved to those of the ring, and its seam is soft."""
    spread = max(inside.shape) / 6
    weight = cv2.GaussianBlur(ring.astype(np.float32), (0, 0), spread)[..., None] + 1e-6
    miss = np.where(ring[..., None], target - piece, 0).astype(np.float32)
    moved = piece + cv2.GaussianBlur(miss, (0, 0), spread) / weight
    share = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.5)[..., None]
    return np.clip(np.rint(target * (1 - share) + moved * share), 0, 255).astype(np.uint8)
