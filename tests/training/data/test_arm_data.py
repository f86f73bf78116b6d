from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.domain.arms import Arm
from pipeline.errors import ReleaseRefused
from training.data.arm_data import ArmData, arm_data, available_arms
from training.data.release import load_release


def test_every_arm_takes_its_own_images(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    available, _ = available_arms(release, list(Arm))
    counts = {data.arm: (data.counts["real"], data.counts["synthetic"]) for data in available}
    assert counts == {
        Arm.REAL: (18, 0),
        Arm.REAL_AUGMENTED: (18, 0),
        Arm.SYNTHETIC: (0, 12),
        Arm.MIXED: (18, 12),
        Arm.PASTE: (0, 9),
    }


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
