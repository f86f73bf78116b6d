from __future__ import annotations

import numpy as np
import pytest

from pipeline.embedding import normalised
from training.similarity.variety import cosine_vendi, mean_cosine, nearest_other


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
