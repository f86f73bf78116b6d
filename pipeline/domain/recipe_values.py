"""Types of what a recipe holds: numbers, names and texts with their limits, and the parts that are made of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from pipeline.domain.texts import LONGEST_NAME, LONGEST_PATH, LONGEST_PROMPT, LONGEST_VALUE


def _refuse_bool(value: object) -> object:
    """Refuse YAML's true and false as numbers; Python would read them as 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("switch", "a number is needed")
    return value


LEAST_WEIGHT, LARGEST_WEIGHT = 1e-6, 1e6
Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
PromptText = Annotated[str, StringConstraints(max_length=LONGEST_PROMPT)]
PathText = Annotated[str, StringConstraints(max_length=LONGEST_PATH)]
Whole = Annotated[int, BeforeValidator(_refuse_bool)]
Number = Annotated[float, BeforeValidator(_refuse_bool), Field(allow_inf_nan=False)]
Weight = Annotated[Number, Field(ge=LEAST_WEIGHT, le=LARGEST_WEIGHT)]
Weights = dict[Annotated[str, StringConstraints(max_length=LONGEST_VALUE)], Number]
Written = dict[str, object]  # a part of a recipe as it is written


class Part(BaseModel):
    """A part of a recipe: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False)


def beside_like(part: Part, like: str | None, values: Written) -> Written:
    """Return what is written of a part: without `like` all values, with it only those that are given beside it."""
    if like is None:
        return {key: value for key, value in values.items() if key != "like"}
    return {key: value for key, value in values.items() if key in part.model_fields_set}
