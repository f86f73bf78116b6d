import numpy as np

from pipeline.domain.arms import ALL_USES, Arm
from training.study.statistics import sign_flip_p
from training.study.uncertainty import TestPhotos, Uncertainty
from training.study.verdict import Finding, Verdict, planned_comparisons, verdict

REAL = [0.50, 0.52, 0.48, 0.51, 0.49, 0.50]


def ahead(by: list[float]) -> list[float]:
    return [base + gain for base, gain in zip(REAL, by, strict=False)]


def test_an_arm_ahead_in_all_of_six_seeds_is_best_in_plain_words() -> None:
    judged = verdict({Arm.REAL: REAL, Arm.MIXED: ahead([0.10, 0.12, 0.08, 0.11, 0.09, 0.10])})
    assert (judged.finding, judged.best) == (Finding.BETTER, Arm.MIXED)
    assert judged.sentence == (
        "Real + synthetic is best: 60.0 % balanced accuracy on the test photos against 50.0 % with real "
        "photos alone, +10.0 points, 95 % interval +8.0 to +12.0, p = 0.031."
    )


def test_the_best_arm_is_held_against_the_next_best_too() -> None:
    mixed, synthetic = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1], [0.12, 0.05, 0.12, 0.05, 0.12, 0.05]
    judged = verdict({Arm.REAL: REAL, Arm.MIXED: ahead(mixed), Arm.SYNTHETIC: ahead(synthetic)})
    assert judged.best == Arm.MIXED
    assert judged.sentence.startswith("Real + synthetic leads: 60.0 %")
    assert judged.praise == "leads"
    assert "It is not shown to differ from Synthetic (58.5 %" in judged.sentence
    assert "Also better than real photos: Synthetic (+8.5 points" in judged.sentence


def test_a_higher_but_uneven_arm_is_not_passed_over_in_silence() -> None:
    uneven = [0.6, -0.2, 0.5, -0.1, 0.4, 0.3]
    judged = verdict({Arm.REAL: REAL, Arm.MIXED: ahead([0.1] * 6), Arm.TEXT_TO_IMAGE: ahead(uneven)})
    assert judged.best == Arm.MIXED
    assert judged.sentence.startswith("Real + synthetic is the surest gain: 60.0 %")
    assert judged.praise == "surest gain"
    assert "It is not shown to differ from Text to image (75.0 %" in judged.sentence


def test_five_comparisons_over_six_seeds_can_still_be_claimed() -> None:
    gains = {arm: [0.1, 0.2, 0.1, 0.2, 0.1, 0.2] for arm in ALL_USES if arm != Arm.REAL}
    judged = verdict({Arm.REAL: REAL} | {arm: ahead(by) for arm, by in gains.items()})
    assert judged.finding is Finding.BETTER
    assert {comparison.p_adjusted for comparison in judged.comparisons} == {0.03125}


def test_gains_that_come_and_go_are_no_significant_difference() -> None:
    judged = verdict({Arm.REAL: REAL, Arm.PASTE: ahead([0.1, -0.1, 0.05, -0.02, 0.03, -0.04])})
    assert (judged.finding, judged.best) == (Finding.NO_DIFFERENCE, None)
    assert judged.sentence.startswith(
        "No significant difference: over 6 seeds no use of the data differs from real photos alone"
    )


def test_real_photos_are_best_when_everything_else_falls_behind() -> None:
    judged = verdict({Arm.REAL: REAL, Arm.TEXT_TO_IMAGE: ahead([-0.1] * 6)})
    assert (judged.finding, judged.best, judged.praise) == (Finding.WORSE, Arm.REAL, "best")
    assert "Worse than real photos: Text to image (-10.0 points" in judged.sentence


def test_an_arm_that_falls_behind_makes_nothing_of_another_that_does_not() -> None:
    gains = [0.1, 0.12, 0.08, 0.11, 0.09, -0.01]
    judged = verdict({Arm.REAL: REAL, Arm.MIXED: ahead(gains), Arm.PASTE: ahead([-0.1] * 6)})
    assert (judged.finding, judged.best, judged.praise) == (Finding.WORSE, None, None)
    assert "nearest to a gain: Real + synthetic, +8.2 points" in judged.sentence


def test_an_arm_ahead_of_every_other_is_best() -> None:
    judged = verdict({Arm.REAL: REAL, Arm.MIXED: ahead([0.2] * 6), Arm.PASTE: ahead([0.1] * 6)})
    assert (judged.best, judged.praise) == (Arm.MIXED, "best")
    assert "It is also ahead of every other use of the data: Pasted (60.0 %, p = 0.031)." in judged.sentence


def test_an_arm_that_does_not_beat_the_third_arm_too_is_not_called_best() -> None:
    # Mixed minus Synthetic: -5 +30 -5 +30 +10 +10 (sum 70 of 90). |sum| >= 70 where the flipped ones add up to at
    # most 10: none, 5, 5, 5 + 5, 10 or 10, so 6 of 64 on each side: p = 0.1875. The runner-up, Pasted, is beaten.
    uneven = [0.25, -0.10, 0.25, -0.10, 0.10, 0.10]
    judged = verdict(
        {
            Arm.REAL: REAL,
            Arm.MIXED: ahead([0.2] * 6),
            Arm.PASTE: ahead([0.1] * 6),
            Arm.SYNTHETIC: ahead(uneven),
        }
    )
    assert (judged.finding, judged.best, judged.praise) == (Finding.BETTER, Arm.MIXED, "leads")
    assert judged.sentence.startswith("Real + synthetic leads: 70.0 %")
    assert "It is not shown to differ from Synthetic (58.3 %, p = 0.188)." in judged.sentence


