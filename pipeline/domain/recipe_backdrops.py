"""The prompt grammar of a recipe: a template with slots, their values and weights, and what is never drawn together."""

from __future__ import annotations

from collections.abc import Hashable

from pydantic import Field, field_validator, model_validator

from pipeline.domain.recipe_values import (
    LARGEST_WEIGHT,
    LEAST_WEIGHT,
    Name,
    Part,
    PathText,
    PromptText,
    Weights,
)
from pipeline.domain.slots import refuse_broken_slots

_MOST_SLOTS = 64
_MOST_VALUES = 1_000  # of all slots together
_MOST_EXCLUDED = 200
_PREFIX, _EARLIER_PREFIX = "text_to_image_prefix", "sdxl_prefix"


def _equal_weights(slot: object, values: list[Hashable]) -> dict[Hashable, float]:
    if any(isinstance(value, (list, dict)) for value in values):
        raise ValueError(f"slot '{slot}' lists something other than texts; each of its values must be a text")
    return dict.fromkeys(values, 1.0)


class Backdrops(Part):
    """The prompt grammar: a template with slots in braces, and the values of each slot."""

    template: PromptText = "{surface} floor"
    slots: dict[Name, Weights] = Field(  # slot → value → weight
        max_length=_MOST_SLOTS,
        default_factory=lambda: {
            "surface": dict.fromkeys(("concrete", "gravel", "grass", "wooden planks"), 1.0)
        },
    )
    exclude: list[dict[str, str]] = Field(
        default_factory=list, max_length=_MOST_EXCLUDED
    )  # combinations of slot values that are never drawn together
    negative: PromptText | None = None
    folder: PathText | None = (
        None  # background images for method `paste` and start `picture`, a field profile or a key of `BACKGROUND_SETS`
    )
    text_to_image_prefix: PromptText = (
        "a photo of a {label}, "  # put before the prompts of method `text_to_image`; earlier: sdxl_prefix
    )

    @model_validator(mode="before")
    @classmethod
    def _earlier_names_are_read(cls, given: object) -> object:
        if not isinstance(given, dict) or _PREFIX in given:
            return given
        return {_PREFIX if key == _EARLIER_PREFIX else key: value for key, value in given.items()}

    @model_validator(mode="before")
    @classmethod
    def _a_template_alone_has_no_slots(cls, given: object) -> object:
        return {"slots": {}, **given} if isinstance(given, dict) and "template" in given else given

    @field_validator("slots", mode="before")
    @classmethod
    def _lists_have_equal_weights(cls, slots: object) -> object:
        if not isinstance(slots, dict):
            return slots
        return {
            slot: _equal_weights(slot, values) if isinstance(values, list) else values
            for slot, values in slots.items()
        }

    @model_validator(mode="after")
    def _slots_fit_the_template(self) -> Backdrops:
        for slot, values in self.slots.items():
            if not values:
                raise ValueError(f"slot '{slot}' has no values; add values or remove the slot")
            for value, weight in values.items():
                if not LEAST_WEIGHT <= weight <= LARGEST_WEIGHT:
                    raise ValueError(
                        f"the weight of '{value}' in slot '{slot}' is {weight:g}; "
                        f"it must lie in {LEAST_WEIGHT:f} to {LARGEST_WEIGHT:.0f}"
                    )
        number = sum(map(len, self.slots.values()))
        if number > _MOST_VALUES:
            raise ValueError(f"the slots have {number:,} values; at most {_MOST_VALUES:,} are allowed")
        for combination in self.exclude:
            for slot, value in combination.items():
                if value not in self.slots.get(slot, {}):
                    raise ValueError(f"exclude names {slot}: {value}, which is not a value of that slot")
        refuse_broken_slots(self.template, self.slots)
        return self
