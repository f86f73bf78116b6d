from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.domain.arms import Arm
from training.data.release import load_release
from training.fit.options import TrainingOptions
from training.study.curve_arms import with_curve_arms
from training.study.options import StudyOptions
from training.study.study import study


@pytest.mark.parametrize(
    ("photos_of_a_class", "shares"),
    [
        (20, ["real%10", "real%25", "real%50"]),  # 2, 5 and 10 photos of a class
        (11, ["real%10", "real%25", "real%50"]),  # 10 % of 11 are 2, rounded up
        (10, ["real%25", "real%50", "real%75"]),  # 10 % of 10 are 1
        (4, ["real%50", "real%75"]),
        (2, ["real%75"]),
        (1, []),
    ],
)
def test_shares_leave_two_photos_of_each_class(
    photos_of_a_class: int, shares: list[str], release_of: Callable[..., Path]
) -> None:
    folder = release_of({("real", "train", "photo"): photos_of_a_class, ("real", "test", "photo"): 5})
    release = load_release(str(folder), None, side_px=16)
    assert with_curve_arms(release, [Arm.PASTE, Arm.REAL]) == ("paste", "real", *shares)


def test_a_release_without_photos_keeps_its_arms(release_of: Callable[..., Path]) -> None:
    folder = release_of({("synthetic", "train", "paste"): 3, ("real", "test", "photo"): 5})
    release = load_release(str(folder), None, side_px=16)
    assert with_curve_arms(release, [Arm.PASTE]) == ("paste",)


@pytest.mark.usefixtures("one_thread")
def test_a_study_trains_the_shares_and_judges_only_the_arms_that_were_asked_for(
    full_release: Path, tmp_path: Path
) -> None:
    options = StudyOptions(
        arms=(Arm.REAL, Arm.MIXED),
        seeds=(0, 1),
        training=TrainingOptions(steps=4, batch=6, image_size=16),
        learning_curve=True,
    )
    result = study(load_release(str(full_release), None, side_px=16), options, out=tmp_path)
    assert [arm["arm"] for arm in result["arms"]] == ["real", "mixed", "real%25", "real%50", "real%75"]
    assert [comparison["arm"] for comparison in result["comparisons"]] == ["mixed"]
    found = result["data_efficiency"]
    assert found["curve"] is not None or "do not raise the accuracy" in found["skipped"]


@pytest.mark.usefixtures("one_thread")
def test_a_study_without_shares_says_how_to_get_a_curve(full_release: Path, tmp_path: Path) -> None:
    options = StudyOptions(
        arms=(Arm.REAL, Arm.PASTE), seeds=(0,), training=TrainingOptions(steps=2, batch=6, image_size=16)
    )
    found = study(load_release(str(full_release), None, side_px=16), options, out=tmp_path)["data_efficiency"]
    assert "this study has 1." in found["skipped"]
    assert "--learning-curve" in found["skipped"]
