"""EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946; the Lite variant of 2020) as a feature extractor."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


_ARCHITECTURE = "tf_efficientnet_lite0"  # timm's name
FEATURES = 1280


class Network:
    """The network up to its pooled features, loaded when it is first called. Calls from several threads are safe.

    Args:
        weights: a state dict whose tensors have the order of timm's; their names differ.
    """

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._loading = threading.Lock()
        self._network: torch.nn.Module | None = None

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features of a batch.

        Args:
            images: (N, H, W, 3) uint8 RGB.

        Returns:
            (N, 1280) float32, at least 0 each.
        """
        import torch

        with self._loading:
            network = self._network = self._network or _feature_extractor(self._weights)
        batch = torch.from_numpy(images).permute(0, 3, 1, 2)  # (N, 3, H, W), channels last in memory
        with torch.inference_mode():
            features = network(batch.float().div(127.5).sub(1.0))  # mean and standard deviation 0.5
        values: NDArray[np.float32] = features.numpy()
        return values


def load_classifier(weights: Path) -> torch.nn.Module:
    """Load the whole network with its classifier of ImageNet's 1,000 classes.

    It takes images in -1..1 (mean and standard deviation 0.5).

    Args:
        weights: as of `Network`.
    """
    import timm
    import torch

    tensors = torch.load(weights, map_location="cpu", weights_only=True)
    with torch.device("meta"):  # initialising would take time and random numbers
        network = timm.create_model(_ARCHITECTURE, pretrained=False)
    names = network.state_dict().keys()
    network.load_state_dict(dict(zip(names, tensors.values(), strict=True)), assign=True)
    loaded: torch.nn.Module = network.to(memory_format=torch.channels_last)
    return loaded


def _feature_extractor(weights: Path) -> torch.nn.Module:
    import torch

    network = load_classifier(weights)
    network.classifier = torch.nn.Identity()
    return network.eval()
