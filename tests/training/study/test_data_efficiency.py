"""What arms are worth in real photos, on a curve whose inverse is known: 0.9 - 2 / sqrt(photos)."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from pipeline.domain.arms import Arm
from training.data.arm_data import ArmData
from training.data.images import LabelledImages
from training.study.data_efficiency import data_efficiency
from training.study.photo_worth import photo_count, photo_range
from training.study.result import DataEfficiency, EquivalentPhotos, PhotoCount
from training.study.uncertainty import Uncertainty

CURVE = {"real%25": (25, 0, 0.5), "real%50": (50, 0, 0.9 - 2 / 50**0.5), "real": (100, 0, 0.7)}
Plan = dict[str, tuple[int, int, float]]  # arm → real photos, synthetic images, balanced accuracy


def arm_data(name: str, real: int, synthetic: int) -> ArmData:
    total = real + synthetic
    names = np.full(total, "")
    images = LabelledImages(
        images=np.zeros((total, 1, 1, 3), np.uint8),
        labels=np.zeros(total, np.int64),
        origins=np.array(["real"] * real + ["synthetic"] * synthetic),
        methods=names,
        recipes=names,
        sources=names,
        all_sources=names,
    )
    return ArmData(arm=Arm(name), images=images)


def efficiency(
    plan: Plan, *, deviation: float | None = None, offsets: tuple[float, ...] = (0.0,)
) -> DataEfficiency:
    """Findings of arms whose seeds lie at `offsets` from the accuracy of the plan.

    Args:
        deviation: standard deviation of every mean accuracy over seeds, independent of each other; None: not known.
    """
    arms = [arm_data(name, real, synthetic) for name, (real, synthetic, _) in plan.items()]
    scores = {Arm(name): [mean + offset for offset in offsets] for name, (_, _, mean) in plan.items()}
    uncertainty = None
    if deviation is not None:
        uncertainty = Uncertainty(
            arms=tuple(scores),
            from_runs=deviation**2 * np.eye(len(arms)),
            from_photos=np.zeros((len(arms), len(arms))),
            run_freedom=1000,
            photo_freedom=1000,
        )
    found = data_efficiency(arms, scores, uncertainty)
    assert found is not None
    return found


def only(found: DataEfficiency) -> EquivalentPhotos:
    (arm,) = found["arms"]
    return arm


def test_synthetic_images_are_worth_the_photos_that_reach_their_accuracy() -> None:
    arm = only(efficiency({**CURVE, "synthetic": (0, 400, 0.65)}))
    assert arm["equivalent"]["estimate"] == {"photos": 64.0, "beyond": ""}
    assert arm["additional"] == arm["equivalent"]
    assert arm["equivalent"]["low"] is None
    assert arm["sentence"] == "Synthetic: 400 synthetic images are worth 64 real photos."


def test_of_a_mixed_arm_the_photos_that_it_uses_are_taken_off() -> None:
    # 0.9 - 2 / sqrt(156.25) = 0.74
    arm = only(efficiency({**CURVE, "mixed": (100, 400, 0.74)}))
    assert arm["equivalent"]["estimate"]["photos"] == pytest.approx(156.25, abs=0.06)
    assert arm["additional"]["estimate"]["photos"] == pytest.approx(56.25, abs=0.06)
    expected = "400 synthetic images beside 100 real photos are worth 56 additional real photos."
    assert arm["sentence"] == f"Real + synthetic: {expected}"


def test_a_mixed_arm_that_does_worse_than_its_photos_is_told_as_a_loss() -> None:
    arm = only(efficiency({**CURVE, "mixed": (100, 400, 0.65)}))
    assert arm["additional"]["estimate"]["photos"] == -36.0
    assert arm["sentence"].endswith(
        "are worth no additional real photos; leaving out 36 of the 100 photos costs as much accuracy."
    )


@pytest.mark.parametrize(
    ("accuracy", "expected"), [(0.8, "more than 200"), (0.95, "more than 200"), (0.3, "fewer than 25")]
)
def test_beyond_the_curve_no_number_is_made_up(accuracy: float, expected: str) -> None:
    arm = only(efficiency({**CURVE, "paste": (0, 90, accuracy)}))
    assert arm["sentence"] == f"Pasted: 90 synthetic images are worth {expected} real photos."


def test_up_to_twice_the_measured_photos_the_curve_is_believed() -> None:
    # 0.9 - 2 / sqrt(196) = 0.757
    arm = only(efficiency({**CURVE, "paste": (0, 90, 0.9 - 2 / 14)}))
    assert photo_count(arm["equivalent"]["estimate"]) == "196"


def test_without_enough_points_a_sentence_says_which_arms_to_add() -> None:
    few = {name: of_arm for name, of_arm in CURVE.items() if name != "real%50"}
    found = efficiency({**few, "synthetic": (0, 400, 0.65)})
    assert (found["curve"], found["arms"]) == (None, [])
    assert "at least 3 different numbers of real photos" in found["skipped"]
    assert "this study has 2" in found["skipped"]
    assert found["skipped"].endswith("--arms real real%25 real%50 …")


def test_shares_with_equally_many_photos_are_one_point() -> None:
    found = efficiency({**CURVE, "real%49": (50, 0, CURVE["real%50"][2] + 0.02), "synthetic": (0, 4, 0.6)})
    assert found["curve"] is not None
    assert [point["photos"] for point in found["curve"]["points"]] == [25, 50, 100]
    middle = found["curve"]["points"][1]["balanced_accuracy"]["mean"]
    assert middle == pytest.approx(CURVE["real%50"][2] + 0.01)


def test_strong_augmentation_is_valued_and_is_no_point_of_the_curve() -> None:
    arm = only(efficiency({**CURVE, "real_augmented": (100, 0, 0.74)}))
    sentence = "this use of 100 real photos is worth 56 additional real photos."
    assert arm["sentence"] == f"Real, strongly augmented: {sentence}"


def test_a_flat_curve_values_nothing() -> None:
    found = efficiency(
        {"real%25": (25, 0, 0.8), "real%50": (50, 0, 0.8), "real": (100, 0, 0.79), "paste": (0, 9, 0.8)}
    )
    assert found["skipped"].endswith("do not raise the accuracy between 25 and 100 photos.")


def test_real_photos_alone_are_not_valued() -> None:
    arms = [arm_data(name, real, synthetic) for name, (real, synthetic, _) in CURVE.items()]
    assert data_efficiency(arms, {Arm(name): [mean] for name, (*_, mean) in CURVE.items()}, None) is None


def test_the_interval_covers_the_estimate_and_grows_with_the_uncertainty() -> None:
    plan: Plan = {**CURVE, "synthetic": (0, 400, 0.65)}
    widths = []
    for deviation in (0.002, 0.005):
        worth = only(efficiency(plan, deviation=deviation))["equivalent"]
        assert worth["low"] is not None
        assert worth["high"] is not None
        assert worth["low"]["photos"] < 64 < worth["high"]["photos"]
        widths.append(worth["high"]["photos"] - worth["low"]["photos"])
    assert widths[0] < widths[1]


def test_a_small_uncertainty_of_the_arm_alone_follows_the_slope_of_the_curve() -> None:
    # dn/da = n ** 1.5 at n = 64 is 512 photos, so ± 1.96 * 0.002 of accuracy is ± 2.0 photos
    plan: Plan = {**CURVE, "synthetic": (0, 400, 0.65)}
    arms = [arm_data(name, real, synthetic) for name, (real, synthetic, _) in plan.items()]
    covariance = np.zeros((4, 4))
    covariance[3, 3] = 0.002**2
    uncertainty = Uncertainty(
        arms=tuple(Arm(name) for name in plan),
        from_runs=covariance / 2,
        from_photos=covariance / 2,
        run_freedom=10_000,
        photo_freedom=10_000,
    )
    found = data_efficiency(arms, {Arm(name): [mean] for name, (*_, mean) in plan.items()}, uncertainty)
    assert found is not None
    low, high = only(found)["equivalent"]["low"], only(found)["equivalent"]["high"]
    assert low is not None
    assert high is not None
    assert (low["photos"], high["photos"]) == pytest.approx((62.0, 66.1), abs=0.2)


def test_an_interval_over_the_whole_curve_says_that_nothing_can_be_told() -> None:
    arm = only(efficiency({**CURVE, "synthetic": (0, 400, 0.65)}, deviation=0.3))
    assert arm["sentence"] == (
        "Synthetic: how many real photos 400 synthetic images are worth cannot be told; the 95 % interval reaches "
        "from fewer than 25 to more than 200."
    )


def test_an_interval_beyond_the_curve_is_not_written_as_a_range() -> None:
    found = efficiency({**CURVE, "synthetic": (0, 400, 0.85)}, deviation=0.001)
    assert only(found)["sentence"] == (
        "Synthetic: 400 synthetic images are worth more than 200 real photos (over the whole 95 % interval)."
    )


def test_a_gain_whose_interval_holds_zero_is_called_not_certain() -> None:
    found = efficiency({**CURVE, "mixed": (100, 400, 0.71)}, deviation=0.01)
    assert only(found)["sentence"].endswith("; a gain is not certain.")


def test_the_same_scores_give_the_same_interval() -> None:
    plan: Plan = {**CURVE, "mixed": (100, 400, 0.72)}
    assert efficiency(plan, deviation=0.01) == efficiency(plan, deviation=0.01)


def test_numbers_are_written_with_their_limits() -> None:
    def count(photos: float, beyond: str = "") -> PhotoCount:
        return cast(PhotoCount, {"photos": photos, "beyond": beyond})

    assert photo_count(count(1234.4)) == "1,234"
    assert photo_count(count(-12.0, "fewer")) == "fewer than −12"
    assert photo_count(count(-0.4)) == "0"
    assert (
        photo_range({"estimate": count(35), "low": count(24), "high": count(192, "more")})
        == "35 (24 to > 192)"
    )
