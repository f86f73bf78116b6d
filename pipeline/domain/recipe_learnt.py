"""What a recipe learns from field profiles."""

from __future__ import annotations

from pydantic import Field, model_validator

from pipeline.domain.recipe_look import Camera
from pipeline.domain.recipe_placement import PlacementRanges
from pipeline.domain.recipe_values import Name, Number, Part, Whole


class FieldPlacement(Part):
    """What a field profile tells of the objects in a photo; None where it cannot tell."""

    objects: tuple[Whole, Whole] | None = None
    scale: tuple[Number, Number] | None = None
    overlap: Number | None = None
    min_visible: Number | None = None  # follows from the overlap where it is not written into the profile

    @model_validator(mode="after")
    def _ranges_hold(self) -> FieldPlacement:
        PlacementRanges.model_validate(self.model_dump(exclude_none=True))
        return self


class Learnt(Part):
    """What a plan took from field profiles when it was begun, so that it goes on with it; written by the program."""

    size: Whole  # side of the images that it is for, px
    profiles: dict[Name, Name]  # name → the state that the profile had
    placement: dict[Name, FieldPlacement] = Field(default_factory=dict)  # profile → values
    camera: Camera | None = None
    backgrounds: list[Name] | None = None  # ids of stored images
    background_photos: list[Name] | None = (
        None  # ids of the photos that they show; not known of earlier plans
    )
