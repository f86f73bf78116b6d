import numpy as np
import pytest

from pipeline.domain.arms import Arm
from training.diagnosis.explain import Errors, factor_findings, recognised_at_ends, sentences_of
from training.diagnosis.factors import Factor

PER_CLASS = 12
LABELS = np.repeat([0, 1], PER_CLASS)
RISING = np.tile(np.arange(PER_CLASS, dtype=float), 2)


def errors(shares: np.ndarray, groups: np.ndarray | None = None) -> Errors:
    numbers = np.arange(len(shares)) if groups is None else groups
    return Errors(arm=Arm.REAL, shares=shares, labels=LABELS, groups=numbers)


def test_small_objects_that_are_missed_are_told_in_a_sentence() -> None:
    shares = np.where(RISING < 4, 0.75, np.where(RISING < 8, 0.5, 0.25))
    (finding,), left_out = factor_findings({Factor.OBJECT_SIZE: RISING}, errors(shares))
    assert left_out == []
    assert (finding["direction"], finding["certain"], finding["photos"]) == ("low", True, 24)
    assert finding["effect"] < -0.9
    assert finding["p"] == finding["p_alone"] == pytest.approx(0.0001)
    assert finding["sentence"] == (
        "Photos in which the object is small are recognised less often: 25 % of the smallest third, 75 % of the "
        "largest third."
    )


def test_a_factor_without_a_relation_is_not_certain_and_makes_no_sentence() -> None:
    shares = np.tile([1.0, 0.0], PER_CLASS)
    findings, _ = factor_findings({Factor.LIGHT: RISING}, errors(shares))
    assert [(finding["certain"], finding["sentence"]) for finding in findings] == [(False, "")]
    assert sentences_of(findings, errors(shares)) == [
        "Real photos: The factor that was tested does not explain the errors with certainty."
    ]


def test_a_relation_that_does_not_show_between_the_ends_explains_nothing() -> None:
    shares = np.where(RISING < 4, 0.50, np.where(RISING < 8, 0.49, 0.48))
    (finding,), _ = factor_findings({Factor.LIGHT: RISING}, errors(shares))
    assert finding["p"] < 0.01
    assert (finding["certain"], finding["sentence"]) == (False, "")


def test_several_factors_are_corrected_for_their_number() -> None:
    shares = np.where(RISING < 6, 0.75, 0.25)
    values = {Factor.LIGHT: RISING, Factor.SHARPNESS: np.tile([1.0, 0.0], PER_CLASS)}
    findings, _ = factor_findings(values, errors(shares))
    assert [finding["factor"] for finding in findings] == ["light", "sharpness"]
    assert findings[0]["p"] == pytest.approx(2 * findings[0]["p_alone"])
    assert sentences_of(findings, errors(shares)) == [
        "Real photos: Photos that are dark are recognised less often: 25 % of the darkest third, 75 % of the "
        "brightest third."
    ]


def test_a_factor_that_is_known_of_too_few_photos_is_left_out_and_named() -> None:
    values = np.where(np.arange(24) < 19, RISING, np.nan)
    findings, left_out = factor_findings({Factor.CLUTTER: values}, errors(RISING / 12))
    assert findings == []
    assert left_out == [
        {
            "factor": "clutter",
            "title": "clutter",
            "reason": "known of 19 photos; at least 20 are needed",
        }
    ]


def test_a_factor_that_is_the_same_in_nearly_all_photos_is_left_out() -> None:
    objects = np.ones(24)
    objects[:4] = 2
    _, (missing,) = factor_findings({Factor.OBJECTS: objects}, errors(RISING / 12))
    assert missing["reason"] == "nearly all photos have the same value"


def test_near_duplicates_count_as_one_photo() -> None:
    groups = np.arange(24) // 2 + 100
    _, (missing,) = factor_findings({Factor.LIGHT: RISING}, errors(RISING / 12, groups))
    assert missing["reason"] == "known of 12 photos; at least 20 are needed"


def test_photos_that_are_all_recognised_leave_nothing_to_explain() -> None:
    findings, left_out = factor_findings({Factor.LIGHT: RISING}, errors(np.zeros(24)))
    assert findings == []
    assert left_out[0]["reason"] == "the photos of a class are all recognised equally often"
    assert sentences_of(findings, errors(np.zeros(24))) == [
        "Real photos: All test photos are recognised with every seed."
    ]


def test_the_classes_at_both_ends_count_alike_and_the_others_do_not() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 2])
    low = np.array([1, 1, 1, 0, 1, 0, 1], bool)
    shares = np.array([0.0, 0.0, 0.3, 0.2, 0.9, 1.0, 1.0])  # class 2 has no photo with a high value
    low_rate, high_rate = recognised_at_ends((low, ~low), shares, labels)
    assert low_rate == pytest.approx((0.9 + 0.1) / 2)
    assert high_rate == pytest.approx((0.8 + 0.0) / 2)
