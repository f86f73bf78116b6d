"""What a sample shows beside the objects of its class: objects of other classes, and neutral shapes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.placement import Placement, canonical
from pipeline.errors import InvalidRequest


class DistractorKind(StrEnum):
    """What a distractor may be."""

    OBJECTS = "objects"  # of other classes, cut out of training photos
    SHAPES = "shapes"  # drawn, of no class


class ShapeForm(StrEnum):
    """The outline of a neutral shape."""

    BOX = "box"  # a rectangle with rounded corners
    DISC = "disc"
    ROD = "rod"  # long and thin, with round ends


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherObjectSpec:
    """An object of another class than the sample's."""

    label: str
    photo_id: str
    cutout_id: str  # content hash of the RGBA cut-out that is placed
    placement: Placement

    def __post_init__(self) -> None:
        if not all(isinstance(value, str) and value for value in (self.label, self.photo_id, self.cutout_id)):
            raise InvalidRequest("a distractor needs the class, the photo and the cut-out of its object")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeSpec:
    """A drawn object of a plain material, which belongs to no class.

    The light comes from `azimuth`, in degrees as in `look`, so that it agrees with that of a shadow.
    """

    form: ShapeForm
    placement: Placement
    colour: tuple[int, int, int]  # red, green, blue, 0 to 255, where the light falls straight on it
    aspect: float  # short side as a share of the long one
    roundness: float  # of its corners: 0 = square, 1 = as round as the short side allows
    relief: float  # width of its rounded rim as a share of half the short side; 1 = no flat top is left
    texture: float  # contrast of the material's mottling, as a share of its brightness
    azimuth: float
    seed: int  # of the mottling

    def __post_init__(self) -> None:
        object.__setattr__(self, "form", ShapeForm(self.form))
        object.__setattr__(self, "colour", tuple(self.colour))
        if type(self.seed) is not int or self.seed < 0:
            raise InvalidRequest(f"the shape's seed is {self.seed}; it must be a whole number of at least 0")
        if len(self.colour) != 3 or not all(0 <= level <= 255 for level in self.colour):
            raise InvalidRequest(f"the shape's colour is {self.colour}; three levels of 0 to 255 are needed")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidRequest(f"the shape's {name} is {value:g}; it must lie in {low:g} to {high:g}")
            object.__setattr__(self, name, canonical(value))


_RANGES = {
    "aspect": (0.05, 1.0), "roundness": (0.0, 1.0), "relief": (0.0, 1.0), "texture": (0.0, 0.5),
    "azimuth": (0.0, 360.0),
}  # fmt: skip
DistractorSpec = OtherObjectSpec | ShapeSpec


def distractors_sentence(distractors: tuple[DistractorSpec, ...]) -> str:
    """Name distractors, e.g. "nut, 2 shapes"; "" where there are none."""
    names = [each.label for each in distractors if isinstance(each, OtherObjectSpec)]
    parts = [
        name if names.count(name) == 1 else f"{names.count(name)} {name}" for name in dict.fromkeys(names)
    ]
    shapes = len(distractors) - len(names)
    if shapes:
        parts.append("1 shape" if shapes == 1 else f"{shapes} shapes")
    return ", ".join(parts)
