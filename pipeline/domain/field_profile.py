"""What photos of a place tell a recipe: how many objects of which size, which camera, which light.

A recipe names a profile with `like`. `learnt_from` takes the numbers out of the profiles when a plan is begun; they are
stored with the plan (`Recipe.learnt`), and `resolved` gives the recipe with plain numbers, from which it is planned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.domain.field_light import FieldLight, cast_word, light_words
from pipeline.domain.recipe import BACKGROUND_SETS, Recipe
from pipeline.domain.recipe_faults import fault_sentence
from pipeline.domain.recipe_learnt import FieldPlacement, Learnt
from pipeline.domain.recipe_look import Camera
from pipeline.domain.recipe_placement import PlacementRanges
from pipeline.domain.recipe_values import Name, Number, Whole
from pipeline.errors import InvalidRecipe, InvalidRequest

USUAL_NAME = "field"
USUAL_PX = 128  # for which a camera is taken as long as the size of the images is not known
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LEAST_VISIBLE = 0.3  # of an object that others cover; less fails the gate `visible`
Ranges = TypeVar("Ranges", bound=PlacementRanges)
_NEEDED = {"objects": "number of objects", "scale": "scale of objects"}


class FieldBackground(BaseModel):
    """One of the photos without its objects."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Name  # in the profile's folder of backgrounds
    photo: Name  # name of the photo
    photo_id: Name  # hash of the photo's pixels


