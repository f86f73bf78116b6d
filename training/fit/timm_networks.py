"""Networks of the library timm by name: from nothing, or with pretrained weights, which timm takes from the Hub."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pipeline.domain.studies import TimmNetwork
from pipeline.errors import InvalidRequest

if TYPE_CHECKING:
    from timm.models import PretrainedCfg

_NEAR_NAMES = 3
_UNFIT = (
    RuntimeError,
    ValueError,
    AssertionError,
    TypeError,
    KeyError,
    IndexError,
)  # of a size, from within timm


class Rescaled(nn.Module):
    """A network that expects pixels of another mean and standard deviation than 0.5.

    Args:
        network: (B, 3, S, S) -> (B, classes) logits.
        mean: of each channel, where pixels are 0 to 1.
        std: likewise.
    """

    factor: Tensor  # (1, 3, 1, 1), as `offset`
    offset: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        deviation = torch.tensor(std).view(1, 3, 1, 1)
        self.register_buffer("factor", 0.5 / deviation, persistent=False)
        self.register_buffer(
            "offset", (0.5 - torch.tensor(mean).view(1, 3, 1, 1)) / deviation, persistent=False
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in -1..1 -> (B, classes) logits."""
        logits: Tensor = self.network(images * self.factor + self.offset)
        return logits


def check_timm_network(network: TimmNetwork, side_px: int) -> None:
    """Make sure that timm has a network, that it classifies images of a size, and that its weights are here.

    Raises:
        InvalidRequest: one of these does not hold; the message says which and names the remedy.
    """
    _check_name(network)
    _check_size(network, side_px)
    if network.pretrained:
        try:
            _pretrained(network, side_px)
        except Exception as error:  # the errors of whichever HTTP library the Hub's client uses
            raise InvalidRequest(
                f"the pretrained weights of 'timm/{network.name}' cannot be loaded ({_first_line(error)}); connect to "
                f"the Hub once to download them, or train from nothing with --network timm/{network.name}"
            ) from error


def build_timm_network(network: TimmNetwork, classes: int, side_px: int) -> nn.Module:
    """Build a network of timm, channels last; its untrained weights follow torch's global seed.

    A pretrained one gets a new last layer, and its images the mean and deviation that its weights expect.
    """
    if not network.pretrained:
        return _created(network, side_px, classes=classes).to(memory_format=torch.channels_last)
    built = copy.deepcopy(_pretrained(network, side_px))
    built.reset_classifier(classes)  # type: ignore[operator] # every network of timm has it
    facts = _facts(network)
    assert facts is not None  # of the weights
    return Rescaled(built, facts.mean, facts.std).to(memory_format=torch.channels_last)


@lru_cache(maxsize=1)
def _pretrained(network: TimmNetwork, side_px: int) -> nn.Module:
    """The network with its own classifier: loaded once, however many runs of a study start from it."""
    return _created(network, side_px, pretrained=True)


def _created(
    network: TimmNetwork, side_px: int, *, classes: int | None = None, pretrained: bool = False
) -> nn.Module:
    import timm

    facts = _facts(network)
    is_fixed = facts is not None and facts.fixed_input_size  # transformers have a grid of positions
    size = {"img_size": side_px} if is_fixed else {}
    head = {} if classes is None else {"num_classes": classes}
    create: Callable[..., nn.Module] = timm.create_model
    return create(network.name, pretrained, **size, **head)


def _facts(network: TimmNetwork) -> PretrainedCfg | None:
    import timm

    return timm.get_pretrained_cfg(network.name)


def _check_name(network: TimmNetwork) -> None:
    import timm

    family, *tag = network.name.split(".")
    names = timm.list_models(pretrained=network.pretrained, include_tags=bool(tag))
    if network.name in names:
        return
    if network.pretrained and network.name in timm.list_models(include_tags=bool(tag)):
        raise InvalidRequest(
            f"timm has no pretrained weights for '{network.name}'; train it from nothing with "
            f"--network timm/{network.name}"
        )
    of_family = [name for name in names if tag and name.startswith(f"{family}.")]  # the tag alone is wrong
    near = get_close_matches(network.name, of_family or names, n=_NEAR_NAMES, cutoff=0.5)
    listed = ", ".join(f"timm/{name}" for name in near or of_family[:_NEAR_NAMES])
    raise InvalidRequest(
        f"timm {timm.__version__} has no network '{network.name}'; near names: "
        f"{listed or 'none, timm.list_models() lists all'}"
    )


def _check_size(network: TimmNetwork, side_px: int) -> None:
    try:
        with torch.no_grad():
            logits = _created(network, side_px, classes=2)(torch.zeros(2, 3, side_px, side_px))
        fault = "" if isinstance(logits, Tensor) and logits.shape == (2, 2) else "it gives no logits"
    except _UNFIT as error:
        fault = _first_line(error)
    if fault:
        raise InvalidRequest(
            f"'timm/{network.name}' cannot classify images of {side_px} px ({fault}); give the size that it was made "
            "for with --image-size, often 224, or choose another --network"
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
