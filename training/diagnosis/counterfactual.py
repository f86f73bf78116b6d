"""Counterfactual test sets: the objects of the test photos, with one thing about each photo changed.

Background: each object stays where it is; what lies behind it is its own photo, another photo of its class, or a photo
of another class, each with its object filled in. The object hides the filling of its own photo; of the others some
stays visible, alike in both sets, so that the difference of these two is that of the class alone.
Place and size: each object lies on its own photo's background, blurred, at the centre or in the corners, and half or
twice as large. Sizes are shares of the image, so that no object is cut off.

Source of the background sets: K. Xiao et al., Noise or Signal: The Role of Image Backgrounds in Object Recognition,
2021 (Mixed-Same and Mixed-Rand).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB
from training.data.release import Release
from training.diagnosis.cutouts import ExaminedPhotos, PhotoCutout
from training.diagnosis.scenes import SceneObject, in_front_of, moved, object_box, scene_object

LEAST_OBJECTS = 5  # of a class
MOST_OBJECTS = 20  # of a class, so that a run does not predict longer than it trains
_LEAST_SHARE, _MOST_SHARE = 0.003, 0.6  # of the photo, that the object covers
_SIDE_SHARE = 0.4  # of the image's side: the object's longest side at its normal size
_NEAR = 0.03  # of the free space, that stays between a corner and the object
_DONORS = 3  # backgrounds among which chance chooses: those that need the least filling


class SetName(StrEnum):
    """One test set; the value is its key in `study.json`."""

    OWN = "own_background"
    SAME_CLASS = "same_class_background"
    OTHER_CLASS = "other_class_background"
    CENTRED = "centred"
    CORNERS = "corners"
    HALF = "half_size"
    DOUBLE = "double_size"


SET_TITLES: dict[SetName, str] = {
    SetName.OWN: "on its own background",
    SetName.SAME_CLASS: "on the background of another photo of its class",
    SetName.OTHER_CLASS: "on the background of a photo of another class",
    SetName.CENTRED: "at the centre, at normal size",
    SetName.CORNERS: "in each of the four corners",
    SetName.HALF: "at the centre, half as large",
    SetName.DOUBLE: "at the centre, twice as large",
}
_CORNERS = tuple((x, y) for y in (_NEAR, 1 - _NEAR) for x in (_NEAR, 1 - _NEAR))
_MIDDLE = (0.5, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterfactualSets:
    """M images of all sets: `images` (M, S, S, 3) uint8, `labels` (M,), `sets` (M,) the `SetName` of each.

    `objects` counts the objects by class, `left_out` names the tested classes with too few.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    sets: NDArray[np.str_]
    objects: dict[str, int]
    left_out: tuple[str, ...]


def counterfactual_sets(
    release: Release, photos: ExaminedPhotos, *, seed: int = 0
) -> CounterfactualSets | str:
    """Render all sets from the usable cut-outs of the test photos; the same seed gives the same images.

    Returns:
        Why there are none, as a sentence, where fewer than two classes have `LEAST_OBJECTS` usable cut-outs.
    """
    random = np.random.default_rng(seed)
    places = _places_by_class(release, photos, random)
    tested = [name for name, count in release.test_counts().items() if count]
    kept = {label: chosen for label, chosen in places.items() if len(chosen) >= LEAST_OBJECTS}
    if len(kept) < 2:
        have = "class has" if len(kept) == 1 else "classes have"
        return (
            f"There are no counterfactual test sets: they need {LEAST_OBJECTS} test photos with a usable mask of at "
            f"least two classes; of this release {len(kept)} {have} as many."
        )
    cutouts = photos.cutouts.of_photos
    objects = [
        scene_object(photos.squares.images[place], cutout.alpha, label)
        for label, chosen in kept.items()
        for place in chosen
        if (cutout := cutouts[place]) is not None
    ]
    counts = {release.classes[label]: len(chosen) for label, chosen in kept.items()}
    return _joined(
        _rendered(objects, random), release.test.images.shape[1], counts, [*(set(tested) - set(counts))]
    )


