"""Whose work the models are, for the card of a release."""

from __future__ import annotations

from dataclasses import dataclass


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
