"""The methods of making a sample, and all that is known of each, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """How the background of a sample is made."""

    INPAINT = "inpaint"
    CONTROLNET = "controlnet"
    TEXT_TO_IMAGE = "text_to_image"  # earlier versions wrote "sdxl", which is still read
    PASTE = "paste"

    @classmethod
    def _missing_(cls, value: object) -> Method | None:
        """Read the names of earlier versions."""
        return _OLD_NAMES.get(value) if isinstance(value, str) else None

    @property
    def facts(self) -> MethodFacts:
        """What is known of the method."""
        return METHODS[self]


_OLD_NAMES = {"sdxl": Method.TEXT_TO_IMAGE}


def present_name(name: str) -> str:
    """Return a method's name in this version; any other text as it is."""
    return str(_OLD_NAMES.get(name, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFacts:
    """What is known of a method."""

    title: str  # on pages
    description: str  # in cards and help, one line
    source_type: str  # IPTC digital source type, without the vocabulary's address
    colour: str  # in plots; told apart by colour-blind readers (after Okabe and Ito, 2008)
    places_object: bool = True  # whether the photographed object is in the image
    needs_prompt: bool = True  # drawn by a model from a prompt
    needs_control: bool = False  # guided by edges through a ControlNet
    needs_background: bool = False  # a real background image


METHODS: dict[Method, MethodFacts] = {
    Method.INPAINT: MethodFacts(
        title="inpaint",
        description="inpainting of everything but the object; the object keeps the pixels of its warped photo",
        source_type="compositeWithTrainedAlgorithmicMedia",
        colour="#e08a00",
    ),
    Method.CONTROLNET: MethodFacts(
        title="guided by edges",
        description="inpainting of everything but the object, guided by edges through a ControlNet",
        source_type="compositeWithTrainedAlgorithmicMedia",
        colour="#f0c36a",
        needs_control=True,
    ),
    Method.TEXT_TO_IMAGE: MethodFacts(
        title="text to image",
        description="the whole image from the prompt alone, without the photographed object: a baseline",
        source_type="trainedAlgorithmicMedia",
        colour="#c2699c",
        places_object=False,
    ),
    Method.PASTE: MethodFacts(
        title="paste",
        description="the object on a real background image, no diffusion: a baseline",
        source_type="compositeCapture",
        colour="#8d6cc9",
        needs_prompt=False,
        needs_background=True,
    ),
}
