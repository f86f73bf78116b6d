from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.data.resampling import bootstrap

REAL, SYNTHETIC = "real", "synthetic"


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([REAL, SYNTHETIC])), min_size=1), st.integers(0, 99)
)
def test_every_class_and_origin_keeps_its_number_of_images(images: list[tuple[int, str]], seed: int) -> None:
    labels = np.array([label for label, _ in images])
    origins = np.array([origin for _, origin in images])
    drawn = bootstrap(labels, origins, seed=seed)
    assert (labels[drawn] == labels).all()
    assert (origins[drawn] == origins).all()


def test_a_draw_repeats_some_images_and_another_seed_draws_others() -> None:
    labels, origins = np.zeros(50, int), np.full(50, REAL)
    first, again, other = (bootstrap(labels, origins, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 20 < len(set(first.tolist())) < 45  # 1 - 1/e of 50 are 32


def test_arms_that_share_photos_draw_the_same_of_them() -> None:
    labels = np.array([0, 1] * 10)
    alone = bootstrap(labels, np.full(20, REAL), seed=3)
    mixed = bootstrap(np.tile(labels, 2), np.repeat([REAL, SYNTHETIC], 20), seed=3)
    assert np.array_equal(mixed[:20], alone)
    assert (mixed[20:] >= 20).all()
