import numpy as np
import pytest
from scipy.stats import spearmanr

from training.diagnosis.association import holm, permutation_p, rank_correlation, relative_ranks

ONE_CLASS = np.zeros(4, np.int64)
TWO_CLASSES = np.array([0, 0, 0, 1, 1, 1])


def test_ranks_are_taken_within_each_class_and_ties_share_theirs() -> None:
    ranks = relative_ranks(np.array([10.0, 30.0, 20.0, 5.0, 5.0, 1.0]), TWO_CLASSES)
    assert ranks == pytest.approx([1 / 6, 5 / 6, 3 / 6, 4 / 6, 4 / 6, 1 / 6])


def test_in_one_class_the_correlation_is_that_of_spearman() -> None:
    values, errors = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.2, 0.1, 0.4, 0.4])
    assert rank_correlation(values, errors, ONE_CLASS) == pytest.approx(spearmanr(values, errors).statistic)


def test_a_difference_between_classes_alone_is_no_correlation() -> None:
    values, errors = np.array([1.0, 2.0, 3.0, 11.0, 12.0, 13.0]), np.array([0.1, 0.0, 0.1, 0.9, 1.0, 0.9])
    assert spearmanr(values, errors).statistic > 0.6
    assert rank_correlation(values, errors, TWO_CLASSES) == pytest.approx(0.0)


def test_a_constant_has_no_correlation() -> None:
    assert rank_correlation(np.ones(4), np.arange(4.0), ONE_CLASS) == 0.0


def test_the_permutation_p_comes_near_the_exact_one() -> None:
    values = errors = np.arange(4.0)
    p = permutation_p(values, errors, ONE_CLASS)
    assert p == pytest.approx(2 / 24, abs=0.01)  # 2 of 24 orders are as extreme


def test_errors_are_permuted_within_classes_only() -> None:
    values = errors = np.array([1.0, 2.0, 3.0, 11.0, 12.0, 13.0])
    p = permutation_p(values, errors, TWO_CLASSES)
    assert p == pytest.approx(2 / 36, abs=0.01)  # 3! orders of each class, both rising or both falling


def test_the_permutation_p_follows_from_the_seed() -> None:
    values, errors = np.arange(4.0), np.array([0.2, 0.1, 0.4, 0.3])
    first, again = (permutation_p(values, errors, ONE_CLASS, permutations=50, seed=3) for _ in range(2))
    assert first == again


def test_holm_multiplies_by_the_number_of_those_left_and_never_falls() -> None:
    assert holm([0.03, 0.01, 0.02, 0.5]) == pytest.approx([0.06, 0.04, 0.06, 0.5])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
