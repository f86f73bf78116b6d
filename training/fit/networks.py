"""The classifiers: trained from scratch, or one linear layer on pretrained features; the same for every arm."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_small, resnet18

from pipeline.domain.studies import Network
from pipeline.embedding import FEATURES

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]

# Training step on 2 cores with bf16 instructions, 64 px, batch 64, channels_last, in ms, fp32 then bf16:
# a CNN as the small one 108, 70; resnet18 402, 232; mobilenet_v3 78, 202 (its depthwise convolutions lose).
_FASTER_IN_BF16 = {Network.SMALL, Network.RESNET18}


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


def build_network(network: Network, classes: int) -> nn.Module:
    """Build a freshly initialised classifier, channels last; its weights follow torch's global seed.

    The probe is a linear layer, (B, 1280) features -> (B, classes) logits.
    """
    match network:
        case Network.PROBE:
            return nn.Linear(FEATURES, classes)
        case Network.SMALL:
            built: nn.Module = SmallCNN(classes)
        case Network.RESNET18:
            built = resnet18(weights=None, num_classes=classes)
        case Network.MOBILENET_V3:
            built = mobilenet_v3_small(weights=None, num_classes=classes)
    return built.to(memory_format=torch.channels_last)


def precision_for(network: Network) -> Precision:
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
