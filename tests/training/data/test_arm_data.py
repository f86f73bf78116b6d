from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.arms import ALL_USES, Arm
from pipeline.errors import ReleaseRefused
from training.data.arm_data import ArmData, arm_data, available_arms
from training.data.release import load_release


def test_every_arm_takes_its_own_images(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    available, skipped = available_arms(release, list(ALL_USES))
    counts = {data.arm: (data.counts["real"], data.counts["synthetic"]) for data in available}
    assert counts == {
        Arm.REAL: (18, 0),
        Arm.REAL_AUGMENTED: (18, 0),
        Arm.SYNTHETIC: (0, 12),
        Arm.MIXED: (18, 12),
        Arm.FINE_TUNED: (18, 12),
        Arm.PASTE: (0, 9),
        Arm.REAL_PASTE: (18, 9),
    }
    assert {arm.arm: arm.reason for arm in skipped}[Arm.INPAINT] == (
        "it would train on the same images as 'synthetic'"
    )


def test_a_ratio_takes_so_many_synthetic_images_for_each_photo_or_says_what_is_missing(
    full_release: Path,
) -> None:
    release = load_release(str(full_release), None, side_px=16)
    half = arm_data(release, Arm("mixed:0.5"))
    assert isinstance(half, ArmData)
    assert half.counts == {"real": 18, "synthetic": 9}
    assert half.class_counts(release.classes) == {"red": 9, "green": 9, "blue": 9}
    double = arm_data(release, Arm("mixed:2"))
    assert not isinstance(double, ArmData)
    assert double.reason == (
        "it needs 36 synthetic images in equal proportion to the photos of each class; "
        "24 are missing, the most of 'red'"
    )


def test_a_smaller_share_of_the_photos_is_part_of_a_larger_one(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    third, half = (arm_data(release, Arm(name)) for name in ("real%33.4", "real%50"))
    assert isinstance(third, ArmData)
    assert isinstance(half, ArmData)
    assert (len(third.images), len(half.images)) == (9, 9)  # rounded up in each class of six
    assert set(third.images.sources) <= set(half.images.sources)


def test_an_arm_of_one_recipe_takes_its_images_alone(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    recipes = np.where(np.arange(len(release.synthetic_train)) % 2, "heaps", "single")
    release = replace(release, synthetic_train=replace(release.synthetic_train, recipes=recipes))
    data = arm_data(release, Arm("synthetic@heaps"))
    assert isinstance(data, ArmData)
    assert set(data.images.recipes) == {"heaps"}
    missing = arm_data(release, Arm("synthetic@street"))
    assert not isinstance(missing, ArmData)
    assert missing.reason.endswith("of method inpaint or controlnet and recipe street")


def test_an_arm_without_images_is_skipped_with_the_reason(full_release: Path) -> None:
    _, skipped = available_arms(
        load_release(str(full_release), None, side_px=16), [Arm.REAL, Arm.TEXT_TO_IMAGE]
    )
    reasons = {arm.arm: arm.reason for arm in skipped}
    assert reasons == {Arm.TEXT_TO_IMAGE: "the release has no training images of method text_to_image"}


def test_an_arm_that_lacks_a_class_is_skipped_with_its_name(release_of: Callable[..., Path]) -> None:
    folder = release_of({("real", "train", "photo"): 3, ("real", "test", "photo"): 5})
    release_of({("synthetic", "train", "inpaint"): 4}, name="part", classes=("red", "blue"))
    part = folder.parent / "part" / "data" / "synthetic"
    part.rename(folder / "data" / "synthetic")
    card = (folder / "README.md").read_text().rstrip().removesuffix("---")
    synthetic = (
        "- config_name: synthetic\n  data_files:\n  - split: train\n    path: data/synthetic/train-*\n---\n"
    )
    (folder / "README.md").write_text(card + synthetic)
    release = load_release(str(folder), None, side_px=16)
    skipped = arm_data(release, Arm.SYNTHETIC)
    assert not isinstance(skipped, ArmData)
    assert skipped.reason == "the release has no training images of 'green' for this arm"
    assert isinstance(arm_data(release, Arm.MIXED), ArmData)


def test_a_study_of_arms_without_any_data_is_refused(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    with pytest.raises(
        ReleaseRefused, match=r"text_to_image: the release has no training images of method text_to_image"
    ):
        available_arms(release, [Arm.TEXT_TO_IMAGE])


def test_an_arm_with_one_image_of_a_class_is_skipped_with_its_name(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    of_red = np.flatnonzero(release.real_train.labels == 0)
    release = replace(release, real_train=release.real_train.where(~np.isin(np.arange(18), of_red[1:])))
    skipped = arm_data(release, Arm.REAL)
    assert not isinstance(skipped, ArmData)
    assert skipped.reason == "the release has only one training image of 'red' for this arm"
    assert isinstance(arm_data(release, Arm.MIXED), ArmData)
