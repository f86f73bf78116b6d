"""What a study may be asked for: its networks and its number of seeds."""

from __future__ import annotations

from enum import StrEnum

SEEDS_FOR_A_CLAIM = 6  # 2 / 2**5 = 0.0625: with five paired seeds no outcome reaches p < 0.05
MAX_SEEDS = 16  # the exact tests count all 2**16 sign patterns


class Network(StrEnum):
    """The classifiers to choose from; all but the probe start without pretrained weights."""

    PROBE = "probe"  # a linear layer on the features of EfficientNet-Lite0, pretrained on ImageNet
    SMALL = "small"  # four convolutions, 0.25 M parameters: made for CPUs
    RESNET18 = "resnet18"
    MOBILENET_V3 = "mobilenet_v3"


DEFAULT_NETWORK = Network.PROBE  # fast, and how a data set of this size is used in practice

NETWORK_TITLES = {
    Network.PROBE: "pretrained, linear probe",
    Network.SMALL: "small (CPU)",
    Network.RESNET18: "ResNet-18",
    Network.MOBILENET_V3: "MobileNetV3",
}
