import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from training.fit.scores import (
    accuracy,
    balanced_accuracy,
    brier_score,
    expected_calibration_error,
    macro_f1,
    measures,
    negative_log_likelihood,
    recall_per_class,
)

CONFUSION = [[8, 2, 0], [1, 1, 0], [0, 0, 0]]  # the third class has no test image


def test_accuracy_is_the_share_of_the_diagonal() -> None:
    assert accuracy(CONFUSION) == 0.75


def test_balanced_accuracy_weighs_the_classes_that_were_tested_alike() -> None:
    assert balanced_accuracy(CONFUSION) == pytest.approx((0.8 + 0.5) / 2)


def test_recall_per_class_leaves_out_a_class_without_test_images() -> None:
    assert recall_per_class(CONFUSION, ["a", "b", "c"]) == {"a": 0.8, "b": 0.5}


@pytest.fixture
def predicted() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.dirichlet([0.5] * 4, 200).astype(np.float32), random.integers(0, 4, 200)


def test_measures_are_those_of_scikit_learn_and_torchmetrics(
    predicted: tuple[np.ndarray, np.ndarray],
) -> None:
    probabilities, labels = predicted
    confusion = np.zeros((4, 4), int)
    np.add.at(confusion, (labels, probabilities.argmax(axis=1)), 1)
    assert macro_f1(confusion) == pytest.approx(
        f1_score(labels, probabilities.argmax(axis=1), average="macro")
    )
    clipped = np.maximum(probabilities.astype(float), 1e-6)
    assert negative_log_likelihood(probabilities, labels) == pytest.approx(
        log_loss(labels, clipped / clipped.sum(axis=1, keepdims=True)), rel=1e-4
    )
    expected = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=4, n_bins=15
    )
    assert expected_calibration_error(probabilities, labels) == pytest.approx(float(expected), abs=1e-5)
    assert measures(probabilities, labels, confusion)["worst_class"] == min(
        recall_per_class(confusion, list("abcd")).values()
    )


def test_the_brier_score_is_0_for_certainty_and_2_for_certainty_of_another_class() -> None:
    certain = np.eye(3, dtype=np.float32)[[0, 1]]
    assert brier_score(certain, np.array([0, 1])) == 0
    assert brier_score(certain, np.array([1, 0])) == 2
    assert brier_score(np.full((1, 2), 0.5, np.float32), np.array([0])) == 0.5
