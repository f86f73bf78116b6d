from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ReleaseRefused
from training.arms import Arm, ArmData, arm_data, filled_arms
from training.release import load_release


def test_every_arm_takes_its_own_pictures(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    filled, _ = filled_arms(release, list(Arm))
    counts = {one.arm: (one.counts["real"], one.counts["synthetic"]) for one in filled}
    assert counts == {
        Arm.REAL: (18, 0),
        Arm.REAL_AUGMENTED: (18, 0),
        Arm.SYNTHETIC: (0, 12),
        Arm.MIXED: (18, 12),
        Arm.PASTE: (0, 9),
    }


def test_an_arm_without_pictures_is_skipped_with_the_reason(full_release: Path) -> None:
    _, skipped = filled_arms(load_release(str(full_release), None, side_px=16), [Arm.REAL, Arm.SDXL])
    reasons = {one.arm: one.reason for one in skipped}
    assert reasons == {Arm.SDXL: "the release has no training pictures of method text_to_image"}


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
    found = arm_data(release, Arm.SYNTHETIC)
    assert not isinstance(found, ArmData)
    assert found.reason == "it has no training picture of 'green'"
    assert isinstance(arm_data(release, Arm.MIXED), ArmData)


def test_a_study_of_arms_without_any_data_is_refused(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    with pytest.raises(
        ReleaseRefused, match=r"sdxl: the release has no training pictures of method text_to_image"
    ):
        filled_arms(release, [Arm.SDXL])
