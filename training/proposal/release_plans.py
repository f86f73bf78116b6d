"""What a release tells of its plans: their recipes, the models of its images, and how many samples were accepted."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline.domain.field_profile import resolved
from pipeline.domain.methods import Method
from pipeline.domain.recipe import BACKGROUND_SETS, Control, Recipe, default_recipe, parse_recipe
from pipeline.domain.release import MethodYield
from pipeline.domain.spec import ControlSource
from pipeline.errors import InvalidRecipe
from training.data.release import Release

_FACTS, _CARD = "release.json", "README.md"  # as pipeline.publish writes them
_YIELDS = TypeAdapter(list[MethodYield])
_CARD_RECIPE = re.compile(
    r"<details><summary>Recipe [^\n]*</summary>\n\n(?P<fence>`{3,})yaml\n(?P<yaml>.*?)\n(?P=fence)\n",
    re.DOTALL,
)
_STARTER = "starter"  # backgrounds that every installation has
_NO_MODEL = "none"  # of images that were made without a model
_BY_NAME = ("nano", "sdxl")  # models that need no path
_ASSUMED = 0.8  # acceptance where the release does not tell it
_SAFETY = 2.0  # standard deviations that a count is above the expected need: enough in about 97 of 100 cases


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How many of a method's samples are accepted: `accepted` of `decided`; none decided: not known."""

    accepted: int = 0
    decided: int = 0

    @property
    def rate(self) -> float:
        """Return the expected share, above 0 to below 1, also where all or none of a few were accepted."""
        return (self.accepted + 1) / (self.decided + 2) if self.decided else _ASSUMED

    @property
    def sentence(self) -> str:
        """Say what was accepted, or what is assumed."""
        if not self.decided:
            return f"The release does not tell how many samples are accepted; {_ASSUMED:.0%} are assumed."
        return (
            f"{self.accepted} of {self.decided} decided samples of this method were accepted "
            f"({self.accepted / self.decided:.0%})."
        )

    def samples_for(self, images: int, *, usable: float = 1.0) -> int:
        """Return how many samples to plan so that so many are accepted in about 97 of 100 cases (normal limit).

        Args:
            usable: the chance that an accepted image counts, above 0 to 1.
        """
        if images <= 0:
            return 0
        p = self.rate * usable
        half = _SAFETY * math.sqrt(p * (1 - p))
        root = (half + math.sqrt(half**2 + 4 * p * images)) / (2 * p)
        return math.ceil(root**2 - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRecipe:
    """The recipe whose backgrounds and placement are taken over; `notes` are sentences on what is not as it was."""

    recipe: Recipe
    source: str  # where it comes from, as a sentence
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePlans:
    """The plans of one release."""

    recipes: Mapping[str, Recipe]  # by name, in the order of the card
    yields: Sequence[MethodYield]
    models: Mapping[str, tuple[str, ...]]  # method → models of its images
    images: Mapping[tuple[str, str], int]  # (recipe, method) → training images
    name: str  # of the release, without the path of its folder

    def acceptance(self, method: Method) -> Acceptance:
        """Count what was accepted of a method's samples, with all models."""
        of_method = [each for each in self.yields if each.method == method]
        accepted = sum(each.accepted for each in of_method)
        return Acceptance(accepted, accepted + sum(each.rejected for each in of_method))

    def base(self, *methods: Method, recipe: str = "") -> BaseRecipe:
        """Return the recipe that a new one for methods starts from, with a model and backgrounds that exist here.

        Args:
            recipe: the name of the recipe that is wanted; "" for the one that made most images of the methods.
        """
        counts: Counter[str] = Counter()
        for (name, made_by), count in self.images.items():
            counts[name] += count if made_by in methods else 0
        best = [name for name, count in counts.most_common() if count]
        planned = [
            name for name, known in self.recipes.items() if not known.methods.keys().isdisjoint(methods)
        ]
        for name in (recipe, *best, *planned, *self.recipes):
            if name in self.recipes:
                return self._usable(self.recipes[name], methods, f"those of the release's recipe '{name}'")
        return self._usable(
            default_recipe(), methods, "those of the default recipe, since the release holds none"
        )

    def free_name(self, wanted: str) -> str:
        """Return a name that no recipe of the release has: a plan of a known name would replace the earlier one."""
        known = {*self.recipes, *(recipe for recipe, _ in self.images)}
        numbered = (wanted if number == 1 else f"{wanted} {number}" for number in range(1, len(known) + 2))
        return next(name for name in numbered if name not in known)

    def _usable(self, recipe: Recipe, methods: Collection[Method], source: str) -> BaseRecipe:
        notes = []
        of_methods = chain.from_iterable(self.models.get(method, ()) for method in methods)
        models = [name for name in of_methods if name and name != _NO_MODEL]
        changes: dict[str, object] = {"model": models[0]} if models else {}
        model = str(changes.get("model", recipe.model))
        if any(method.facts.needs_prompt for method in methods) and model not in _BY_NAME:
            notes.append(f"The model '{model}' was published without its path; give the path with --model.")
        folder = recipe.backdrops.folder
        if recipe.needs_backgrounds(methods) and folder not in BACKGROUND_SETS:
            if folder:
                notes.append(
                    f"The folder of backgrounds '{folder}' was published without its path; write the path under "
                    f"backdrops.folder, or keep the rendered surfaces '{_STARTER}'."
                )
            changes["backdrops"] = recipe.backdrops.model_copy(update={"folder": _STARTER})
        is_controlled = any(method.facts.needs_control for method in methods)
        if is_controlled and recipe.control.source is ControlSource.REFERENCE:
            notes.append(
                "The reference image of the ControlNet was published without its path; the placed object guides it."
            )
            changes["control"] = Control(scale=recipe.control.scale)
        return BaseRecipe(recipe=recipe.model_copy(update=changes), source=source, notes=tuple(notes))


def release_plans(release: Release) -> ReleasePlans:
    """Read what a release tells of its plans; a data set that is no release folder tells nothing of them."""
    folder, images = Path(release.name), release.synthetic_train
    pairs = zip(images.recipes.tolist(), images.methods.tolist(), strict=True)
    return ReleasePlans(
        recipes=_recipes(_text(folder / _CARD)),
        yields=_yields(_text(folder / _FACTS)),
        models=release.models,
        images=Counter(pairs),
        name=folder.resolve().name if folder.is_dir() else release.name,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _recipes(card: str) -> dict[str, Recipe]:
    recipes = {}
    for block in _CARD_RECIPE.finditer(card):
        try:
            recipe = parse_recipe(block["yaml"])
            recipe = (
                resolved(recipe) if recipe.learnt else recipe
            )  # its profiles are not those of this library
        except InvalidRecipe:  # of another version, or changed by hand
            continue
        recipes[recipe.name] = recipe
    return recipes


def _yields(facts: str) -> list[MethodYield]:
    try:
        yields = _YIELDS.validate_python(json.loads(facts)["yields"])
    except (ValueError, KeyError, TypeError, ValidationError):
        return []
    return [each for each in yields if each.rendered]
