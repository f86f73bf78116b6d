"""What a training run is told: frozen values, checked once. Light to import (no torch)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pipeline.errors import InvalidRequest


class Network(StrEnum):
    """The classifiers on offer. None of them starts from pretrained weights: the data alone is compared."""

    SMALL = "small"  # four convolutions, 0.25 M parameters: made for CPUs
    RESNET18 = "resnet18"
    MOBILENET_V3 = "mobilenet_v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Hyper-parameters, the same for every arm of a study."""

    network: Network = Network.SMALL
    steps: int = 300  # optimiser steps, the same for every arm however many pictures it has
    batch: int = 64  # pictures a step
    lr: float = (
        2e-3  # highest learning rate of AdamW; warmed up over a tenth of the steps, then a cosine to 0
    )
    weight_decay: float = 0.05  # AdamW's
    image_size: int = 64  # side in px of the square pictures that the network sees

    def __post_init__(self) -> None:
        _within("steps", self.steps, 1, 1_000_000)
        _within("batch size", self.batch, 2, 4096)
        _within("image size", self.image_size, 16, 512)
        _within("learning rate", self.lr, 1e-7, 10.0)
        _within("weight decay", self.weight_decay, 0.0, 10.0)

    def facts(self) -> dict[str, Any]:
        """The fields as plain values for JSON."""
        return {
            name: str(value) if isinstance(value, StrEnum) else value for name, value in asdict(self).items()
        }


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidRequest(f"the {name} is {value}; it must lie in {low:g} to {high:g}")