def test_a_lead_over_two_arms_that_each_hold_alone_is_corrected_for_both() -> None:
    # In hundredths: 12 of 14 over Pasted and 13 of 15 over Synthetic. Alone, three sign patterns a side reach each:
    # 6/128 = 0.047. Together they are four a side, since one pattern serves both twice: 8/128 = 0.0625.
    over_pasted, over_synthetic = [1, -1, 2, 3, 2, 3, 2], [2, 2, 3, 3, 3, -1, 1]
    judged = verdict(
        {
            Arm.REAL: [0.3] * 7,
            Arm.MIXED: [0.6] * 7,
            Arm.PASTE: [0.6 - lead / 100 for lead in over_pasted],
            Arm.SYNTHETIC: [0.6 - lead / 100 for lead in over_synthetic],
        }
    )
    assert [sign_flip_p(leads) for leads in (over_pasted, over_synthetic)] == [0.046875, 0.046875]
    assert (judged.best, judged.praise) == (Arm.MIXED, "leads")
    assert "not shown to differ from Pasted (58.3 %, p = 0.062), Synthetic (58.1 %, p = 0.062)." in (
        judged.sentence
    )


def test_fewer_than_six_seeds_never_make_a_claim() -> None:
    judged = verdict({Arm.REAL: REAL[:3], Arm.MIXED: ahead([0.3, 0.3, 0.3])})
    assert (judged.finding, judged.best) == (Finding.TOO_FEW_SEEDS, None)
    assert (
        "fewer than six seeds can never reach p < 0.05 (the smallest possible p here is 0.250)"
        in judged.sentence
    )
    assert "Real + synthetic leads with 80.0 % balanced accuracy against 50.0 %" in judged.sentence
    assert not any(comparison.significant for comparison in judged.comparisons)


def test_one_seed_is_judged_without_intervals() -> None:
    judged = verdict({Arm.REAL: [0.5], Arm.MIXED: [0.6]})
    assert judged.sentence.startswith("Too few seeds for a conclusion: 1 seed was run")
    assert judged.comparisons[0].difference.low is None


def test_without_real_photos_or_without_others_there_is_nothing_to_compare() -> None:
    assert verdict({Arm.REAL: REAL}).finding is Finding.NOTHING_TO_COMPARE
    alone = verdict({Arm.SYNTHETIC: [0.25], Arm.PASTE: [0.5]})
    assert alone.finding is Finding.NOTHING_TO_COMPARE
    assert alone.sentence == (
        "Nothing to compare: real photos are not among the arms. Balanced accuracy on the test photos: "
        "Synthetic 25.0 %, Pasted 50.0 %."
    )


def right(of: int, count: int, *, seeds: int = 10) -> np.ndarray:
    """(seeds, count) answers of which the first ones of both classes are right."""
    return np.tile(np.repeat(np.arange(count // 2) < of // 2, 2), (seeds, 1))


def judged_on(correct: dict[Arm, np.ndarray], *, margin: float = 0.02) -> Verdict:
    """The verdict over test photos of two classes that alternate."""
    count = correct[Arm.REAL].shape[1]
    photos = TestPhotos(labels=np.arange(count) % 2, groups=np.arange(count))
    scores = {arm: of_arm.mean(axis=1).tolist() for arm, of_arm in correct.items()}
    return verdict(scores, Uncertainty.of(correct, photos, resampled=False), margin=margin)


def test_seeds_that_agree_on_a_few_test_photos_make_no_claim() -> None:
    few = {Arm.REAL: right(20, 40), Arm.MIXED: right(22, 40)}
    judged = judged_on(few)
    (comparison,) = judged.comparisons
    assert comparison.p_adjusted == 2 / 2**10
    assert comparison.p_photos is not None
    assert comparison.p_claim == comparison.p_photos > 0.05
    assert judged.finding is Finding.NO_DIFFERENCE
    assert "None is shown to equal them within ±2 points either" in judged.sentence
    many = {Arm.REAL: right(1000, 2000), Arm.MIXED: right(1100, 2000)}
    assert judged_on(many).finding is Finding.BETTER


def test_equal_arms_on_many_test_photos_are_called_equal() -> None:
    alike = {Arm.REAL: right(1000, 2000), Arm.MIXED: right(1002, 2000)}
    assert "All are shown to equal them within ±2 points." in judged_on(alike).sentence
    assert "neither shown nor excluded" in judged_on(alike, margin=0.001).sentence


def test_comparisons_fixed_beforehand_are_those_whose_arms_are_there() -> None:
    scores = {Arm.REAL: REAL, Arm.INPAINT: ahead([0.2] * 6), Arm.PASTE: ahead([0.1] * 6)}
    (planned,) = planned_comparisons(scores)
    assert (planned.arm, planned.against, planned.p_adjusted) == (Arm.INPAINT, Arm.PASTE, 0.03125)
    assert planned.effect is None or planned.effect > 1e9  # the same gain in every seed
