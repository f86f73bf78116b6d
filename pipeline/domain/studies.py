"""What a study may be asked for: its networks and its number of seeds."""

from __future__ import annotations

from enum import StrEnum

SEEDS_FOR_A_CLAIM = 6  # 2 / 2**5 = 0.0625: with five paired seeds no outcome reaches p < 0.05
MAX_SEEDS = 16  # the exact tests count all 2**16 sign patterns


class Network(StrEnum):
    """The classifiers to choose from; none starts from pretrained weights, so that only the data differs."""

    SMALL = "small"  # four convolutions, 0.25 M parameters: made for CPUs
    RESNET18 = "resnet18"
    MOBILENET_V3 = "mobilenet_v3"


NETWORK_TITLES = {
    Network.SMALL: "small (CPU)",
    Network.RESNET18: "ResNet-18",
    Network.MOBILENET_V3: "MobileNetV3",
}
