"""The hyper-parameters of a training run: frozen values, checked once. Light to import (no torch)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NotRequired, TypedDict, TypeVar

from pipeline.domain.studies import Network, NetworkChoice, TimmNetwork
from pipeline.errors import InvalidRequest

MAX_DEVICES = 64

Value = TypeVar("Value")


class Augmentation(StrEnum):
    """How training images are augmented in every arm."""

    LIGHT = "light"  # mirrored, shifted a little
    STRONG = "strong"  # TrivialAugment too, and CutMix where the whole network is trained


class GivenOptions(TypedDict, total=False):
    """Hyper-parameters that a person chose; None leaves the choice to the network."""

    steps: int | None
    batch: int | None
    lr: float | None
    weight_decay: float | None
    image_size: int | None
    augmentation: Augmentation | None
    devices: int | None


class OptionValues(TypedDict):
    """Hyper-parameters as plain values for JSON."""

    network: str
    steps: int
    batch: int
    lr: float
    weight_decay: float
    image_size: int
    augmentation: str
    devices: NotRequired[int]  # only where there are several, so that earlier runs keep their settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Hyper-parameters, the same for every arm of a study.

    Raises:
        InvalidRequest: a value is out of range.
    """

    network: NetworkChoice = Network.SMALL
    steps: int = 300  # optimiser steps, the same for every arm however many images it has
    batch: int = 64  # images per step
    lr: float = 2e-3  # AdamW's peak learning rate: warmed up over a tenth of the steps, then a cosine to 0
    weight_decay: float = 0.05  # AdamW's
    image_size: int = 64  # side in px of the square images that the network sees
    augmentation: Augmentation = Augmentation.LIGHT  # of every arm; one arm has the strong one in any case
    devices: int = 1  # that share every batch, see `training.fit.devices`
    curve_points: int = (
        10  # how often a run is tested, evenly over its steps, last after the last; not in `values`
    )

    def __post_init__(self) -> None:
        _check_range("number of steps", self.steps, 1, 1_000_000)
        _check_range("batch size", self.batch, 2, 4096)
        _check_range("image size", self.image_size, 16, 512)
        _check_range("learning rate", self.lr, 1e-7, 10.0)
        _check_range("weight decay", self.weight_decay, 0.0, 10.0)
        _check_range("number of devices", self.devices, 1, MAX_DEVICES)
        if self.devices > 1 and self.network is Network.PROBE:
            raise InvalidRequest(
                f"the probe takes seconds a run and is not shared by {self.devices} devices; "
                "leave out --devices or choose another --network"
            )
        if self.batch % self.devices:
            raise InvalidRequest(
                f"a batch of {self.batch} images cannot be divided among {self.devices} devices; "
                f"choose a --batch that is a multiple of {self.devices}"
            )

    @classmethod
    def for_network(cls, network: NetworkChoice, given: GivenOptions | None = None) -> TrainingOptions:
        """Return the options for a network: those that were given, the others as they suit it."""
        default = _default(network)
        chosen = given or {}
        return replace(
            default,
            steps=_chosen(chosen.get("steps"), default.steps),
            batch=_chosen(chosen.get("batch"), default.batch),
            lr=_chosen(chosen.get("lr"), default.lr),
            weight_decay=_chosen(chosen.get("weight_decay"), default.weight_decay),
            image_size=_chosen(chosen.get("image_size"), default.image_size),
            augmentation=_chosen(chosen.get("augmentation"), default.augmentation),
            devices=_chosen(chosen.get("devices"), default.devices),
        )

    def values(self) -> OptionValues:
        """Return the fields as plain values for JSON."""
        values: OptionValues = {
            "network": str(self.network),
            "steps": self.steps,
            "batch": self.batch,
            "lr": self.lr,
            "weight_decay": self.weight_decay,
            "image_size": self.image_size,
            "augmentation": str(self.augmentation),
        }
        if self.devices > 1:
            values["devices"] = self.devices
        return values


def _chosen(value: Value | None, default: Value) -> Value:
    return default if value is None else value


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidRequest(f"the {name} is {value}; it must be between {low:g} and {high:g}")


def _default(network: NetworkChoice) -> TrainingOptions:
    """The options that suit a network where nothing was chosen."""
    if network is Network.PROBE:
        return _PROBE
    if network is Network.LITE0 or (isinstance(network, TimmNetwork) and network.pretrained):
        return replace(_FINE_TUNED, network=network)
    return TrainingOptions(network=network)


# A linear layer bears a higher rate; the network beneath it sees images at the size of the perceptual embedding.
_PROBE = TrainingOptions(network=Network.PROBE, lr=1e-2, image_size=160)
# Pretrained weights are near their end already: a low rate keeps what they know, and fewer steps do.
_FINE_TUNED = TrainingOptions(network=Network.LITE0, steps=150, batch=32, lr=3e-4, image_size=128)
