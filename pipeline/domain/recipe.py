"""Recipes in YAML: what to make of a library. Errors name the key and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    Tag,
    ValidationError,
    model_serializer,
    model_validator,
)

from pipeline.domain.look import LEAST_STRENGTH, EdgeKind
from pipeline.domain.recipe_backdrops import Backdrops
from pipeline.domain.recipe_distractors import Distractors
from pipeline.domain.recipe_faults import fault_sentence
from pipeline.domain.recipe_learnt import Learnt
from pipeline.domain.recipe_look import Camera, ObjectLight
from pipeline.domain.recipe_placement import AnyPlacement, PlacementRanges, PlacementVariant, arrangements_of
from pipeline.domain.recipe_values import Name, Number, Part, PathText, Weight, Whole, Written
from pipeline.domain.recipe_yaml import loaded_yaml
from pipeline.domain.review import RELEASE_PLAN
from pipeline.domain.spec import ControlSource, Method
from pipeline.errors import InvalidRecipe

MOST_SAMPLES = 100_000  # of one plan
ARRANGEMENT = "arrangement"  # the slot under which a spec names its arrangement
_USUAL_BUDGET, _LARGEST_BUDGET = 0.5, 4.0
AUTO: Final = "auto"
Size = Annotated[
    Annotated[Literal["auto"], Tag("[auto]")]
    | Annotated[Annotated[Whole, Field(ge=32, le=4096, multiple_of=8)] | None, Tag("[pixels]")],
    Discriminator(lambda given: "[auto]" if given == AUTO else "[pixels]"),
]
_DEFAULT = Path(__file__).resolve().parents[2] / "recipes" / "surfaces.yaml"


class Start(StrEnum):
    """What diffusion starts from."""

    NOISE = "noise"
    PICTURE = "picture"  # a background picture with the object on it


class Control(Part):
    """Guidance of method `controlnet`."""

    source: ControlSource = ControlSource.OBJECT
    scale: Annotated[Number, Field(ge=0, le=2)] = 0.6
    reference: PathText | None = None  # an image file, for source `reference`


class Novelty(Part):
    """Replacing images that differ least from the others."""

    budget: Annotated[Number, Field(gt=0, le=_LARGEST_BUDGET)] = (
        _USUAL_BUDGET  # further images, as a share of the plan's
    )

    def of(self, count: int) -> int:
        """Return how many of so many images may be replaced."""
        return int(self.budget * count)


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


class Recipe(Part):
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

    def of_method(self, method: Method | dict[Method, float]) -> Recipe:
        """Return the recipe with other methods, without the start, shadow and distractors that they have no use for.

        Args:
            method: one, or method → weight.
        """
        other = self.model_copy(update={"method": method})
        paints = any(each.facts.paints_around_object for each in other.methods)
        start = self.start if paints else Start.NOISE
        only = other.model_copy(update={"start": start})
        strength = self.strength if start is Start.PICTURE else None
        places = any(each.facts.places_object for each in only.methods)
        changes = {
            "strength": strength,
            "shadow": self.shadow and only.needs_backgrounds(only.methods),
            "distractors": self.distractors if places else None,
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


def learnt_of(text: str) -> Learnt | None:
    """Return what a stored recipe learnt from field profiles; None for what is no recipe of this version."""
    if "learnt" not in text:
        return None
    try:
        return parse_recipe(text).learnt
    except InvalidRecipe:
        return None


def to_yaml(recipe: Recipe) -> str:
    """Write a recipe as YAML that `parse_recipe` reads back."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


@cache
def default_recipe() -> Recipe:
    """Return recipes/surfaces.yaml: inpainting with the vocabulary of the embedded model."""
    return parse_recipe(_DEFAULT.read_text(encoding="utf-8"), _DEFAULT.name)
