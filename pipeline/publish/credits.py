"""Whose work the models are, for the card of a release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Credit:
    """A model as the card names it."""

    title: str
    licence: str
    terms: str = ""  # what the licence passes on


_RAIL = "what it made must not be used against the restrictions in attachment A of the OpenRAIL++-M licence"
_CREDITS = {
    "nano": Credit("nano, the small SDXL that is part of this project", "Apache-2.0"),
    "sdxl": Credit(
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1 with diffusers/controlnet-canny-sdxl-1.0 and "
        "madebyollin/sdxl-vae-fp16-fix",
        "OpenRAIL++-M, the VAE MIT",
        _RAIL,
    ),
    "none": Credit("no model: real background pictures, pasted", "that of the pictures"),
}


def credit(model: str) -> Credit:
    """How to name a model; an unknown one (a local folder) keeps its name."""
    return _CREDITS.get(model, Credit(f"the checkpoint `{model}`", "see the checkpoint"))


_STARTER = "starter"


def is_rendered(source: str) -> bool:
    """Whether the pictures of an import were drawn by this project."""
    return source.split(":")[0] == _STARTER


def source_credit(source: str) -> tuple[str, str]:
    """How to name an import and its licence; of a folder on somebody's disk only its own name is told."""
    if is_rendered(source):
        return "the rendered starter set of this project (no photographs)", "Apache-2.0"
    if source.startswith("hf://"):
        return source, "see there"
    return PurePath(source).name or "a folder", "that of the pictures"
