from __future__ import annotations

import numpy as np
import pytest

from training.similarity.draws import (
    balanced_draw,
    balanced_size,
    band,
    bootstrap_band,
    difference_band,
    widened,
)

LABELS = np.repeat([0, 1, 2], [10, 4, 7])


def test_the_largest_balanced_set_follows_from_the_rarest_class() -> None:
    assert balanced_size(LABELS) == 12
    assert balanced_size(LABELS[:0]) == 0


def test_a_set_holds_different_images_and_equally_many_of_every_class() -> None:
    chosen = balanced_draw(LABELS, 12, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 12
    assert np.bincount(LABELS[chosen]).tolist() == [4, 4, 4]


def test_what_is_left_over_goes_to_any_class() -> None:
    counts = [
        np.bincount(LABELS[balanced_draw(LABELS, 10, np.random.default_rng(seed))]) for seed in range(20)
    ]
    assert {tuple(sorted(count)) for count in counts} == {(3, 3, 4)}
    assert len({count.argmax() for count in counts}) == 3


def test_means_of_overlapping_sets_are_spread_as_those_of_separate_sets() -> None:
    rng = np.random.default_rng(0)
    group = rng.normal(size=400)
    means = np.array([rng.choice(group, 300, replace=False).mean() for _ in range(2000)])
    spread = widened(means, overlap=300 / 400).std()
    assert spread == pytest.approx(group.std() / np.sqrt(300), rel=0.05)
    assert widened(means, overlap=0.75).mean() == pytest.approx(means.mean())


def test_a_band_holds_95_percent_of_the_values() -> None:
    assert band(np.arange(201.0)) == pytest.approx({"mean": 100.0, "low": 5.0, "high": 195.0})


def test_a_difference_is_over_all_pairs_of_draws() -> None:
    assert difference_band(np.array([1.0, 3.0]), np.array([0.0, 2.0]))["mean"] == 1.0
    # the four pairs differ by -1, 1, 1 and 3
    assert difference_band(np.array([1.0, 3.0]), np.array([0.0, 2.0]))["high"] == pytest.approx(2.85)


def test_a_bootstrap_interval_holds_the_mean_and_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(size=400)
    interval = bootstrap_band(values)
    assert interval["mean"] == values.mean()
    half_width = 1.96 * values.std() / 20
    assert interval["high"] - interval["mean"] == pytest.approx(half_width, rel=0.15)
    assert interval["mean"] - interval["low"] == pytest.approx(half_width, rel=0.15)
