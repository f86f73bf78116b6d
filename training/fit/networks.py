"""The classifiers: from nothing, from pretrained weights, or one linear layer on pretrained features."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_small, resnet18

from pipeline.domain.studies import Network, NetworkChoice, TimmNetwork
from pipeline.embedding import FEATURES, WeightsUnusable, checked_weights, load_classifier
from pipeline.errors import InvalidRequest
from training.fit.options import TrainingOptions
from training.fit.timm_networks import build_timm_network, check_timm_network

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]

# Training step on 2 cores with bf16 instructions, 64 px, batch 64, channels_last, in ms, fp32 then bf16:
# a CNN as the small one 108, 70; resnet18 402, 232; mobilenet_v3 78, 202 (its depthwise convolutions lose);
# lite0 at 128 px, batch 16, on one core 620, 910 for the same reason. Networks of timm stay in fp32.
_FASTER_IN_BF16 = {Network.SMALL, Network.RESNET18}

# torchvision gives MobileNetV3 0.01, made for hundreds of epochs: after the 300 steps of a study its running statistics
# are still near where they began, and it tests at chance.
_SHORT_MOMENTUM = 0.1


class SmallCNN(nn.Module):
    """Four convolutions with batch norm, then the mean over all positions: 0.25 M parameters, made for CPUs."""

    def __init__(self, classes: int, *, width: int = 32) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolution(3, width, kernel=5, stride=2),
            nn.MaxPool2d(2),
            *_convolution(width, 2 * width),
            *_convolution(2 * width, 4 * width, stride=2),
            *_convolution(4 * width, 4 * width),
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, classes) logits."""
        maps = self.features(images)  # (B, 4 width, S/8, S/8)
        logits: Tensor = self.head(maps.mean(dim=(2, 3)))
        return logits


def check_network(options: TrainingOptions) -> None:
    """Make sure that a network can be built for its images, before any work is done; weights are downloaded.

    The probe needs its weights only for features that are not kept yet, and says then if it lacks them.

    Raises:
        InvalidRequest: timm has no such network, it does not take images of this size, or its weights are missing.
    """
    if isinstance(options.network, TimmNetwork):
        check_timm_network(options.network, options.image_size)
    elif options.network is Network.LITE0:
        _lite0_weights()


def build_network(network: NetworkChoice, classes: int, *, side_px: int = 64) -> nn.Module:
    """Build a classifier, channels last; its untrained weights follow torch's global seed.

    The probe is a linear layer, (B, 1280) features -> (B, classes) logits; the others take (B, 3, S, S) in -1..1.

    Args:
        side_px: side S of the images, which some networks of timm are built for.

    Raises:
        InvalidRequest: its pretrained weights are missing.
    """
    if isinstance(network, TimmNetwork):
        return build_timm_network(network, classes, side_px)
    match network:
        case Network.PROBE:
            return nn.Linear(FEATURES, classes)
        case Network.LITE0:
            built: nn.Module = _lite0(classes)
        case Network.SMALL:
            built = SmallCNN(classes)
        case Network.RESNET18:
            built = resnet18(weights=None, num_classes=classes)
        case Network.MOBILENET_V3:
            normalisation = partial(nn.BatchNorm2d, eps=1e-3, momentum=_SHORT_MOMENTUM)
            built = mobilenet_v3_small(weights=None, num_classes=classes, norm_layer=normalisation)
    return built.to(memory_format=torch.channels_last)


def _lite0(classes: int) -> nn.Module:
    """EfficientNet-Lite0 with its pretrained weights and a new last layer."""
    network = load_classifier(_lite0_weights())
    network.classifier = nn.Linear(FEATURES, classes)
    return network


def _lite0_weights() -> Path:
    try:
        return checked_weights()
    except WeightsUnusable as fault:
        raise InvalidRequest(
            f"the network 'lite0' needs pretrained weights: {fault}; or choose another --network"
        ) from None


def precision_for(network: NetworkChoice) -> Precision:
    """Choose Lightning's precision for a network on this machine: by its features, not by a timing that may vary."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    return "bf16-mixed" if network in _FASTER_IN_BF16 and _cpu_multiplies_bf16() else "32-true"


def _cpu_multiplies_bf16() -> bool:
    """Tell whether the CPU has bf16 instructions; without them bf16 is emulated and slow."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text().split() if cpuinfo.is_file() else []
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _convolution(channels_in: int, channels_out: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    ]
