"""What the keys of a recipe hold: names, texts, numbers and weights within fixed limits."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, StringConstraints, Tag
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
AUTO: Final = "auto"
Size = Annotated[
    Annotated[Literal["auto"], Tag("[auto]")]
    | Annotated[Annotated[Whole, Field(ge=32, le=4096, multiple_of=8)] | None, Tag("[pixels]")],
    Discriminator(lambda given: "[auto]" if given == AUTO else "[pixels]"),
]
Weights = dict[Annotated[str, StringConstraints(max_length=LONGEST_VALUE)], Number]


class Part(BaseModel):
    """A part of a recipe: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False)
