"""The power law of real photos: exact on curves without noise, monotone with noise, cut off at its limits."""

from __future__ import annotations

import numpy as np
import pytest

from training.study.learning_curve import LearningCurves

PHOTOS = [25, 50, 100]


def test_a_curve_without_noise_is_found_and_inverted() -> None:
    # 0.9 - 2 / sqrt(n): 0.5 at 25 photos, 0.7 at 100; 0.8 needs 400, 0.65 needs 64
    curves = LearningCurves.fitted(PHOTOS, [0.9 - 2 / np.sqrt(np.array(PHOTOS))])
    assert (curves.plateaus[0], curves.scales[0], curves.exponents[0]) == pytest.approx((0.9, 2, 0.5))
    assert curves.accuracies([25, 100])[0] == pytest.approx([0.5, 0.7])
    for accuracy, photos in ((0.5, 25), (0.65, 64), (0.7, 100), (0.8, 400)):
        assert curves.photos([accuracy], fewest=1, most=1000)[0] == pytest.approx(photos, rel=1e-6)


def test_an_exponent_between_those_that_are_tried_changes_the_photos_little() -> None:
    measured = np.array([12, 24, 48, 96])
    curves = LearningCurves.fitted(measured, [0.95 - 1.1 * measured**-0.333])
    expected = (1.1 / (0.95 - 0.6)) ** (1 / 0.333)  # 31.2
    assert curves.photos([0.6], fewest=12, most=192)[0] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_noise_never_makes_a_curve_fall_or_pass_one(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0.9, 0.15, (50, 4)).clip(0, 1)
    numbers = np.geomspace(12, 192, 30)
    accuracies = LearningCurves.fitted([12, 24, 48, 96], noise).accuracies(numbers)
    assert (np.diff(accuracies, axis=1) >= 0).all()
    assert accuracies.max() <= 1


def test_the_fit_is_the_least_squares_one() -> None:
    noisy = np.array([0.52, 0.58, 0.69, 0.66])
    numbers = np.array([12, 24, 48, 96])
    curves = LearningCurves.fitted(numbers, noisy)
    least = ((curves.accuracies(numbers)[0] - noisy) ** 2).sum()
    a, b, c = (values[0] for values in (curves.plateaus, curves.scales, curves.exponents))
    for other in ((a + 0.01, b, c), (a - 0.01, b, c), (a, 1.05 * b, c), (a, 0.95 * b, c), (a, b, 1.1 * c)):
        moved = other[0] - other[1] * numbers ** -other[2]
        assert ((moved - noisy) ** 2).sum() > least


def test_accuracies_that_fall_give_a_flat_curve_at_their_mean() -> None:
    curves = LearningCurves.fitted(PHOTOS, [[0.8, 0.7, 0.6]])
    assert (curves.scales[0], curves.plateaus[0]) == (0, pytest.approx(0.7))
    reached = [curves.photos([accuracy], fewest=25, most=200)[0] for accuracy in (0.69, 0.71)]
    assert reached == [25, 200]


def test_accuracies_outside_the_curve_are_cut_off() -> None:
    curves = LearningCurves.fitted(PHOTOS, [0.9 - 2 / np.sqrt(np.array(PHOTOS))])
    # 0.3 needs 11 photos, 0.8 needs 400, and 0.95 lies above the plateau
    reached = [curves.photos([accuracy], fewest=25, most=200)[0] for accuracy in (0.3, 0.8, 0.95)]
    assert reached == [25, 200, 200]


def test_a_plateau_above_one_is_held_at_one() -> None:
    curves = LearningCurves.fitted(PHOTOS, [[0.1, 0.5, 0.99]])
    assert curves.plateaus[0] == 1
    assert curves.scales[0] > 0


def test_every_row_is_fitted_alone() -> None:
    rows = np.array([[0.5, 0.6, 0.7], [0.4, 0.7, 0.8]])
    together = LearningCurves.fitted(PHOTOS, rows)
    alone = [LearningCurves.fitted(PHOTOS, [row]) for row in rows]
    assert together.accuracies([30]).ravel() == pytest.approx(
        [curve.accuracies([30])[0, 0] for curve in alone]
    )


def test_two_points_are_no_curve() -> None:
    with pytest.raises(AssertionError, match="3 different numbers"):
        LearningCurves.fitted([25, 50], [[0.5, 0.6]])
