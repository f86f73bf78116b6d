"""What a recipe lets stand behind and beside the objects."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from pipeline.domain.distractors import DistractorKind
from pipeline.domain.recipe_values import Number, Part, Weight, Whole

_MOST_DISTRACTORS = 10


class Distractors(Part):
    """What stands behind and beside the objects of an image's class in some of the images."""

    share: Annotated[Number, Field(ge=0, le=1)] = 0.3  # of the images
    number: tuple[Whole, Whole] = (1, 3)  # in one image that has any
    kinds: Annotated[dict[DistractorKind, Weight], Field(min_length=1)] = Field(  # kind → weight
        default_factory=lambda: dict.fromkeys(DistractorKind, 1.0)
    )
    scale: tuple[Number, Number] = (
        0.15,
        0.4,
    )  # as that of `placement`; never above that of the largest object

    @field_validator("kinds", mode="before")
    @classmethod
    def _lists_have_equal_weights(cls, kinds: object) -> object:
        if isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds):
            return dict.fromkeys(kinds, 1.0)
        return kinds

    @model_validator(mode="after")
    def _ranges_hold(self) -> Distractors:
        limits = {"number": (self.number, (1, _MOST_DISTRACTORS)), "scale": (self.scale, (0.02, 1.4))}
        for name, (span, (low, high)) in limits.items():
            if not low <= span[0] <= span[1] <= high:
                raise ValueError(
                    f"{name} is [{span[0]:g}, {span[1]:g}]; it must rise and lie in {low:g} to {high:g}"
                )
        return self
