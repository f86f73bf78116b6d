"""Recipes in YAML: what to make of a library. Errors name the key and the remedy."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.domain.distractors import DistractorKind
from pipeline.domain.look import LEAST_STRENGTH, OBJECT_LIGHT_RANGES, EdgeKind
from pipeline.domain.recipe_faults import fault_sentence
from pipeline.domain.recipe_yaml import loaded_yaml
from pipeline.domain.review import RELEASE_PLAN
from pipeline.domain.slots import refuse_broken_slots
from pipeline.domain.spec import ControlSource, Method
from pipeline.domain.texts import LONGEST_NAME, LONGEST_PATH, LONGEST_PROMPT, LONGEST_VALUE
from pipeline.errors import InvalidRecipe


def _refuse_bool(value: object) -> object:
    """Refuse YAML's true and false as numbers; Python would read them as 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("switch", "a number is needed")
    return value


MOST_SAMPLES = 100_000  # of one plan
_MOST_SLOTS = 64
_MOST_VALUES = 1_000  # of all slots together
_MOST_EXCLUDED = 200
_MOST_ARRANGEMENTS = 16
MOST_OBJECTS = 30  # in one image
_MOST_DISTRACTORS = 10
ARRANGEMENT = "arrangement"  # the slot under which a spec names its arrangement
_LEAST_WEIGHT, _LARGEST_WEIGHT = 1e-6, 1e6
_USUAL_BUDGET, _LARGEST_BUDGET = 0.5, 4.0
Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
PromptText = Annotated[str, StringConstraints(max_length=LONGEST_PROMPT)]
PathText = Annotated[str, StringConstraints(max_length=LONGEST_PATH)]
Whole = Annotated[int, BeforeValidator(_refuse_bool)]
Number = Annotated[float, BeforeValidator(_refuse_bool), Field(allow_inf_nan=False)]
Weight = Annotated[Number, Field(ge=_LEAST_WEIGHT, le=_LARGEST_WEIGHT)]
AUTO: Final = "auto"
Size = Annotated[
    Annotated[Literal["auto"], Tag("[auto]")]
    | Annotated[Annotated[Whole, Field(ge=32, le=4096, multiple_of=8)] | None, Tag("[pixels]")],
    Discriminator(lambda given: "[auto]" if given == AUTO else "[pixels]"),
]
Written = dict[str, object]  # a part of a recipe as it is written
Weights = dict[Annotated[str, StringConstraints(max_length=LONGEST_VALUE)], Number]
_PREFIX, _EARLIER_PREFIX = "text_to_image_prefix", "sdxl_prefix"
_DEFAULT = Path(__file__).resolve().parents[2] / "recipes" / "surfaces.yaml"


def _equal_weights(slot: object, values: list[Hashable]) -> dict[Hashable, float]:
    if any(isinstance(value, (list, dict)) for value in values):
        raise ValueError(f"slot '{slot}' lists something other than texts; each of its values must be a text")
    return dict.fromkeys(values, 1.0)


class Position(StrEnum):
    """Where the object's centre may lie."""

    UNIFORM = "uniform"  # anywhere on the canvas that keeps it visible
    THIRDS = "thirds"  # near one of the four crossings of the thirds
    CENTRED = "centred"  # near the middle


class Start(StrEnum):
    """What diffusion starts from."""

    NOISE = "noise"
    PICTURE = "picture"  # a background picture with the object on it


class Flip(StrEnum):
    """How an object may be mirrored without changing what it is."""

    NONE = "none"
    HORIZONTAL = "horizontal"
    ANY = "any"  # top to bottom too, which is left to right and half a turn


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False)


def _beside_like(part: PlacementRanges | Camera, values: Written) -> Written:
    """Return what is written of a part: without `like` all values, with it only those that are given beside it."""
    if part.like is None:
        return {key: value for key, value in values.items() if key != "like"}
    return {key: value for key, value in values.items() if key in part.model_fields_set}


