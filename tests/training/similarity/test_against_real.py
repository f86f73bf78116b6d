from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from pipeline.embedding import normalised
from training.similarity.against_real import density_and_coverage, kernel_distance, manifold


def units(count: int, *, seed: int, centre: float = 1.0) -> np.ndarray:
    """(count, 12) random rows of length 1 around one direction."""
    return normalised(np.random.default_rng(seed).normal(centre, 1.0, size=(count, 12)))


def on_circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_real_photos_cover_themselves_and_lie_as_densely_as_themselves() -> None:
    photos = units(40, seed=0).astype(np.float64)
    # of each ball the k - 1 nearer photos and its own centre lie inside
    assert density_and_coverage(photos, manifold(photos)) == pytest.approx((1.0, 1.0))


def test_density_and_coverage_of_a_few_points_on_a_circle() -> None:
    # the ball of each photo reaches to its nearest other: 10°, 10°, 80° and 80°
    photos = manifold(on_circle(0, 10, 90, 170), neighbours=1)
    # 5° lies in the balls of 0° and 10° only; 45° in those of 90° only
    density, coverage = density_and_coverage(on_circle(5, 45), photos, neighbours=1)
    assert density == pytest.approx(3 / 2)
    assert coverage == pytest.approx(3 / 4)


def test_images_far_from_all_photos_cover_none() -> None:
    photos = manifold(on_circle(0, 1, 2, 3), neighbours=1)
    assert density_and_coverage(on_circle(180, 181), photos, neighbours=1) == (0.0, 0.0)


def test_the_kernel_distance_of_two_pairs_follows_from_their_cosines() -> None:
    first, second = on_circle(0, 90), on_circle(0, 180)
    within_first, within_second = (0 + 1) ** 3, (-1 + 1) ** 3
    across = ((1 + 1) ** 3 + (-1 + 1) ** 3 + (0 + 1) ** 3 + (0 + 1) ** 3) / 4
    assert kernel_distance(first, second) == pytest.approx(within_first + within_second - 2 * across)


def test_the_kernel_distance_is_that_of_torchmetrics_on_rows_of_length_root_d() -> None:
    first, second = units(20, seed=1).astype(np.float64), units(20, seed=2, centre=0.5).astype(np.float64)
    features = [torch.from_numpy(rows) * 12**0.5 for rows in (first, second)]
    assert kernel_distance(first, second) == pytest.approx(float(poly_mmd(*features)), rel=1e-6)


def test_the_kernel_distance_of_one_distribution_is_about_zero_and_of_two_is_not() -> None:
    distances = [kernel_distance(units(64, seed=seed), units(64, seed=seed + 100)) for seed in range(20)]
    apart = kernel_distance(units(64, seed=0), units(64, seed=100, centre=-1.0))
    assert abs(np.mean(distances)) < 0.01 * apart
    assert min(distances) < 0 < apart