def _places_by_class(
    release: Release, photos: ExaminedPhotos, random: np.random.Generator
) -> dict[int, list[int]]:
    """Class → positions of at most `MOST_OBJECTS` of its photos whose object can be moved, chosen by chance."""
    labels = release.test.labels
    movable = np.array([is_movable(cutout) for cutout in photos.cutouts.of_photos], bool)
    return {
        int(label): sorted(
            random.permutation(np.flatnonzero(movable & (labels == label)))[:MOST_OBJECTS].tolist()
        )
        for label in np.unique(labels)
    }


def is_movable(cutout: PhotoCutout | None) -> bool:
    """Whether an object can be shown elsewhere: its mask is usable, it is whole, and leaves some background."""
    if cutout is None or not cutout.usable:
        return False
    side = len(cutout.alpha)
    x0, y0, x1, y1 = object_box(cutout.alpha)
    whole = x0 > 0 and y0 > 0 and x1 < side and y1 < side
    return whole and _LEAST_SHARE <= float(cutout.alpha.mean()) / 255 <= _MOST_SHARE


def _rendered(objects: Sequence[SceneObject], random: np.random.Generator) -> list[tuple[SetName, int, RGB]]:
    """(set, class, image) of all sets."""
    images: list[tuple[SetName, int, RGB]] = []
    for item in objects:
        same = donor(item, [other for other in objects if other.label == item.label], random)
        labels = sorted({other.label for other in objects} - {item.label})
        drawn = labels[int(random.integers(len(labels)))]
        other = donor(item, [candidate for candidate in objects if candidate.label == drawn], random)
        scenes: dict[SetName, Sequence[RGB]] = {
            SetName.OWN: [in_front_of(item, item.background)],
            SetName.SAME_CLASS: [in_front_of(item, same.background)],
            SetName.OTHER_CLASS: [in_front_of(item, other.background)],
            SetName.CENTRED: [moved(item, side_share=_SIDE_SHARE, at=_MIDDLE)],
            SetName.CORNERS: [moved(item, side_share=_SIDE_SHARE, at=corner) for corner in _CORNERS],
            SetName.HALF: [moved(item, side_share=_SIDE_SHARE / 2, at=_MIDDLE)],
            SetName.DOUBLE: [moved(item, side_share=2 * _SIDE_SHARE, at=_MIDDLE)],
        }
        images += [(name, item.label, image) for name, of_set in scenes.items() for image in of_set]
    return images


def donor(item: SceneObject, candidates: Sequence[SceneObject], random: np.random.Generator) -> SceneObject:
    """Choose the photo whose background an object gets: one where the object covers what had to be filled in.

    Chance chooses among the `_DONORS` candidates of which the least filling stays visible, and those that equal them;
    the object itself is none.
    """

    def uncovered(other: SceneObject) -> float:
        return float((other.hole & (item.alpha < 0.5)).mean())

    others = [other for other in candidates if other is not item]
    gaps = [uncovered(other) for other in others]
    limit = sorted(gaps)[:_DONORS][-1]
    good = [other for other, gap in zip(others, gaps, strict=True) if gap <= limit]
    return good[int(random.integers(len(good)))]


def _joined(
    images: Sequence[tuple[SetName, int, RGB]], side: int, objects: dict[str, int], left_out: Sequence[str]
) -> CounterfactualSets:
    """Shrink all images to the side that the networks see, and put them into arrays."""
    shrunk = [_resized(image, side) for _, _, image in images]
    return CounterfactualSets(
        images=np.stack(shrunk),
        labels=np.array([label for _, label, _ in images], np.int64),
        sets=np.array([str(name) for name, _, _ in images], np.str_),
        objects=objects,
        left_out=tuple(sorted(left_out)),
    )


def _resized(image: RGB, side: int) -> RGB:
    how = cv2.INTER_AREA if side < len(image) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (side, side), interpolation=how), np.uint8)
