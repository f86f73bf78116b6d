from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.variety import (
    SetVariety,
    VarietyCurve,
    VarietyPoint,
    cosine_vendi,
    mean_cosine,
    nearest_other,
    variety_curve,
)
from pipeline.embedding import normalised


def units(count: int, size: int, *, seed: int = 0) -> np.ndarray:
    """(count, size) random rows of length 1, none of them negative, as the features of a network are."""
    return normalised(np.abs(np.random.default_rng(seed).normal(size=(count, size))))


def test_identical_images_count_as_one_and_orthogonal_images_each() -> None:
    assert cosine_vendi(np.ones((6, 3), np.float32)) == pytest.approx(1.0)
    assert cosine_vendi(np.eye(4, dtype=np.float32)) == pytest.approx(4.0)


def test_two_kinds_of_images_in_equal_numbers_count_as_two() -> None:
    assert cosine_vendi(np.repeat(np.eye(2, dtype=np.float32), 8, axis=0)) == pytest.approx(2.0)


def test_vendi_of_a_pair_follows_from_its_cosine() -> None:
    # K / 2 of two rows with cosine 0.6 has the eigenvalues (1 ± 0.6) / 2
    pair = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
    assert cosine_vendi(pair) == pytest.approx(np.exp(-0.8 * np.log(0.8) - 0.2 * np.log(0.2)), rel=1e-6)


def test_vendi_is_the_same_from_either_matrix() -> None:
    rows = units(40, 8)
    padded = np.pad(rows, ((0, 0), (0, 64)))  # more columns than rows: from the (40, 40) kernel
    assert cosine_vendi(rows) == pytest.approx(cosine_vendi(padded))


def test_the_mean_cosine_is_that_of_all_pairs() -> None:
    rows = units(9, 5).astype(np.float64)
    pairs = (rows @ rows.T)[np.triu_indices(9, 1)]
    assert mean_cosine(rows) == pytest.approx(pairs.mean())
    assert mean_cosine(np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)) == pytest.approx(0.6)


def test_the_nearest_other_image_is_never_the_image_itself() -> None:
    rows = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], np.float32)
    assert nearest_other(rows) == pytest.approx([0.6, 0.8, 0.8])


def test_a_curve_has_numbers_that_double_and_then_all_images() -> None:
    curve = variety_curve(units(40, 8))
    assert curve is not None
    assert [point.count for point in curve.points] == [8, 16, 32, 40]
    assert curve.points[-1].vendi == pytest.approx(cosine_vendi(units(40, 8)))
    assert curve.points[1].mean_cosine == pytest.approx(mean_cosine(units(40, 8)[:16]))
    assert variety_curve(units(7, 8)) is None


def test_images_that_have_nothing_in_common_go_on_adding_and_equal_ones_do_not() -> None:
    apart = variety_curve(np.eye(100, dtype=np.float32))
    equal = variety_curve(np.ones((100, 1), np.float32))
    assert apart is not None
    assert equal is not None
    assert apart.exponent == pytest.approx(1.0)
    assert apart.gain == pytest.approx(1.0)  # 100 more of 100 double the score
    assert not apart.is_full
    assert equal.gain == pytest.approx(0.0)
    assert equal.is_full


def test_only_the_first_images_are_measured_and_all_of_them_count_for_the_gain() -> None:
    rows = units(600, 8)
    first, all_of_them = variety_curve(rows[:512], total=1000), variety_curve(rows, total=1000)
    assert first == all_of_them
    assert first is not None
    assert first.points[-1].count == 512
    assert first.gain == pytest.approx(1.1**first.exponent - 1)


def curve_of(*scores: float, exponent: float, total: int = 100) -> VarietyCurve:
    """A curve with scores of 8, 16, … images."""
    points = tuple(VarietyPoint(8 * 2**place, score, 0.5) for place, score in enumerate(scores))
    return VarietyCurve(total=total, points=points, exponent=exponent)


def test_the_sentence_names_the_classes_of_which_more_add_nothing() -> None:
    curves = {"nut": curve_of(2, 3, 4, exponent=0.5), "bolt": curve_of(4, 5, exponent=0.01)}
    variety = SetVariety(recipe="heaps", method="paste", images=200, compared=48, wanted=200, curves=curves)
    assert variety.points == (VarietyPoint(8, 3.0, 0.5), VarietyPoint(16, 4.0, 0.5))
    assert variety.sentence == (
        "heaps, paste: 16 images of a class count as 4.0 different ones, mean similarity 0.50; another 100 images of "
        "'bolt' add less than 1%: stop, or widen the recipe; another 100 of the other classes add 41%"
    )


def test_without_curves_the_sentence_says_that_too_little_is_compared() -> None:
    variety = SetVariety(recipe="heaps", method="paste", images=9, compared=0, wanted=9, curves={})
    assert variety.points == ()
    assert variety.sentence.startswith("heaps, paste: too few compared images")
