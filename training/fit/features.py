"""The features that the linear probe trains on: EfficientNet-Lite0 runs once over each image, not at every step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.embedding import FEATURES, Network, WeightsUnusable, checked_weights
from pipeline.errors import InvalidRequest
from training.data.augment import lightly_augmented, strongly_augmented
from training.fit.npz import read_arrays
from training.fit.run_folder import whole_file

VIEWS = 4  # of each training image: what augmentation may show of it
_BATCH = 32  # images
_LENGTH = 16.0  # of a feature vector: a scale at which the optimiser's usual learning rates work


class View(StrEnum):
    """How an image is shown to the network."""

    PLAIN = "plain"  # as it is: test photos
    LIGHT = "light"  # `VIEWS` light augmentations
    STRONG = "strong"  # `VIEWS` light and strong augmentations

    @property
    def per_image(self) -> int:
        """How many views of an image there are."""
        return 1 if self is View.PLAIN else VIEWS


@dataclass(slots=True)
class FeatureCache:
    """Features by image, computed once and kept in memory and in a folder.

    Args:
        folder: where `features-*.npz` are kept between runs; None keeps nothing.
    """

    folder: Path | None = None
    _known: dict[View, dict[str, NDArray[np.float16]]] = field(default_factory=dict)
    _network: Network | None = None

    def features(self, images: NDArray[np.uint8], view: View) -> NDArray[np.float16]:
        """Return the features of images, scaled to one length.

        Args:
            images: (N, S, S, 3) uint8.

        Returns:
            (N, `view.per_image`, 1280) float16.

        Raises:
            InvalidRequest: the pretrained weights are not installed.
        """
        if view not in self._known:
            self._known[view] = self._stored(view)
        known = self._known[view]
        keys = [hashlib.sha256(image.tobytes()).hexdigest()[:32] for image in images]
        missing = sorted({key: position for position, key in enumerate(keys) if key not in known}.values())
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            found = self._computed(images[batch], view, [int(keys[position][:15], 16) for position in batch])
            known |= {keys[position]: value for position, value in zip(batch, found, strict=True)}
        if missing:
            self._store(view)
        if not keys:
            return np.zeros((0, view.per_image, FEATURES), np.float16)
        return np.stack([known[key] for key in keys])

    def _computed(self, images: NDArray[np.uint8], view: View, seeds: Sequence[int]) -> NDArray[np.float16]:
        """The features of a batch; the augmentation of an image follows from its pixels alone."""
        if self._network is None:
            self._network = _network()
        shown = [_view(images, view, seeds, number) for number in range(view.per_image)]
        features = np.stack([self._network(batch) for batch in shown], axis=1)  # (B, views, 1280)
        lengths = np.linalg.norm(features, axis=-1, keepdims=True)
        return np.asarray(_LENGTH * features / np.maximum(lengths, 1e-9), np.float16)

    def _path(self, view: View) -> Path | None:
        return None if self.folder is None else self.folder / f"features-{view}.npz"

    def _stored(self, view: View) -> dict[str, NDArray[np.float16]]:
        path = self._path(view)
        arrays = read_arrays(path) if path is not None else None
        try:
            return dict(zip(arrays["keys"].tolist(), arrays["features"], strict=True)) if arrays else {}
        except (ValueError, KeyError):  # of another kind: they are computed again
            return {}

    def _store(self, view: View) -> None:
        path, known = self._path(view), self._known[view]
        if path is None:
            return
        with whole_file(path) as file:
            np.savez(file, keys=np.array(list(known)), features=np.stack(list(known.values())))


def _network() -> Network:
    try:
        return Network(checked_weights())
    except WeightsUnusable as fault:
        raise InvalidRequest(
            f"the linear probe needs pretrained weights: {fault}; or choose another --network"
        ) from None


def _view(images: NDArray[np.uint8], view: View, seeds: Sequence[int], number: int) -> NDArray[np.uint8]:
    """One view of each image of a batch, (B, S, S, 3) uint8."""
    if view is View.PLAIN:
        return images
    shown = [
        _augmented(image, seed + number, strongly=view is View.STRONG)
        for image, seed in zip(images, seeds, strict=True)
    ]
    return np.ascontiguousarray(torch.cat(shown).permute(0, 2, 3, 1).numpy())


def _augmented(image: NDArray[np.uint8], seed: int, *, strongly: bool) -> torch.Tensor:
    """Augment one (S, S, 3) image; (1, 3, S, S) uint8."""
    batch = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    light = lightly_augmented(batch, torch.Generator().manual_seed(seed))
    return strongly_augmented(light, seed=seed) if strongly else light
