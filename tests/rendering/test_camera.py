"""A camera blurs, adds noise and compresses, each only as far as the spec says."""

from __future__ import annotations

import numpy as np

from pipeline.domain.look import CameraSpec
from pipeline.rendering.camera import photographed

EDGE = np.zeros((64, 64, 3), np.uint8)
EDGE[:, 32:] = 200
GREY = np.full((64, 64, 3), 120, np.uint8)


def test_a_camera_that_does_nothing_changes_nothing() -> None:
    assert np.array_equal(photographed(EDGE, CameraSpec(), seed=1), EDGE)


def test_blur_softens_an_edge() -> None:
    row = photographed(EDGE, CameraSpec(blur_px=1.0), seed=1)[32, :, 0]
    assert 0 < row[31] < 100 < row[32] < 200


def test_noise_has_the_wanted_spread_and_follows_the_seed() -> None:
    first, again, other = (photographed(GREY, CameraSpec(noise=4.0), seed=seed) for seed in (1, 1, 2))
    assert 3.5 < first.std() < 4.5
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_compression_leaves_its_traces() -> None:
    grain = photographed(GREY, CameraSpec(noise=8.0), seed=1)
    compressed = photographed(GREY, CameraSpec(noise=8.0, jpeg=30), seed=1)
    assert compressed.shape == grain.shape
    assert 1 < np.abs(compressed.astype(int) - grain).mean() < 15
