import numpy as np
import pytest
from scipy.stats import permutation_test, sem, t

from training.study.statistics import (
    mean_interval,
    order_agreement,
    sign_flip_adjusted,
    sign_flip_interval,
    sign_flip_p,
    smallest_p,
)


def test_six_differences_of_one_sign_reach_the_smallest_p_of_two_in_sixty_four() -> None:
    assert sign_flip_p([0.1, 0.2, 0.3, 0.1, 0.2, 0.3]) == 0.03125 == smallest_p(6)


def test_five_seeds_can_never_reach_five_percent() -> None:
    assert sign_flip_p([5, 6, 7, 8, 9]) == smallest_p(5) == 0.0625


def test_sign_flip_p_counts_every_pattern_at_least_as_far_out() -> None:
    # sums of ±1 ±2 ±3 with |sum| >= |1 + 2 - 3| = 0: all eight; with |sum| >= |-1 + 2 + 3| = 4: +-6, +-4
    assert sign_flip_p([1, 2, -3]) == 1.0
    assert sign_flip_p([-1, 2, 3]) == 0.5


def test_darwins_maize_gives_fishers_exact_p() -> None:
    # Fisher 1935, section 21: 1,726 of 32,768 patterns (both sides) reach the sum of 314 eighths of an inch
    maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert sign_flip_p(maize) == 1726 / 32768


def test_equal_arms_give_p_one() -> None:
    assert sign_flip_p([0.0] * 6) == 1.0


def test_max_t_with_one_comparison_is_the_plain_test() -> None:
    d = [0.3, -0.1, 0.2, 0.25, 0.05]
    assert sign_flip_adjusted(np.array(d)[:, None]).tolist() == [sign_flip_p(d)]


def test_max_t_keeps_the_smallest_p_however_many_comparisons_there_are() -> None:
    d = np.array([[4, 4, -9], [4, 5, 1], [4, 6, -1], [4, 4, 1], [4, 5, -2], [4, 6, 9]], float)
    assert sign_flip_adjusted(d).tolist() == [0.03125, 0.03125, 1.0]


def test_max_t_counts_patterns_in_which_another_comparison_is_as_far_out() -> None:
    # the second comparison reaches the same statistic under two patterns of its own: 2 + 2 of 64
    d = np.array([[1, 1], [1, -1], [1, 1], [1, -1], [1, 1], [1, -1]], float)
    assert sign_flip_adjusted(d).tolist() == [0.0625, 1.0]


def test_max_t_is_never_below_the_uncorrected_p_and_keeps_its_order() -> None:
    d = np.random.default_rng(0).normal(0.3, 1.0, (8, 4))
    alone = np.array([sign_flip_p(column) for column in d.T])
    adjusted = sign_flip_adjusted(d)
    assert (adjusted >= alone).all()
    assert np.argmin(adjusted) == np.argmin(alone)


def test_student_interval_of_three_values() -> None:
    # t(0.975, 2) = 4.3027; sd = 1, so the half width is 4.3027 / sqrt(3) = 2.4841
    interval = mean_interval([1.0, 2.0, 3.0])
    assert (interval.mean, interval.low, interval.high) == pytest.approx((2.0, -0.4841, 4.4841), abs=1e-4)


def test_one_value_has_a_mean_and_no_interval() -> None:
    assert mean_interval([0.7]).mean == 0.7
    assert mean_interval([0.7]).low is None


def test_the_interval_of_six_pairs_is_their_range_and_of_five_has_no_ends() -> None:
    interval = sign_flip_interval([0.1, 0.12, 0.08, 0.11, 0.09, -0.01])
    assert (interval.low, interval.high) == (-0.01, 0.12)
    assert interval.mean == pytest.approx(0.49 / 6)
    assert sign_flip_interval([1.0, 2.0, 3.0, 4.0, 5.0]).low is None


@pytest.mark.parametrize("pairs", [6, 7, 9, 12])
def test_the_interval_holds_just_what_the_test_does_not_reject(pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    for _ in range(20):
        d = rng.normal(0.5, 1.0, pairs)
        interval = sign_flip_interval(d.tolist())
        assert interval.low is not None
        assert interval.high is not None
        inside, outside = 1e-4, -1e-4
        for shift, rejected in ((inside, False), (outside, True)):
            assert (sign_flip_p((d - interval.low - shift).tolist()) < 0.05) is rejected
            assert (sign_flip_p((d - interval.high + shift).tolist()) < 0.05) is rejected


def joint_null(differences: np.ndarray) -> np.ndarray:
    """(2**n, k) statistics |sum d| / sqrt(sum d²) under every joint pattern of signs, as SciPy enumerates them."""
    scaled = differences / np.sqrt((differences**2).sum(axis=0))
    result = permutation_test(
        (scaled,),
        lambda flipped, axis: np.abs(flipped.sum(axis=axis)),
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="greater",
    )
    return np.asarray(result.null_distribution)


@pytest.mark.parametrize("pairs", [6, 7, 10])
def test_the_exact_p_is_the_one_that_scipy_gives(pairs: int) -> None:
    for d in np.random.default_rng(pairs).normal(0.4, 1.0, (10, pairs)):
        scipy_p = permutation_test((d,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
        assert sign_flip_p(d.tolist()) == pytest.approx(scipy_p, abs=1e-12)


def test_the_max_t_p_of_the_first_comparison_is_the_one_of_scipys_joint_null_distribution() -> None:
    differences = np.random.default_rng(5).normal(0.5, 1.0, (8, 4))
    null = joint_null(differences)
    observed = np.abs((differences / np.sqrt((differences**2).sum(axis=0))).sum(axis=0))
    expected = np.mean(null.max(axis=1) >= observed.max() - 1e-9)
    assert sign_flip_adjusted(differences).min() == pytest.approx(expected, abs=1e-12)


def test_the_mean_interval_is_scipys_t_interval() -> None:
    values = [0.61, 0.7, 0.64, 0.72, 0.58]
    interval = mean_interval(values)
    expected = t.interval(0.95, 4, loc=np.mean(values), scale=sem(values))
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-12)


def test_the_agreement_of_two_orders_is_kendalls_tau() -> None:
    assert order_agreement([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]) == 1.0
    assert order_agreement([0.1, 0.2, 0.3], [0.6, 0.5, 0.4]) == -1.0
    assert order_agreement([0.1, 0.2, 0.3], [0.4, 0.6, 0.5]) == 0.333
    assert order_agreement([0.1], [0.2]) is None
    assert order_agreement([0.1, 0.1], [0.2, 0.3]) is None