class Backdrops(_Part):
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
                if not _LEAST_WEIGHT <= weight <= _LARGEST_WEIGHT:
                    raise ValueError(
                        f"the weight of '{value}' in slot '{slot}' is {weight:g}; "
                        f"it must lie in {_LEAST_WEIGHT:f} to {_LARGEST_WEIGHT:.0f}"
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


class PlacementRanges(_Part):
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
        return _beside_like(self, handler(self))

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


class Control(_Part):
    """Guidance of method `controlnet`."""

    source: ControlSource = ControlSource.OBJECT
    scale: Annotated[Number, Field(ge=0, le=2)] = 0.6
    reference: PathText | None = None  # an image file, for source `reference`


class Camera(_Part):
    """What a camera does to the whole image, each drawn from [lowest, highest]; what is left out is not done."""

    blur: tuple[Number, Number] | None = None  # standard deviation, pixels
    noise: tuple[Number, Number] | None = None  # standard deviation, grey levels
    jpeg: tuple[Whole, Whole] | None = None  # quality
    like: Name | None = None  # a field profile that gives what is not given here

    @model_serializer(mode="wrap")
    def _given_beside_like(self, handler: SerializerFunctionWrapHandler) -> Written:
        return _beside_like(self, handler(self))

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


class FieldPlacement(_Part):
    """What a field profile tells of the objects in a photo; None where it cannot tell."""

    objects: tuple[Whole, Whole] | None = None
    scale: tuple[Number, Number] | None = None
    overlap: Number | None = None
    min_visible: Number | None = None  # follows from the overlap where it is not written into the profile

    @model_validator(mode="after")
    def _ranges_hold(self) -> FieldPlacement:
        PlacementRanges.model_validate(self.model_dump(exclude_none=True))
        return self


class Learnt(_Part):
    """What a plan took from field profiles when it was begun, so that it goes on with it; written by the program."""

    size: Whole  # side of the images that it is for, px
    profiles: dict[Name, Name]  # name → the state that the profile had
    placement: dict[Name, FieldPlacement] = Field(default_factory=dict)  # profile → values
    camera: Camera | None = None
    backgrounds: list[Name] | None = None  # ids of stored images
    background_photos: list[Name] | None = (
        None  # ids of the photos that they show; not known of earlier plans
    )


class ObjectLight(_Part):
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


class Novelty(_Part):
    """Replacing images that differ least from the others."""

    budget: Annotated[Number, Field(gt=0, le=_LARGEST_BUDGET)] = (
        _USUAL_BUDGET  # further images, as a share of the plan's
    )

    def of(self, count: int) -> int:
        """Return how many of so many images may be replaced."""
        return int(self.budget * count)


class Distractors(_Part):
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


def _values_of_switch(given: object) -> object:
    """Read true as the usual values and false as none."""
    return ({} if given else None) if isinstance(given, bool) else given


BACKGROUND_SETS = {
    "starter": "the surfaces of the starter set, seen from above",
    "drawn": "drawn floors, rooms and tables, seen by a tilted camera",
}
"""Backgrounds that need no files, by what backdrops.folder names them."""

_USUAL_STRENGTH = 0.4  # where a recipe starts from pictures and gives none

CREATE_PLAN, AGAIN_PLAN = (
    "create",
    "again",
)  # plans of single images: kept on Create, rendered again in Review


def _free_name(name: str) -> str:
    if name in (CREATE_PLAN, AGAIN_PLAN):
        raise ValueError(f"'{name}' is reserved for single images; choose another name")
    if name.startswith(RELEASE_PLAN):
        raise ValueError(
            f"begins with '{RELEASE_PLAN}', which is reserved for imported releases; choose another name"
        )
    return name


def refuse_too_many(count: int) -> None:
    """Check that one plan may have so many samples.

    Raises:
        InvalidRecipe: fewer than 1, or more than `MOST_SAMPLES`.
    """
    if count < 1:
        raise InvalidRecipe(f"{_written(count)} samples are planned; at least 1 is needed")
    if count > MOST_SAMPLES:
        raise InvalidRecipe(
            f"{_written(count)} samples are planned; at most {MOST_SAMPLES:,} are allowed; "
            "use several recipes with different names and seeds"
        )


def _written(count: int) -> str:
    return f"{count:,}" if abs(count) < 10**15 else "far too many"


class Recipe(_Part):
    """What to generate from a library. Values that are left out come from the model."""

    name: Annotated[Name, AfterValidator(_free_name)] = "recipe"
    count: Annotated[Whole, Field(ge=1, le=MOST_SAMPLES)] | None = (
        None  # samples in total; 100 where neither this nor `classes` is given
    )
    classes: Annotated[dict[Name, Annotated[Whole, Field(ge=1)]], Field(min_length=1)] | None = (
        None  # class → count; all classes in equal shares where left out
    )
    size: Size = AUTO  # side of the square image, px; auto: see `automatic_size`; null: the model's own
    method: Method | Annotated[dict[Method, Weight], Field(min_length=1)] = Method.INPAINT
    model: PathText = "nano"
    steps: Annotated[Whole, Field(ge=1, le=200)] | None = None
    guidance_scale: Annotated[Number, Field(ge=0, le=30)] | None = None
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] = 0
    backdrops: Backdrops = Field(default_factory=Backdrops)
    placement: AnyPlacement = Field(default_factory=PlacementRanges)
    control: Control = Field(default_factory=Control)
    start: Start = Start.NOISE  # of methods `inpaint` and `controlnet`
    strength: Annotated[Number, Field(ge=LEAST_STRENGTH, le=1)] | None = (
        None  # of start `picture`; 0.4 if left out
    )
    shadow: StrictBool = False  # of the objects on background pictures
    match_detail: StrictBool = False  # of the background to the object's photo
    match_light: StrictBool = False  # of the background to the object's photo
    match_object: StrictBool = False  # of the object to the background instead; changes its pixels
    edges: Annotated[list[EdgeKind], Field(min_length=1)] | None = None  # drawn from; all `soft` if left out
    fake_seams: Annotated[Number, Field(ge=0, le=1)] = 0.0  # share of the samples
    camera: Camera | None = None
    object: ObjectLight | None = None
    distractors: Annotated[Distractors | None, BeforeValidator(_values_of_switch)] = None
    novelty: Annotated[Novelty | None, BeforeValidator(_values_of_switch)] = None
    learnt: Learnt | None = None  # not read from a person's recipe

    @model_serializer(mode="wrap")
    def _what_was_learnt(self, handler: SerializerFunctionWrapHandler) -> Written:
        values: Written = handler(self)
        return values if self.learnt else {key: value for key, value in values.items() if key != "learnt"}

    @model_validator(mode="after")
    def _look_is_consistent(self) -> Recipe:
        if self.match_light and self.match_object:
            raise ValueError(
                "match_light and match_object are both true; the one changes the background, the other the object: "
                "leave one of them out"
            )
        if self.edges and len(set(self.edges)) < len(self.edges):
            raise ValueError(f"edges lists {' and '.join(self.edges)}; name each kind once")
        return self

    @model_validator(mode="after")
    def _look_fits_the_methods(self) -> Recipe:
        if self.start is Start.NOISE and self.strength is not None:
            raise ValueError(
                f"strength is {self.strength:g}, but start is noise; set start: picture, or leave strength out"
            )
        if self.start is Start.PICTURE and not any(kind.facts.paints_around_object for kind in self.methods):
            raise ValueError(
                f"start is picture, but {' and '.join(self.methods)} cannot start from one; "
                "use method inpaint or controlnet, or leave start out"
            )
        if self.shadow and not self.needs_backgrounds(self.methods):
            raise ValueError(
                "shadow is true, but there are no background pictures that it could fall on; "
                "set start: picture, use method paste, or leave shadow out"
            )
        if self.distractors and not any(kind.facts.places_object for kind in self.methods):
            raise ValueError(
                f"distractors are given, but {' and '.join(self.methods)} places no objects that they could stand "
                "beside; use method inpaint, controlnet or paste, or leave distractors out"
            )
        return self

    @model_validator(mode="after")
    def _arrangements_have_names_of_their_own(self) -> Recipe:
        if isinstance(self.placement, PlacementRanges):
            return self
        names = [variant.name for variant in self.placement]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"placement names '{twice}' twice; give each arrangement a name of its own")
        if ARRANGEMENT in self.backdrops.slots:
            raise ValueError(
                f"backdrops.slots.{ARRANGEMENT} has the name under which samples tell their placement; rename the slot"
            )
        return self

    @model_validator(mode="after")
    def _samples_are_bounded(self) -> Recipe:
        refuse_too_many(self.total)
        return self

    @property
    def methods(self) -> dict[Method, float]:
        """Method → weight, also where the recipe names a single method."""
        return dict(self.method) if isinstance(self.method, dict) else {self.method: 1.0}

    @property
    def arrangements(self) -> dict[str, PlacementRanges]:
        """Ranges of poses by arrangement; "" where the recipe has the same for all images."""
        return arrangements_of(self.placement)

    @property
    def arrangement_weights(self) -> dict[str, float]:
        """Arrangement → weight; "" as in `arrangements`."""
        return {
            name: ranges.weight if isinstance(ranges, PlacementVariant) else 1.0
            for name, ranges in self.arrangements.items()
        }

    @property
    def start_strength(self) -> float:
        """How far a start from a picture is painted over, 0.2 to 1."""
        return _USUAL_STRENGTH if self.strength is None else self.strength

    def needs_backgrounds(self, methods: Iterable[Method]) -> bool:
        """Whether samples of these methods need background pictures."""
        on_picture = self.start is Start.PICTURE
        return any(
            method.facts.needs_background or (on_picture and method.facts.paints_around_object)
            for method in methods
        )

    def of_method(self, method: Method) -> Recipe:
        """Return the recipe with one method, without the start, shadow and distractors that it has no use for."""
        start = self.start if method.facts.paints_around_object else Start.NOISE
        only = self.model_copy(update={"method": method, "start": start})
        strength = self.strength if start is Start.PICTURE else None
        changes = {
            "strength": strength,
            "shadow": self.shadow and only.needs_backgrounds([method]),
            "distractors": self.distractors if method.facts.places_object else None,
        }
        return only.model_copy(update=changes)

    @property
    def total(self) -> int:
        """Number of samples."""
        if self.count is not None:
            return self.count
        return sum(self.classes.values()) if self.classes else 100


@lru_cache(maxsize=16)  # a preview parses the same text at every change of a field beside it
def parse_recipe(text: str, name: str = "recipe") -> Recipe:
    """Parse a recipe in YAML.

    Args:
        name: what the person calls the text, e.g. its file name; messages begin with it.

    Raises:
        InvalidRecipe: not YAML, a key given twice, an unknown key or name (the nearest valid one is suggested), or a
            value out of its range.
    """
    data = loaded_yaml(text, name)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        sentence = fault_sentence(error, Recipe)
    except InvalidRecipe as error:
        sentence = str(error)
    raise InvalidRecipe(" ".join(f"{name}: {sentence}".split()))  # one line, whatever the values hold


def to_yaml(recipe: Recipe) -> str:
    """Write a recipe as YAML that `parse_recipe` reads back."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


@cache
def default_recipe() -> Recipe:
    """Return recipes/surfaces.yaml: inpainting with the vocabulary of the embedded model."""
    return parse_recipe(_DEFAULT.read_text(encoding="utf-8"), _DEFAULT.name)
