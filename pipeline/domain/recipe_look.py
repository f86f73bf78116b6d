"""What a recipe does to the look of an image: the camera, another light on the objects."""

from __future__ import annotations

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from pipeline.domain.look import OBJECT_LIGHT_RANGES
from pipeline.domain.recipe_values import Name, Number, Part, Whole, Written, beside_like


class Camera(Part):
    """What a camera does to the whole image, each drawn from [lowest, highest]; what is left out is not done."""

    blur: tuple[Number, Number] | None = None  # standard deviation, pixels
    noise: tuple[Number, Number] | None = None  # standard deviation, grey levels
    jpeg: tuple[Whole, Whole] | None = None  # quality
    like: Name | None = None  # a field profile that gives what is not given here

    @model_serializer(mode="wrap")
    def _given_beside_like(self, handler: SerializerFunctionWrapHandler) -> Written:
        return beside_like(self, self.like, handler(self))

    @model_validator(mode="after")
    def _ranges_hold(self) -> Camera:
        given = {"blur": (self.blur, (0, 5)), "noise": (self.noise, (0, 50)), "jpeg": (self.jpeg, (10, 100))}
        for name, (span, (low, high)) in given.items():
            if span and not low <= span[0] <= span[1] <= high:
                raise ValueError(
                    f"{name} is [{span[0]:g}, {span[1]:g}]; it must rise and lie in {low} to {high}"
                )
        if not (self.blur or self.noise or self.jpeg or self.like):
            raise ValueError("it does nothing; give blur, noise, jpeg or like, or leave camera out")
        return self


class ObjectLight(Part):
    """Another light on the objects, each drawn from [lowest, highest]; what is left out stays as photographed."""

    brightness: tuple[Number, Number] | None = None  # factor
    colour: tuple[Number, Number] | None = None  # warm above 0, cold below

    @model_validator(mode="after")
    def _ranges_hold(self) -> ObjectLight:
        for name, (low, high) in OBJECT_LIGHT_RANGES.items():
            span = getattr(self, name)
            if span and not low <= span[0] <= span[1] <= high:
                raise ValueError(
                    f"{name} is [{span[0]:g}, {span[1]:g}]; it must rise and lie in {low:g} to {high:g}"
                )
        if not (self.brightness or self.colour):
            raise ValueError("it changes nothing; give brightness or colour, or leave object out")
        return self
