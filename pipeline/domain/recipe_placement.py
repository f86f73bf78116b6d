"""Where a recipe lets objects stand: ranges for all images, or several arrangements by weight."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import (
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    Tag,
    model_serializer,
    model_validator,
)

from pipeline.domain.recipe_values import Name, Number, Part, Weight, Whole, Written, beside_like
from pipeline.domain.texts import LONGEST_NAME

_MOST_ARRANGEMENTS = 16
MOST_OBJECTS = 30  # in one image


class Position(StrEnum):
    """Where the object's centre may lie."""

    UNIFORM = "uniform"  # anywhere on the canvas that keeps it visible
    THIRDS = "thirds"  # near one of the four crossings of the thirds
    CENTRED = "centred"  # near the middle


class Flip(StrEnum):
    """How an object may be mirrored without changing what it is."""

    NONE = "none"
    HORIZONTAL = "horizontal"
    ANY = "any"  # top to bottom too, which is left to right and half a turn


class PlacementRanges(Part):
    """Ranges that poses are drawn from, each as [lowest, highest]."""

    position: Position = Position.UNIFORM
    scale: tuple[Number, Number] = (0.35, 0.7)  # longest side as a share of the canvas' shorter side
    rotation: tuple[Number, Number] = (-180.0, 180.0)  # degrees
    yaw: tuple[Number, Number] = (-30.0, 30.0)
    pitch: tuple[Number, Number] = (-30.0, 30.0)
    flip: Flip | dict[str, Flip] = Flip.NONE  # for all classes, or class → rule ("none" for those not named)
    min_visible: Annotated[Number, Field(gt=0, le=1)] = (
        0.85  # share of the object inside the canvas and uncovered
    )
    objects: tuple[Whole, Whole] = (1, 1)  # objects of the class in one image
    overlap: Annotated[Number, Field(ge=0, le=1)] = (
        0.15  # share of the smaller object's box that another may cover
    )
    like: Name | None = (
        None  # a field profile that gives objects, scale, overlap and min_visible where they are not given here
    )

    @model_serializer(mode="wrap")
    def _given_beside_like(self, handler: SerializerFunctionWrapHandler) -> Written:
        return beside_like(self, self.like, handler(self))

    @model_validator(mode="after")
    def _ranges_hold(self) -> PlacementRanges:
        limits = {
            "scale": (0.02, 4.0),
            "rotation": (-360, 360),
            "yaw": (-60, 60),
            "pitch": (-60, 60),
            "objects": (1, MOST_OBJECTS),
        }
        for name, (low, high) in limits.items():
            first, last = getattr(self, name)
            if not low <= first <= last <= high:
                raise ValueError(f"{name} is [{first}, {last}]; it must rise and lie in {low:g} to {high:g}")
        return self

    def flips(self, label: str) -> Flip:
        """Return how objects of a class may be mirrored."""
        return self.flip.get(label, Flip.NONE) if isinstance(self.flip, dict) else self.flip


class PlacementVariant(PlacementRanges):
    """One of several arrangements that a recipe mixes: ranges with a name and a weight."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]
    weight: Weight = 1.0


def _kind(given: object) -> str:
    return "[variants]" if isinstance(given, list) else "[ranges]"


AnyPlacement = Annotated[
    Annotated[PlacementRanges, Tag("[ranges]")]
    | Annotated[
        list[PlacementVariant], Field(min_length=1, max_length=_MOST_ARRANGEMENTS), Tag("[variants]")
    ],
    Discriminator(_kind),
]
"""Ranges for all images, or several of them by weight."""


def arrangements_of(placement: PlacementRanges | list[PlacementVariant]) -> dict[str, PlacementRanges]:
    """Return ranges by the name of their arrangement; that of ranges for all images is ""."""
    if isinstance(placement, PlacementRanges):
        return {"": placement}
    return {variant.name: variant for variant in placement}
