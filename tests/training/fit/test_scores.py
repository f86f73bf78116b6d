import pytest

from training.fit.scores import accuracy, balanced_accuracy, recall_per_class

CONFUSION = [[8, 2, 0], [1, 1, 0], [0, 0, 0]]  # the third class has no test image


def test_accuracy_is_the_share_of_the_diagonal() -> None:
    assert accuracy(CONFUSION) == 0.75


def test_balanced_accuracy_weighs_the_classes_that_were_tested_alike() -> None:
    assert balanced_accuracy(CONFUSION) == pytest.approx((0.8 + 0.5) / 2)


def test_recall_per_class_leaves_out_a_class_without_test_images() -> None:
    assert recall_per_class(CONFUSION, ["a", "b", "c"]) == {"a": 0.8, "b": 0.5}
