"""What a study may be asked for: its networks and its number of seeds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pipeline.errors import UnknownName

SEEDS_FOR_A_CLAIM = 6  # 2 / 2**5 = 0.0625: with five paired seeds no outcome reaches p < 0.05
MAX_SEEDS = 16  # the exact tests count all 2**16 sign patterns
LOCK_FILE = ".study.lock"  # in the folder of a study; its process holds it while it runs

_TIMM = "timm/"
_PRETRAINED = ":pretrained"
_TIMM_NAME = re.compile(r"timm/([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)?)(:pretrained)?")
TIMM_FORM = f"{_TIMM}NAME[{_PRETRAINED}]"  # how help and documents write it


class Network(StrEnum):
    """The classifiers that come with Backlot."""

    PROBE = "probe"  # a linear layer on the features of EfficientNet-Lite0, pretrained on ImageNet
    LITE0 = "lite0"  # the same EfficientNet-Lite0, all layers trained
    SMALL = "small"  # four convolutions from nothing, 0.25 M parameters: made for CPUs
    RESNET18 = "resnet18"  # from nothing, as the next one
    MOBILENET_V3 = "mobilenet_v3"


@dataclass(frozen=True, slots=True)
class TimmNetwork:
    """A network of the library timm. Whether timm has it is known only to `training.fit.timm_networks`.

    Its string is what the command line takes and settings keep: "timm/resnet18.a1_in1k:pretrained".
    """

    name: str  # timm's, with or without the tag of its weights
    pretrained: bool = False

    def __str__(self) -> str:
        return f"{_TIMM}{self.name}{_PRETRAINED if self.pretrained else ''}"


NetworkChoice: TypeAlias = Network | TimmNetwork

DEFAULT_NETWORK = Network.PROBE  # fast, and how a data set of this size is used in practice
STUDY_NETWORKS = (DEFAULT_NETWORK, Network.SMALL)  # a study's own: the second tests the order of the arms

NETWORK_TITLES = {
    Network.PROBE: "pretrained, linear probe",
    Network.LITE0: "pretrained, all layers",
    Network.SMALL: "small (CPU)",
    Network.RESNET18: "ResNet-18",
    Network.MOBILENET_V3: "MobileNetV3",
}


def named_network(text: str) -> NetworkChoice:
    """Read the name of a network, as the command line takes it.

    Raises:
        UnknownName: it is neither a network of Backlot nor written like one of timm.
    """
    if text in list(Network):
        return Network(text)
    if of_timm := _TIMM_NAME.fullmatch(text):
        return TimmNetwork(of_timm[1], pretrained=of_timm[2] is not None)
    raise UnknownName("network", text, [*Network, f"{_TIMM}NAME", f"{_TIMM}NAME{_PRETRAINED}"])


def network_folder(network: NetworkChoice) -> str:
    """Name the folder of the runs with a network: letters, digits, dots, hyphens and underscores alone."""
    return str(network).replace("/", "-").replace(":", "-")
