"""What a person wants: a recipe in YAML, checked, with errors that name the key and the mend."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.domain.spec import ControlSource, Method
from pipeline.errors import InvalidRecipe

Weights = dict[str, float]
_DEFAULT = Path(__file__).resolve().parents[2] / "recipes" / "surfaces.yaml"


class Position(StrEnum):
    """Where the object's centre may lie."""

    UNIFORM = "uniform"  # anywhere on the canvas that keeps it visible
    THIRDS = "thirds"  # near one of the four crossings of the thirds
    CENTRED = "centred"  # near the middle


class Flip(StrEnum):
    """Whether an object may be mirrored without becoming another thing."""

    NONE = "none"
    HORIZONTAL = "horizontal"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False)


class Backdrops(_Part):
    """The prompt grammar: a template with slots in braces, and what each slot may hold."""

    template: str = "{surface} floor"
    slots: dict[str, Weights] = Field(  # slot → value → weight
        default_factory=lambda: {
            "surface": dict.fromkeys(("concrete", "gravel", "grass", "wooden planks"), 1.0)
        }
    )
    exclude: list[dict[str, str]] = Field(
        default_factory=list
    )  # combinations of slot values that make no sense
    negative: str | None = None
    folder: str | None = None  # background pictures for method `paste`; "starter" for the rendered surfaces
    sdxl_prefix: str = "a photo of a {label}, "  # put before the prompt of the plain SDXL baseline

    @field_validator("slots", mode="before")
    @classmethod
    def _lists_have_equal_weights(cls, slots: Any) -> Any:
        if not isinstance(slots, dict):
            return slots
        return {
            slot: dict.fromkeys(values, 1.0) if isinstance(values, list) else values
            for slot, values in slots.items()
        }

    @model_validator(mode="after")
    def _slots_fit_the_template(self) -> Backdrops:
        for slot, values in self.slots.items():
            if not values:
                raise ValueError(f"slot '{slot}' has no values; give it some or take it out")
            if bad := [value for value, weight in values.items() if weight <= 0]:
                raise ValueError(f"the weight of '{bad[0]}' in slot '{slot}' must be above 0")
        for combination in self.exclude:
            for slot, value in combination.items():
                if value not in self.slots.get(slot, {}):
                    raise ValueError(f"exclude names {slot}: {value}, which is no value of that slot")
        return self


class PlacementRanges(_Part):
    """Ranges that poses are drawn from, each as [lowest, highest]."""

    position: Position = Position.UNIFORM
    scale: tuple[float, float] = (0.35, 0.7)  # longest side as a share of the canvas' shorter side
    rotation: tuple[float, float] = (-180.0, 180.0)  # degrees
    yaw: tuple[float, float] = (-30.0, 30.0)
    pitch: tuple[float, float] = (-30.0, 30.0)
    flip: Flip | dict[str, Flip] = Flip.NONE  # for all classes, or class → rule ("none" for those not named)
    min_visible: Annotated[float, Field(gt=0, le=1)] = (
        0.85  # share of the object inside the canvas and uncovered
    )
    objects: tuple[int, int] = (1, 1)  # how many of the class stand in one picture
    overlap: Annotated[float, Field(ge=0, le=1)] = (
        0.15  # share of the smaller object's box that may be shared
    )

    @model_validator(mode="after")
    def _ranges_hold(self) -> PlacementRanges:
        limits = {
            "scale": (0.02, 4.0),
            "rotation": (-360, 360),
            "yaw": (-60, 60),
            "pitch": (-60, 60),
            "objects": (1, 12),
        }
        for name, (low, high) in limits.items():
            first, last = getattr(self, name)
            if not low <= first <= last <= high:
                raise ValueError(f"{name} is [{first}, {last}]; it must rise and lie in {low:g} to {high:g}")
        return self

    def flips(self, label: str) -> bool:
        """Whether objects of a class may be mirrored."""
        rule = self.flip.get(label, Flip.NONE) if isinstance(self.flip, dict) else self.flip
        return rule is Flip.HORIZONTAL


class Control(_Part):
    """Guidance of method `controlnet`."""

    source: ControlSource = ControlSource.OBJECT
    scale: Annotated[float, Field(ge=0, le=2)] = 0.6
    reference: str | None = None  # a picture file, for source `reference`


class Recipe(_Part):
    """What to make of a library. Values that are left out come from the model."""

    name: str = "recipe"
    count: Annotated[int, Field(ge=1, le=10_000_000)] | None = (
        None  # samples in all; 100 where nothing is said
    )
    classes: dict[str, Annotated[int, Field(ge=1)]] | None = (
        None  # class → count; all classes alike where left out
    )
    size: Annotated[int, Field(ge=32, le=4096, multiple_of=8)] | None = None  # side of the square picture, px
    method: Method | dict[Method, Annotated[float, Field(gt=0)]] = Method.INPAINT
    model: str = "nano"
    steps: Annotated[int, Field(ge=1, le=200)] | None = None
    guidance_scale: Annotated[float, Field(ge=0, le=30)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    backdrops: Backdrops = Field(default_factory=Backdrops)
    placement: PlacementRanges = Field(default_factory=PlacementRanges)
    control: Control = Field(default_factory=Control)

    @property
    def methods(self) -> dict[Method, float]:
        """Method → weight, also where the recipe names a single one."""
        return dict(self.method) if isinstance(self.method, dict) else {self.method: 1.0}

    @property
    def total(self) -> int:
        """Samples in all."""
        if self.count is not None:
            return self.count
        return sum(self.classes.values()) if self.classes else 100


def parse_recipe(text: str, name: str = "recipe") -> Recipe:
    """The recipe that a YAML text describes.

    Args:
        name: what the person calls the text, e.g. its file name; stands in front of messages.

    Raises:
        InvalidRecipe: no YAML, an unknown key (the nearest valid one is named), or a value out of its range.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InvalidRecipe(
            f"{name}: this is not YAML{where}; {getattr(error, 'problem', 'check it')}"
        ) from None
    if not isinstance(data, dict):
        raise InvalidRecipe(f"{name}: a recipe is a list of keys and values; recipes/ holds worked examples")
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise InvalidRecipe(f"{name}: {_sentence(error)}") from None


def to_yaml(recipe: Recipe) -> str:
    """A recipe as YAML that `parse_recipe` reads back."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


@cache
def default_recipe() -> Recipe:
    """recipes/surfaces.yaml: the words of the embedded model, inpainted."""
    return parse_recipe(_DEFAULT.read_text(encoding="utf-8"), _DEFAULT.name)


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"] if str(part) not in _UNION_BRANCHES)
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        known = _keys_at(first["loc"][:-1])
        near = get_close_matches(key, known, n=1, cutoff=0.5)
        mend = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key '{path}'; {mend}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{path}: {message}" if path else message
    return f"{path} is {first['input']!r}; {message[0].lower()}{message[1:]}"


_PARTS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Recipe, ("backdrops",): Backdrops, ("placement",): PlacementRanges, ("control",): Control,
}  # fmt: skip
_UNION_BRANCHES = {"Flip", "Method", "dict[str,Flip]", "str-enum[Method]", "str-enum[Flip]"}


def _keys_at(path: tuple[int | str, ...]) -> list[str]:
    part = _PARTS.get(tuple(str(step) for step in path), Recipe)
    return list(part.model_fields)
