"""Releases of noise whose features are made up, so that no network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from training.data.images import LabelledImages
from training.data.release import Release
from training.fit.features import FeatureCache, View

CLASSES = ("bolt", "gear", "nut")


def images_of(method: str, per_class: int, *, spread: int, seed: int) -> LabelledImages:
    """Images of one pixel: their three numbers, 128 with noise up to `spread`, are what they are compared by."""
    count = per_class * len(CLASSES)
    noise = np.random.default_rng(seed).integers(-spread, spread + 1, (count, 1, 1, 3))
    return LabelledImages(
        images=(128 + noise).astype(np.uint8),
        labels=np.arange(count) % len(CLASSES),
        origins=np.array(["real" if method == "photo" else "synthetic"] * count, np.str_),
        methods=np.array([method] * count, np.str_),
    )


@pytest.fixture
def release() -> Callable[..., Release]:
    """Builds a release: `release({"photo": 100, "inpaint": 120}, per_class=16)`, method → spread of its images."""

    def build(spreads: Mapping[str, int], *, per_class: int = 16, test_per_class: int = 5) -> Release:
        sets = {
            method: images_of(method, per_class, spread=spread, seed=seed)
            for seed, (method, spread) in enumerate(spreads.items())
        }
        synthetic = images_of("none", 0, spread=1, seed=0)
        for method, images in sets.items():
            synthetic = synthetic if method == "photo" else synthetic.joined(images)
        return Release(
            name="toy",
            classes=CLASSES,
            real_train=sets.get("photo", images_of("photo", 0, spread=1, seed=0)),
            synthetic_train=synthetic,
            test=images_of("photo", test_per_class, spread=100, seed=99),
            test_name="toy",
        )

    return build


class PixelFeatures(FeatureCache):
    """Takes the pixels for the features."""

    def features(self, images: np.ndarray, view: View) -> np.ndarray:
        """(N, 1, 3) float16: the brightness above a dark grey."""
        return (images.reshape(len(images), 1, 3).astype(np.float16) - 100) / 16


@pytest.fixture
def pixel_features() -> FeatureCache:
    return PixelFeatures()
