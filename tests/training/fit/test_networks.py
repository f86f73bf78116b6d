"""The classifiers: what distinguishes them from torchvision's."""

from __future__ import annotations

import pytest
from torch import nn

from pipeline.domain.studies import Network
from training.fit.networks import build_network


@pytest.mark.parametrize("network", [Network.SMALL, Network.RESNET18, Network.MOBILENET_V3])
def test_running_statistics_follow_within_the_steps_of_a_study(network: Network) -> None:
    layers = [layer for layer in build_network(network, 3).modules() if isinstance(layer, nn.BatchNorm2d)]
    assert layers
    assert {(1 - layer.momentum) ** 100 < 1e-4 for layer in layers if layer.momentum} == {True}
