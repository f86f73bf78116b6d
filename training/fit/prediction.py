"""What a trained network predicts for images that it was neither trained nor tested on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.domain.studies import Network, NetworkChoice
from training.data.datamodule import channels_first, normalised
from training.fit.features import FeatureCache, View

_BATCH = 256  # images


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraPredictions:
    """The predictions of a run for M further images: `probabilities` (M, C); `images` is their `image_hash`."""

    images: str
    probabilities: NDArray[np.float32]


def image_hash(images: NDArray[np.uint8]) -> str:
    """Hash images (M, S, S, 3) to 16 hex digits, to tell predictions for other images apart."""
    digest = hashlib.sha256(str(images.shape).encode())
    digest.update(np.ascontiguousarray(images).data if images.size else b"")
    return digest.hexdigest()[:16]


def extra_predictions(
    module: nn.Module, network: NetworkChoice, images: NDArray[np.uint8], cache: FeatureCache
) -> ExtraPredictions:
    """Classify images with a trained network.

    Args:
        module: images, or features where `network` is the probe -> (B, C) logits.
        images: (M, S, S, 3) uint8.
        cache: of the probe's features.
    """
    device = next(module.parameters()).device
    module.eval()
    predicted = []
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            inputs = _inputs(network, images[start : start + _BATCH], cache).to(device)
            predicted.append(module(inputs).float().softmax(dim=1).cpu().numpy())
    return ExtraPredictions(images=image_hash(images), probabilities=np.concatenate(predicted))


def _inputs(network: NetworkChoice, images: NDArray[np.uint8], cache: FeatureCache) -> torch.Tensor:
    if network is Network.PROBE:
        return torch.from_numpy(cache.features(images, View.PLAIN)[:, 0].astype(np.float32))
    return normalised(channels_first(images))
