"""Credits of models and photos for the card of a release, and names without the paths of somebody's disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PureWindowsPath

from pipeline.publish.markup import code


@dataclass(frozen=True, slots=True)
class Credit:
    """A model as the card names it."""

    title: str
    licence: str
    terms: str = ""  # what the licence demands of those who use the images


_RAIL = "its images must not be used against the restrictions in attachment A of the OpenRAIL++-M licence"
_CREDITS = {
    "nano": Credit("nano, the small SDXL that is part of this project", "Apache-2.0"),
    "sdxl": Credit(
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1 with diffusers/controlnet-canny-sdxl-1.0 and "
        "madebyollin/sdxl-vae-fp16-fix",
        "OpenRAIL++-M, the VAE MIT",
        _RAIL,
    ),
    "none": Credit("no model: pasted onto background photos", "that of the photos"),
}


_SDXL_REVISIONS = (
    "115134f36312",
    "462165984030",
)  # of the weights that `sdxl` names; a LoRA has theirs before its own


def credit(model: str, revision: str = "") -> Credit:
    """Return how to name a model: a known one by its title, one in a folder by the folder's name."""
    if model in _CREDITS:
        return _CREDITS[model]
    title = f"the checkpoint {code(last_part(model))}"
    if revision.startswith(_SDXL_REVISIONS):
        return Credit(f"{title}, a LoRA for {_CREDITS['sdxl'].title}", "OpenRAIL++-M, the VAE MIT", _RAIL)
    return Credit(
        title,
        "its own",
        "its own licence; if it was trained from SDXL, the OpenRAIL++-M restrictions apply too",
    )


def published_model(model: str) -> str:
    """Return a model's name for other people: a folder's own name, never that of a known model."""
    name = last_part(model) if model else ""  # a photo has none
    return f"folder {name}" if name != model and name in _CREDITS else name


def last_part(path: str) -> str:
    """Return the last component of a path of any operating system; a name without a path is unchanged."""
    name = PureWindowsPath(path.rstrip("/\\")).name
    return name if name not in ("", ".", "..", "~") else "a folder"


_STARTER = "starter"
_MARKUP = str.maketrans("", "", "<>")
_LONGEST_SOURCE = 300


def is_rendered(source: str) -> bool:
    """Whether the photos of an import were rendered by this project."""
    return source.split(":")[0] == _STARTER


def published_source(source: str) -> str:
    """Return an import's source for other people: one line without markup, of a folder only its own name.

    A folder with the name of the starter set is told apart from it.
    """
    words = source.translate(_MARKUP).split()  # the source may come from another person's release
    plain = " ".join(words)[:_LONGEST_SOURCE]
    if not plain or is_rendered(plain) or plain.startswith("hf://"):
        return plain
    name = last_part(plain)
    return f"folder {name}" if is_rendered(name) else name


def source_credit(source: str) -> tuple[str, str]:
    """Return (name, licence) of an import's source."""
    if is_rendered(source):
        return "the rendered starter set of this project (no photographs)", "Apache-2.0"
    if source.startswith("hf://"):
        return published_source(source), "see there"
    return published_source(source), "that of the photos"
