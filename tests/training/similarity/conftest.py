"""Releases of one-pixel images whose colours are their features, so that no network runs."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from PIL import Image

from training.data.decoding import Decoder
from training.data.images import LabelledImages
from training.data.release import Release
from training.data.rows import PHOTO, Row
from training.fit.features import FeatureCache, View

CLASSES = ("bolt", "gear", "nut")


def images_of(spreads: Mapping[str, int], per_class: int, *, seed: int = 0) -> LabelledImages:
    """Images of one pixel: middle grey with noise up to the spread of their method."""
    rng = np.random.default_rng(seed)
    rows = [
        Row(
            data=_pixel(128 + rng.integers(-spread, spread + 1, 3)),
            label=label,
            origin="real" if method == PHOTO else "synthetic",
            method=method,
            name=f"{method}-{label}-{number}",
        )
        for method, spread in spreads.items()
        for label in CLASSES
        for number in range(per_class)
    ]
    return Decoder(1, None).images(rows, CLASSES)


def _pixel(colour: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(colour.astype(np.uint8)[None, None]).save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def release() -> Callable[..., Release]:
    """Builds a release: `release({"photo": 100, "inpaint": 120}, per_class=16)`, method → spread of its images."""

    def build(spreads: Mapping[str, int], *, per_class: int = 16, test_per_class: int = 5) -> Release:
        synthetic = {method: spread for method, spread in spreads.items() if method != PHOTO}
        real = {method: spread for method, spread in spreads.items() if method == PHOTO}
        return Release(
            name="toy",
            classes=CLASSES,
            real_train=images_of(real, per_class),
            synthetic_train=images_of(synthetic, per_class, seed=1),
            test=images_of({PHOTO: 100}, test_per_class, seed=2),
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
