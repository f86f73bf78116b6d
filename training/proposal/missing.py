"""Recipes for the arms of a study that a release cannot fill."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from pipeline.domain.recipe import Recipe, refuse_too_many
from pipeline.domain.recipe_placement import PlacementRanges, PlacementVariant
from training.data.arm_data import (
    ENOUGH_OF_A_RATIO,
    ArmData,
    arm_data,
    count_classes,
    images_of_share,
    synthetic_images,
)
from training.data.release import Release
from training.proposal.recipe_files import ReasonedRecipe
from training.proposal.release_plans import BaseRecipe, ReleasePlans

_SEEDS = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """The accepted images that an arm lacks."""

    arm: Arm
    images: Mapping[str, int]  # class → images that are missing; classes that lack none are left out
    shares: Mapping[str, float]  # class → share of its photos, over 0 to 1, that the images may be made from


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfillable:
    """An arm that no recipe can fill, since photos are missing."""

    arm: Arm
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPlan:
    """What would fill the arms of a study."""

    recipes: tuple[ReasonedRecipe, ...]
    unfillable: tuple[Unfillable, ...]


def missing_plan(release: Release, plans: ReleasePlans, arms: Sequence[Arm]) -> MissingPlan:
    """Plan the images that the arms of a study lack; arms that need the same method and recipe share one recipe.

    Raises:
        InvalidRecipe: more samples are needed than one recipe may plan.
    """
    found = [lack for arm in dict.fromkeys(arms) if (lack := lack_of(release, arm)) is not None]
    lacks = [lack for lack in found if isinstance(lack, Lack)]
    shared: dict[tuple[Method, str], list[Lack]] = {}
    for lack in lacks:
        shared.setdefault((_method(lack.arm, plans), lack.arm.facts.recipe), []).append(lack)
    return MissingPlan(
        recipes=tuple(
            _recipe(release, plans, method, name, of_key) for (method, name), of_key in shared.items()
        ),
        unfillable=tuple(lack for lack in found if isinstance(lack, Unfillable)),
    )


def lack_of(release: Release, arm: Arm) -> Lack | Unfillable | None:
    """Count the images that an arm lacks; None where the release fills it.

    With a ratio, each class is filled to it. Without one, a class gets as many images as it has photos.
    """
    if isinstance(arm_data(release, arm), ArmData):
        return None
    facts, real, classes = arm.facts, release.real_train, release.classes
    every_photo = count_classes(real, classes)
    if without := [name for name, count in every_photo.items() if not count]:
        names = ", ".join(f"'{name}'" for name in without)
        return Unfillable(
            arm=arm,
            sentence=f"{arm}: no recipe can fill it, since the release has no training photos of {names}; "
            "import photos and publish again.",
        )
    photos = count_classes(images_of_share(real, real, facts.share), classes)
    synthetic = synthetic_images(release.synthetic_train, facts)
    held = count_classes(images_of_share(synthetic, real, facts.share), classes)
    if facts.ratio is None:
        images = {name: max(1, photos[name]) for name in classes if not held[name]}
    else:
        wanted = {name: round(facts.ratio * photos[name]) for name in classes}
        if not any(wanted.values()):  # so small a ratio that it asks for none: one is enough to begin
            wanted = dict.fromkeys(classes, 1)
        short = any(held[name] < ENOUGH_OF_A_RATIO * wanted[name] for name in classes)
        assert short or not len(synthetic)
        images = {name: wanted[name] - held[name] for name in classes if wanted[name] > held[name]}
    shares = {name: photos[name] / every_photo[name] for name in images}
    return Lack(arm=arm, images=images, shares=shares)


def _method(arm: Arm, plans: ReleasePlans) -> Method:
    """Choose the method that fills an arm: that of its recipe or of most images, else the first that it trains on."""
    allowed = arm.facts.methods
    if recipe := plans.recipes.get(arm.facts.recipe):
        weights = {method: weight for method, weight in recipe.methods.items() if method in allowed}
        if weights:
            return max(weights, key=lambda method: weights[method])
    counts = {
        method: sum(count for (_, made_by), count in plans.images.items() if made_by == method)
        for method in allowed
    }
    return max(allowed, key=lambda method: counts[method])


def _recipe(
    release: Release, plans: ReleasePlans, method: Method, name: str, lacks: Sequence[Lack]
) -> ReasonedRecipe:
    """Build the recipe that fills some arms at once."""
    acceptance, base = plans.acceptance(method), plans.base(method, recipe=name)
    images: dict[str, int] = {}
    samples: dict[str, int] = {}
    for lack in lacks:
        for label, count in lack.images.items():
            planned = acceptance.samples_for(math.ceil(count / lack.shares[label]))
            images[label] = max(images.get(label, 0), count)
            samples[label] = max(samples.get(label, 0), planned)
    refuse_too_many(sum(samples.values()))
    recipe = changed_recipe(base, name or plans.free_name(f"more {method}"), str(method), samples)
    recipe = recipe.model_copy(update={"seed": seed_of(release, recipe)})
    smaller = any(share < 1 for lack in lacks for share in lack.shares.values())
    reasons = [
        f"Fills {', '.join(lack.arm for lack in lacks)} of a study of {plans.name}.",
        f"Missing are {sum(images.values())} accepted images of method {method}: {_listed(images)}.",
        f"{acceptance.sentence} {sum(samples.values())} samples are planned so that these are enough in about 97 "
        "of 100 cases for each class.",
        "Images count only where they are made from the arm's share of the photos; samples of the others are planned "
        "with them."
        if smaller
        else "",
        f"Backgrounds and placement are {base.source}.",
        *base.notes,
    ]
    return ReasonedRecipe(recipe=recipe, reasons=tuple(filter(None, reasons)))


def changed_recipe(
    base: BaseRecipe,
    name: str,
    method: str | Mapping[str, float],
    samples: Mapping[str, int],
    *,
    placement: PlacementRanges | list[PlacementVariant] | None = None,
) -> Recipe:
    """Return a recipe with the backgrounds of another one.

    Args:
        method: one, or method → weight.
        samples: class → samples to plan.
        placement: None: that of the other recipe.
    """
    recipe = base.recipe.of_method(Method(method)) if isinstance(method, str) else base.recipe
    changes: dict[str, object] = {"name": name, "method": method, "classes": dict(samples), "count": None}
    if placement is not None:
        changes["placement"] = placement
    return Recipe.model_validate({**recipe.model_dump(mode="json"), **changes})


def seed_of(release: Release, recipe: Recipe) -> int:
    """Return a seed that other images of the release do not share, and that is the same for the same release.

    A recipe with the seed of an earlier one would plan some of the same samples again.
    """
    images = release.synthetic_train
    decisive = json.dumps(
        [recipe.name, recipe.classes, release.classes, images.labels.tolist(), images.sources.tolist()]
    )
    return int.from_bytes(hashlib.sha256(decisive.encode()).digest()[:8], "big") % _SEEDS


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
