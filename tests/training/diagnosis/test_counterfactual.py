from collections.abc import Mapping

import numpy as np
import pytest

from training.data.images import LabelledImages
from training.data.release import Release
from training.diagnosis.counterfactual import (
    SET_TITLES,
    CounterfactualSets,
    SetName,
    counterfactual_sets,
    donor,
    is_movable,
)
from training.diagnosis.cutouts import ExaminedPhotos, PhotoCutout, PhotoCutouts
from training.diagnosis.scenes import scene_object
from training.diagnosis.squares import Squares

SIDE = 32
GREYS = (60, 120)  # of the backgrounds, by class


def block(top: int, left: int, side: int = 8) -> np.ndarray:
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[top : top + side, left : left + side] = 255
    return alpha


def labelled(labels: list[int]) -> LabelledImages:
    names = np.array([f"photo {number}" for number in range(len(labels))])
    return LabelledImages(
        images=np.zeros((len(labels), 16, 16, 3), np.uint8),
        labels=np.array(labels),
        origins=names, methods=names, recipes=names, sources=names, all_sources=names,
    )  # fmt: skip


def examined(counts: Mapping[int, int], *, score: float = 1.0) -> tuple[Release, ExaminedPhotos]:
    """White blocks at the centre of plain backgrounds, as many of each class as said."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    images = np.stack([np.full((SIDE, SIDE, 3), GREYS[label], np.uint8) for label in labels])
    alpha = block(12, 12)
    images[:, alpha > 0] = 255
    release = Release(
        name="toy",
        classes=("dark", "light"),
        real_train=labelled([]),
        synthetic_train=labelled([]),
        test=labelled(labels),
        test_name="toy",
    )
    squares = Squares(images=images, masks=(None,) * len(labels), names=tuple(map(str, labels)))
    return release, ExaminedPhotos(squares, PhotoCutouts((PhotoCutout(alpha, score, 1),) * len(labels), ""))


def rendered(counts: Mapping[int, int]) -> CounterfactualSets:
    sets = counterfactual_sets(*examined(counts))
    assert isinstance(sets, CounterfactualSets)
    return sets


def corner(sets: CounterfactualSets, name: SetName, label: int) -> set[int]:
    """Grey levels of the upper left corners of a set's images of one class."""
    of_set = (sets.sets == name) & (sets.labels == label)
    return set(sets.images[of_set][:, 0, 0, 0].tolist())


def test_every_set_has_a_title() -> None:
    assert set(SET_TITLES) == set(SetName)


def test_every_object_is_in_every_set_and_four_times_in_the_corners() -> None:
    sets = rendered({0: 5, 1: 6})
    counts = {name: int((sets.sets == name).sum()) for name in SetName}
    assert counts == {name: 44 if name == SetName.CORNERS else 11 for name in SetName}
    assert sets.images.shape == (110, 16, 16, 3)
    assert sets.objects == {"dark": 5, "light": 6}


def test_backgrounds_are_of_the_class_or_of_the_other() -> None:
    sets = rendered({0: 5, 1: 5})
    assert corner(sets, SetName.OWN, 0) == corner(sets, SetName.SAME_CLASS, 0) == {60}
    assert corner(sets, SetName.OTHER_CLASS, 0) == {120}
    assert corner(sets, SetName.OTHER_CLASS, 1) == {60}


def test_the_same_seed_renders_the_same_images() -> None:
    first, again = (rendered({0: 5, 1: 7}) for _ in range(2))
    assert np.array_equal(first.images, again.images)


def test_sizes_are_half_normal_and_double() -> None:
    sets = rendered({0: 5, 1: 5})
    sides = {}
    for name in (SetName.HALF, SetName.CENTRED, SetName.DOUBLE):
        white = (sets.images[sets.sets == name][0, ..., 0] - 60.0).sum() / (255 - 60)  # in pixels
        sides[name] = np.sqrt(white) / 16
    assert sides[SetName.CENTRED] == pytest.approx(0.4, abs=0.05)
    assert sides[SetName.HALF] == pytest.approx(0.2, abs=0.05)
    assert sides[SetName.DOUBLE] == pytest.approx(0.8, abs=0.05)


def test_with_fewer_than_five_objects_a_class_there_are_no_sets() -> None:
    reason = counterfactual_sets(*examined({0: 5, 1: 4}))
    assert reason == (
        "There are no counterfactual test sets: they need 5 test photos with a usable mask of at least two classes; "
        "of this release 1 class has as many."
    )


def test_masks_below_the_usable_score_are_no_objects() -> None:
    assert isinstance(counterfactual_sets(*examined({0: 9, 1: 9}, score=0.49)), str)


@pytest.mark.parametrize(
    ("alpha", "movable"),
    [(block(12, 12), True), (block(0, 12), False), (block(12, 24), False), (block(1, 1, 30), False)],
)
def test_an_object_that_the_border_cuts_or_that_fills_the_photo_is_not_moved(
    alpha: np.ndarray, movable: bool
) -> None:
    assert is_movable(PhotoCutout(alpha, 1.0, 1)) is movable


def test_the_background_is_one_whose_filling_the_object_hides() -> None:
    rgb = np.full((SIDE, SIDE, 3), 90, np.uint8)
    item = scene_object(rgb, block(8, 8, 16), 0)
    inside = [scene_object(rgb, block(12, 12), 1) for _ in range(3)]
    beside = [scene_object(rgb, block(1, 20), 1) for _ in range(3)]
    chosen = [donor(item, [item, *beside, *inside], np.random.default_rng(seed)) for seed in range(8)]
    assert all(any(other is candidate for candidate in inside) for other in chosen)