class FieldProfile(BaseModel):
    """What was learnt from photos of a place; a person may change the numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: Whole = Field(ge=0)  # that were measured
    licence: Name = ""  # of the photos, as the person named it
    covered: tuple[Number, Number] | None = None  # share of a photo that objects cover
    placement: FieldPlacement = FieldPlacement()
    camera: dict[
        Annotated[Whole, Field(ge=1)], Camera | None
    ] = {}  # side of an image in pixels → what the camera does to it
    light: FieldLight | None = None
    folder: Name = ""  # of the backgrounds, beside the profile
    backgrounds: tuple[FieldBackground, ...] = ()
    notes: tuple[str, ...] = ()  # what could not be told, and what was left out: a sentence each

    @model_validator(mode="after")
    def _numbers_are_plain(self) -> FieldProfile:
        if any(sign in self.folder for sign in "/\\") or self.folder in (".", ".."):
            raise ValueError(f"folder is '{self.folder}'; it must be the name of a folder beside the profile")
        if any(camera is not None and camera.like is not None for camera in self.camera.values()):
            raise ValueError("a camera of a profile cannot be like another one; give numbers")
        return self

    def camera_at(self, side_px: int) -> Camera | None:
        """Return what the camera does to an image of a size: that of the nearest size that was measured."""
        if not self.camera:
            return None
        nearest = min(self.camera, key=lambda measured: (abs(math.log(measured / side_px)), measured))
        return self.camera[nearest]


def is_profile_name(name: str) -> bool:
    """Whether a profile can have this name."""
    return name not in BACKGROUND_SETS and _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """Return the name of a profile.

    Raises:
        InvalidRequest: it is empty, too long, has other characters, or names something else in recipes.
    """
    if name in BACKGROUND_SETS:
        raise InvalidRequest(
            f"'{name}' names a set of drawn backgrounds; choose another name for the profile"
        )
    if not is_profile_name(name):
        raise InvalidRequest(
            f"a profile cannot be called '{name[:40]}'; use up to 40 of a to z, 0 to 9, - and _, beginning with a "
            "letter or digit"
        )
    return name


def parse_profile(text: str, name: str) -> FieldProfile:
    """Parse a stored profile.

    Args:
        name: what messages call the text.

    Raises:
        InvalidRecipe: it is not JSON, or a value is missing or out of its range.
    """
    try:
        return FieldProfile.model_validate_json(text)
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors()):
            raise InvalidRecipe(
                f"{name}: this is not JSON; learn the profile again, or repair the file"
            ) from None
        raise InvalidRecipe(" ".join(f"{name}: {fault_sentence(error, FieldProfile)}".split())) from None


def profiles_named(recipe: Recipe) -> dict[str, str]:
    """Return the profiles that a recipe is like: name → the key that names it first."""
    named = [("placement.like", ranges.like) for ranges in recipe.arrangements.values()]
    if recipe.camera is not None:
        named.append(("camera.like", recipe.camera.like))
    names: dict[str, str] = {}
    for key, name in named:
        if name is not None:
            names.setdefault(name, key)
    return names


def learnt_from(
    recipe: Recipe, profiles: Mapping[str, FieldProfile], versions: Mapping[str, str], side_px: int
) -> Learnt:
    """Take out of profiles what a recipe asks for.

    Args:
        profiles: every profile that the recipe names.
        versions: name → the state of the profile.
        side_px: of the images.
    """
    camera, likes = recipe.camera, [ranges.like for ranges in recipe.arrangements.values()]
    return Learnt(
        size=side_px,
        profiles=dict(versions),
        placement={like: _overlapping(profiles[like].placement) for like in likes if like is not None},
        camera=None if camera is None or camera.like is None else profiles[camera.like].camera_at(side_px),
    )


def _overlapping(told: FieldPlacement) -> FieldPlacement:
    """Let an object be covered as far as the photos show it; the usual `min_visible` would undo a large overlap."""
    if told.overlap is None or told.min_visible is not None:
        return told
    visible = max(_LEAST_VISIBLE, round(1 - told.overlap, 6))
    usual = PlacementRanges().min_visible
    return told.model_copy(update={"min_visible": visible}) if visible < usual else told


def resolved(recipe: Recipe) -> Recipe:
    """Return a recipe with the numbers that it learnt in the place of `like`; values beside `like` come first.

    Raises:
        InvalidRecipe: the profile could not tell a number, and the recipe does not give it.
    """
    learnt, changes = recipe.learnt, dict[str, object](learnt=None)
    if isinstance(recipe.placement, list):
        changes["placement"] = [_placement(variant, learnt) for variant in recipe.placement]
    else:
        changes["placement"] = _placement(recipe.placement, learnt)
    if recipe.camera is not None and recipe.camera.like is not None:
        changes["camera"] = _camera(recipe.camera, learnt.camera if learnt else None)
    return recipe.model_copy(update=changes)


def _placement(given: Ranges, learnt: Learnt | None) -> Ranges:
    if given.like is None:
        return given
    beside = given.model_dump(mode="json", exclude={"like"})  # only what the recipe gives
    profile = learnt.placement.get(given.like) if learnt else None
    told = profile.model_dump(mode="json", exclude_none=True) if profile else {}
    if "overlap" in beside:
        told.pop("min_visible", None)
    for key, meaning in _NEEDED.items():
        if key not in beside and key not in told:
            raise InvalidRecipe(
                f"field profile '{given.like}' could not tell the {meaning}; give placement.{key}, or write it into "
                "the profile"
            )
    try:
        return type(given).model_validate({**told, **beside})
    except ValidationError as error:
        sentence = fault_sentence(error, PlacementRanges)
        raise InvalidRecipe(f"placement, like '{given.like}': {sentence}") from None


def _camera(given: Camera, learnt: Camera | None) -> Camera | None:
    beside = given.model_dump(mode="json", exclude={"like"})
    told = learnt.model_dump(mode="json") if learnt else {}
    values = {**told, **beside}
    if not any(value is not None for value in values.values()):
        return None  # a camera that changes nothing
    try:
        return Camera.model_validate(values)
    except ValidationError as error:
        raise InvalidRecipe(f"camera, like '{given.like}': {fault_sentence(error, Camera)}") from None


def profile_rows(profile: FieldProfile) -> Iterator[tuple[str, str]]:
    """Yield what was learnt, as short texts: (what, values)."""
    placement = profile.placement
    yield "photos", str(profile.photos)
    yield "licence", profile.licence or "not given"
    if profile.covered:
        low, high = profile.covered
        yield "objects cover", f"{low:.0%} to {high:.0%} of a photo"
    counted = " (objects that touch count as one)" if placement.objects else ""
    yield "objects in a photo", f"{_span(placement.objects)}{counted}"
    yield "scale (of the shorter side)", _span(placement.scale)
    overlap = placement.overlap
    yield "overlap of their boxes", "cannot be told" if overlap is None else f"up to {overlap:.0%}"
    if light := profile.light:
        a, b = light.cast
        yield "brightness (L*)", f"{light.brightness:.0f} ± {light.spread:.0f}"
        yield "contrast", f"{light.contrast:.0f}"
        yield "colour cast (a*, b*)", f"{a:+.0f}, {b:+.0f}: {cast_word(a, b)}"
        yield "words for the light", _light_text(light)
    for side_px, camera in sorted(profile.camera.items()):
        yield f"camera at {side_px} px", _camera_text(camera)
    yield "backgrounds", str(len(profile.backgrounds))


def _span(span: tuple[float, float] | None) -> str:
    if span is None:
        return "cannot be told"
    return f"{span[0]:g}" if span[0] == span[1] else f"{span[0]:g} to {span[1]:g}"


def _light_text(light: FieldLight) -> str:
    words = light_words(light)
    fitting = ", ".join(word for word, fits in words.items() if fits)
    if "warm light" not in words:
        return f"{fitting or 'neither dim nor bright'}; learn the photos again for the colour of the light"
    return fitting or "none: neither dim nor bright, neither warm nor cold"


def _camera_text(camera: Camera | None) -> str:
    if camera is None:
        return "changes nothing"
    parts = [
        f"{name} {_span(span)}{unit}"
        for name, span, unit in (
            ("blur", camera.blur, " px"),
            ("noise", camera.noise, ""),
            ("JPEG", camera.jpeg, ""),
        )
        if span is not None
    ]
    return ", ".join(parts)
