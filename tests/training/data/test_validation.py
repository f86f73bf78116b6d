from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from pipeline.domain.release import Origin
from pipeline.errors import ReleaseRefused
from training.data.arm_data import ArmData, SkippedArm, arm_data
from training.data.images import LabelledImages
from training.data.release import Release, load_release
from training.data.validation import Validation


def toy_photos(labels: list[int], *, seed: int, prefix: str) -> LabelledImages:
    count = len(labels)
    names = np.array([f"{prefix}{number}" for number in range(count)])
    return LabelledImages(
        images=np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3)).astype(np.uint8),
        labels=np.array(labels, np.int64),
        origins=np.array([str(Origin.REAL)] * count),
        methods=np.array(["photo"] * count),
        recipes=np.array([""] * count),
        sources=names,
        all_sources=names,
    )


def toy_release(
    labels: list[int], *, behind: dict[int, int] | None = None, groups: list[int] | None = None
) -> Release:
    """Each training photo has one pasted image, image i of photo i; `behind` names a second photo of an image."""
    photos = toy_photos(labels, seed=1, prefix="photo ")
    names = photos.sources.tolist()
    everything = [
        f"{names[(behind or {})[number]]}\n{name}" if number in (behind or {}) else name
        for number, name in enumerate(names)
    ]
    pasted = replace(
        photos,
        images=photos.images // 2,
        origins=np.array([str(Origin.SYNTHETIC)] * len(labels)),
        methods=np.array([str(Method.PASTE)] * len(labels)),
        all_sources=np.array(everything),
    )
    return Release(
        name="toy",
        classes=("dark", "light"),
        real_train=photos,
        synthetic_train=pasted,
        test=toy_photos([0, 1] * 5, seed=2, prefix="test "),
        test_name="toy",
        train_groups=None if groups is None else np.array(groups),
    )


def part_of(release: Release, arm: Arm) -> ArmData:
    data = arm_data(release, arm)
    assert isinstance(data, ArmData)
    part = Validation.of(release).training_part(data)
    assert isinstance(part, ArmData)
    return part


def test_a_quarter_of_the_training_photos_of_each_class_is_held_out() -> None:
    release = toy_release([0] * 8 + [1] * 20)
    validation = Validation.of(release)
    assert validation.release.test_counts() == {"dark": 2, "light": 5}
    assert set(validation.photos.sources) <= set(release.real_train.sources)
    assert not set(validation.photos.sources) & set(release.test.sources)


def test_the_validation_photos_follow_from_pixels_not_from_names_or_test_photos() -> None:
    release = toy_release([0] * 8 + [1] * 8)
    renamed = np.array([f"other/{name}" for name in release.real_train.sources])
    other = replace(
        release,
        real_train=replace(release.real_train, sources=renamed, all_sources=renamed),
        test=toy_photos([1] * 5, seed=9, prefix="x"),
    )
    first, second = Validation.of(release).photos, Validation.of(other).photos
    assert np.array_equal(first.images, second.images)


def test_an_image_made_from_a_validation_photo_is_not_trained_on() -> None:
    release = toy_release([0] * 8 + [1] * 8)
    held_out = Validation.of(release).held_out
    for arm in (Arm.REAL, Arm.PASTE, Arm.REAL_PASTE):
        assert not set(part_of(release, arm).images.sources) & held_out
    assert len(part_of(release, Arm.REAL_PASTE).images) == 2 * (16 - 4)


def test_an_image_with_a_validation_photo_behind_the_front_object_is_not_trained_on() -> None:
    plain = toy_release([0] * 8 + [1] * 8)
    held_out = Validation.of(plain).held_out
    names = plain.real_train.sources.tolist()
    front = next(number for number, name in enumerate(names) if name not in held_out)
    back = next(number for number, name in enumerate(names) if name in held_out)
    kept = set(part_of(plain, Arm.PASTE).images.sources)
    left = set(part_of(toy_release([0] * 8 + [1] * 8, behind={front: back}), Arm.PASTE).images.sources)
    assert kept - left == {names[front]}


def test_near_duplicates_stay_together() -> None:
    groups = [0, 0, 0, 1, 1, 2, 2, 3, *range(8, 16)]
    release = toy_release([0] * 8 + [1] * 8, groups=groups)
    held_out = Validation.of(release).held_out
    for group in set(groups):
        of_group = {f"photo {number}" for number, other in enumerate(groups) if other == group}
        assert of_group <= held_out or not of_group & held_out
    assert 1 <= len(held_out & {f"photo {number}" for number in range(8)}) <= 2


def test_a_class_of_near_duplicates_alone_is_refused() -> None:
    release = toy_release([0] * 4 + [1] * 8, groups=[0] * 4 + list(range(4, 12)))
    with pytest.raises(ReleaseRefused, match="photos of 'dark' in toy are near-duplicates of each other"):
        Validation.of(release)


def test_a_class_with_too_few_photos_is_refused() -> None:
    with pytest.raises(
        ReleaseRefused, match="toy has 3 real training photos of 'light'; a tuning budget needs"
    ):
        Validation.of(toy_release([0] * 8 + [1] * 3))


def test_an_arm_that_would_lose_a_class_is_left_out_with_the_reason() -> None:
    release = toy_release([0] * 8 + [1] * 8)
    of_held_out = np.isin(release.synthetic_train.sources, list(Validation.of(release).held_out))
    scarce = of_held_out | (release.synthetic_train.labels == 1)
    release = replace(release, synthetic_train=release.synthetic_train.where(scarce))
    data = arm_data(release, Arm.REAL_PASTE)
    assert isinstance(data, ArmData)
    left_out = Validation.of(release).training_part(data)
    assert isinstance(left_out, SkippedArm)
    assert left_out.reason == (
        "all its synthetic images of 'dark' are validation photos or show objects of them"
    )


def test_the_near_duplicates_among_the_training_photos_are_read_with_the_release(
    release_of: Callable[..., Path],
) -> None:
    folder = release_of({("real", "train", "photo"): 4, ("real", "test", "photo"): 5})
    release = load_release(str(folder), None, side_px=16)
    assert release.train_groups is not None
    assert release.train_groups.tolist() == list(range(12))
