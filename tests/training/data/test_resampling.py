from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.data.resampling import poisson_bootstrap


def real(labels: np.ndarray) -> np.ndarray:
    return np.full(len(labels), "real")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1), st.integers(0, 99))
def test_every_class_stays_and_images_of_one_source_are_drawn_equally_often(
    images: list[tuple[int, int]], seed: int
) -> None:
    labels = np.array([label for label, _ in images])
    sources = np.array([f"{label}-{source}" for label, source in images])
    drawn = poisson_bootstrap(labels, real(labels), sources, seed=seed)
    assert set(labels[drawn]) == set(labels)
    times = np.bincount(drawn, minlength=len(labels))
    for source in set(sources):
        assert len(set(times[sources == source])) == 1


def test_about_a_third_of_the_photos_is_left_out_and_another_seed_leaves_out_others() -> None:
    labels, sources = np.zeros(2000, int), np.array([f"photo {number}" for number in range(2000)])
    first, again, other = (poisson_bootstrap(labels, real(labels), sources, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert abs(len(set(first.tolist())) / 2000 - (1 - np.exp(-1))) < 0.03
    assert abs(len(first) / 2000 - 1) < 0.06


def test_arms_that_share_photos_draw_the_same_of_them() -> None:
    labels, sources = np.array([0, 1] * 10), np.array([f"photo {number}" for number in range(20)])
    alone = poisson_bootstrap(labels, real(labels), sources, seed=3)
    origins = np.repeat(["real", "synthetic"], 20)
    mixed = poisson_bootstrap(np.tile(labels, 2), origins, np.tile(sources, 2), seed=3)
    assert np.array_equal(mixed[mixed < 20], alone)
    assert np.array_equal(mixed[mixed >= 20] - 20, alone)


def test_a_class_of_which_nothing_is_drawn_keeps_its_images() -> None:
    for seed in range(30):  # a photo alone in its class is drawn 0 times by a third of the seeds
        labels = np.array([0, 1])
        assert 0 in poisson_bootstrap(labels, real(labels), np.array(["a", "b"]), seed=seed)


def test_a_class_of_which_no_synthetic_image_is_drawn_keeps_all_of_them() -> None:
    origins = np.array(["real", "real", "synthetic", "synthetic"])
    for seed in range(30):  # of photo a alone there are synthetic images, as in an arm of a small share
        drawn = poisson_bootstrap(np.zeros(4, int), origins, np.array(["a", "b", "a", "a"]), seed=seed)
        assert set(origins[drawn]) == {"real", "synthetic"}
