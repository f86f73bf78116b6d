"""Whose work the models are, for the card of a release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PureWindowsPath

from pipeline.publish.markup import code


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


_SDXL_REVISIONS = (
    "115134f36312",
    "462165984030",
)  # of the weights that `sdxl` names; a LoRA has theirs before its own


def credit(model: str, revision: str = "") -> Credit:
    """How to name a model; one in a folder keeps the folder's name, and the terms of SDXL where it is made from it."""
    if model in _CREDITS:
        return _CREDITS[model]
    title = f"the checkpoint {code(last_part(model))}"
    if revision.startswith(_SDXL_REVISIONS):
        return Credit(f"{title}, a LoRA for {_CREDITS['sdxl'].title}", "OpenRAIL++-M, the VAE MIT", _RAIL)
    return Credit(
        title,
        "its own",
        "its own licence; if it was trained from SDXL, the OpenRAIL++-M restrictions pass on",
    )


def published_model(model: str) -> str:
    """A model as others may read it: a folder of somebody's disk by its own name, never by that of a known model."""
    name = last_part(model) if model else ""  # a photo has none
    return f"folder {name}" if name != model and name in _CREDITS else name


def last_part(path: str) -> str:
    """The name of a file or folder, written the way of any system; a name stays as it is."""
    name = PureWindowsPath(path.rstrip("/\\")).name
    return name if name not in ("", ".", "..", "~") else "a folder"


_STARTER = "starter"
_MARKUP = str.maketrans("", "", "<>")
_LONGEST_SOURCE = 300


def is_rendered(source: str) -> bool:
    """Whether the pictures of an import were drawn by this project."""
    return source.split(":")[0] == _STARTER


def published_source(source: str) -> str:
    """An import as others may read it: one line without markup, a folder of somebody's disk by its own name only.

    A folder that bears the starter set's name does not pass for it.
    """
    words = source.translate(_MARKUP).split()  # they may be what another release said
    plain = " ".join(words)[:_LONGEST_SOURCE]
    if not plain or is_rendered(plain) or plain.startswith("hf://"):
        return plain
    name = last_part(plain)
    return f"folder {name}" if is_rendered(name) else name


def source_credit(source: str) -> tuple[str, str]:
    """How to name an import and its licence; of a folder on somebody's disk only its own name is told."""
    if is_rendered(source):
        return "the rendered starter set of this project (no photographs)", "Apache-2.0"
    if source.startswith("hf://"):
        return published_source(source), "see there"
    return published_source(source), "that of the pictures"
