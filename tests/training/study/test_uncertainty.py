"""Intervals and p values over seeds and test photos, held to formulas and to SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from pipeline.domain.arms import Arm
from training.study.uncertainty import TestPhotos, Uncertainty

PAIR = (Arm.MIXED, Arm.REAL)


def photos(count: int, classes: int = 2, per_group: int = 1) -> TestPhotos:
    return TestPhotos(labels=np.arange(count) % classes, groups=np.arange(count) % (count // per_group))


def uncertainty(
    runs: np.ndarray, on_photos: np.ndarray, *, freedom: tuple[int, int] = (9, 98)
) -> Uncertainty:
    return Uncertainty(
        arms=(Arm.REAL, Arm.MIXED, Arm.PASTE)[: len(runs)],
        from_runs=runs,
        from_photos=on_photos,
        run_freedom=freedom[0],
        photo_freedom=freedom[1],
    )


def test_without_an_effect_of_the_photos_it_is_the_paired_t_test() -> None:
    scores = np.random.default_rng(0).normal(0.6, 0.05, (2, 10))
    of_runs = uncertainty(np.cov(scores) / 10, np.zeros((2, 2)))
    mean = float(scores[1].mean() - scores[0].mean())
    expected = ttest_rel(scores[1], scores[0])
    interval = of_runs.interval(PAIR, mean)
    assert (interval.low, interval.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert of_runs.adjusted_p([PAIR], [mean])[0] == pytest.approx(expected.pvalue, abs=0.01)


def test_both_parts_add_up_with_the_degrees_of_freedom_of_satterthwaite() -> None:
    runs, on_photos = np.diag([1.0, 1.0]), np.diag([0.5, 1.5])
    interval = uncertainty(runs, on_photos).interval(PAIR, 0.0)
    freedom = 4.0**2 / (2.0**2 / 9 + 2.0**2 / 98)
    assert interval.high == pytest.approx(2.0 * t.ppf(0.975, freedom))


def test_test_photos_vary_as_a_binomial_rate() -> None:
    # one arm is right in 60 of 100 photos of each class, whatever the seed: the variance of the mean over two classes
    # is 0.6 * 0.4 / 100 / 2
    right = np.tile(np.repeat(np.arange(100) < 60, 2), (3, 1))
    estimated = Uncertainty.of({Arm.REAL: right, Arm.MIXED: ~right}, photos(200), resampled=False)
    assert estimated.from_photos[0, 0] == pytest.approx(0.0012, rel=0.1)
    assert estimated.from_photos[0, 1] == pytest.approx(-0.0012, rel=0.1)
    assert estimated.from_runs == pytest.approx(np.zeros((2, 2)), abs=1e-30)


def test_photos_of_one_object_are_drawn_together() -> None:
    right = np.tile(np.repeat(np.arange(100) < 60, 2), (3, 1))
    alone = Uncertainty.of({Arm.REAL: right, Arm.MIXED: right}, photos(200), resampled=False)
    groups = np.arange(200) // 10 * 2 + np.arange(200) % 2  # five photos of a class after one another
    together = Uncertainty.of(
        {Arm.REAL: right, Arm.MIXED: right},
        TestPhotos(labels=np.arange(200) % 2, groups=groups),
        resampled=False,
    )
    assert together.from_photos[0, 0] == pytest.approx(5 * alone.from_photos[0, 0], rel=0.15)
    assert together.photo_freedom == 38


def test_the_spread_of_other_training_sets_is_not_reduced_by_more_seeds() -> None:
    random = np.random.default_rng(1)
    correct = {arm: random.random((10, 40)) < random.random((10, 1)) for arm in PAIR}
    again = Uncertainty.of(correct, photos(40), resampled=False)
    others = Uncertainty.of(correct, photos(40), resampled=True)
    assert np.allclose(others.from_runs, 10 * again.from_runs)


def test_more_comparisons_raise_p_and_equal_ones_do_not() -> None:
    runs = np.diag([0.0, 1.0, 1.0])
    both = [(Arm.MIXED, Arm.REAL), (Arm.PASTE, Arm.REAL)]
    apart = uncertainty(runs, np.zeros((3, 3)))
    alone, (first, second) = apart.adjusted_p(both[:1], [2.5])[0], apart.adjusted_p(both, [2.5, 0.1])
    assert alone < first < 2 * alone
    assert second > 0.8
    same = uncertainty(np.array([[0.0, 0, 0], [0, 1, 1], [0, 1, 1]]), np.zeros((3, 3)))
    assert same.adjusted_p(both, [2.5, 2.5]).tolist() == pytest.approx([alone, alone], abs=0.004)


def test_equal_arms_have_p_1_and_certain_ones_the_smallest() -> None:
    certain = uncertainty(np.zeros((2, 2)), np.zeros((2, 2)))
    assert certain.adjusted_p([PAIR], [0.0]) == [1.0]
    assert certain.adjusted_p([PAIR], [0.1])[0] < 1e-4


def test_drawn_means_have_the_covariance_of_seeds_and_photos_together() -> None:
    runs = np.array([[4e-4, 2e-4], [2e-4, 3e-4]])
    on_photos = np.array([[1e-4, 1e-4], [1e-4, 2e-4]])
    drawn = uncertainty(runs, on_photos, freedom=(100_000, 100_000)).drawn_means([0.6, 0.7])
    assert drawn.mean(axis=0) == pytest.approx([0.6, 0.7], abs=0.002)
    assert np.cov(drawn, rowvar=False) == pytest.approx(runs + on_photos, abs=3e-5)


def test_drawn_means_spread_as_the_t_distribution_does_and_stay_rates() -> None:
    runs = np.diag([1e-4, 0.0])
    drawn = uncertainty(runs, np.zeros((2, 2)), freedom=(5, 98)).drawn_means([0.6, 1.0])
    assert np.quantile(drawn[:, 0], 0.975) == pytest.approx(0.6 + 0.01 * t.ppf(0.975, 5), abs=0.002)
    assert (drawn[:, 1] == 1.0).all()
    wide = uncertainty(np.diag([0.25, 0.25]), np.zeros((2, 2))).drawn_means([0.6, 0.9])
    assert (wide.min(), wide.max()) == (0.0, 1.0)
