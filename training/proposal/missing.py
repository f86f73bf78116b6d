"""Recipes for the arms of a study that a release cannot fill."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from pipeline.domain.arms import Arm
from pipeline.domain.distractors import DistractorKind
from pipeline.domain.methods import Method
from pipeline.domain.recipe import Recipe, refuse_too_many
from pipeline.domain.recipe_placement import PlacementRanges, PlacementVariant
from training.data.arm_data import (
    FEWEST_OF_A_CLASS,
    ArmData,
    arm_data,
    count_classes,
    images_of_ratio,
    ratio_fault,
    shows_no_photo,
    synthetic_images,
)
from training.data.release import Release
from training.data.shares import images_of_share
from training.proposal.recipe_files import ReasonedRecipe
from training.proposal.release_plans import BaseRecipe, ReleasePlans

_SEEDS = 2**31
_LEAST_USABLE = 0.05  # of a recipe's images, that show only photos of a share: with fewer it fills no arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """The accepted images that an arm lacks."""

    arm: Arm
    images: Mapping[str, int]  # class → images that are missing; classes that lack none are left out
    photos: Mapping[
        str, tuple[int, int]
    ]  # class → its photos that the images may show, its photos of the release

    @property
    def of_share(self) -> bool:
        """Whether the images may show a share of the photos only."""
        return self.arm.facts.share < 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfillable:
    """An arm that no recipe can fill, and why."""

    arm: Arm
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPlan:
    """What would fill the arms of a study."""

    recipes: tuple[ReasonedRecipe, ...]
    unfillable: tuple[Unfillable, ...]


def missing_plan(release: Release, plans: ReleasePlans, arms: Sequence[Arm]) -> MissingPlan:
    """Plan the images that the arms of a study lack.

    Arms that need the same kind of images share a recipe, and so do those that name the same one, of whatever method.

    Raises:
        InvalidRecipe: more samples are needed than one recipe may plan.
    """
    lacking = (lack_of(release, arm) for arm in dict.fromkeys(arms))
    found = [_fillable(lack, plans) for lack in lacking if lack is not None]
    lacks = [lack for lack in found if isinstance(lack, Lack)]
    shared: dict[tuple[str, bool], list[Lack]] = {}
    for lack in lacks:  # two recipes of one name would replace each other's plan
        recipe = lack.arm.facts.recipe
        key = (f"@{recipe}", False) if recipe else (str(_method(lack.arm, plans)), lack.of_share)
        shared.setdefault(key, []).append(lack)
    return MissingPlan(
        recipes=tuple(_recipe(release, plans, of_key) for of_key in shared.values()),
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
    photos = count_classes(images_of_share(release, real, facts.share), classes)
    if sentence := _why_unfillable(arm, photos):
        return Unfillable(arm=arm, sentence=f"{arm}: {sentence}")
    synthetic = synthetic_images(release.synthetic_train, facts)
    held = count_classes(images_of_share(release, synthetic, facts.share), classes)
    if facts.ratio is None:
        images = {
            name: max(FEWEST_OF_A_CLASS, photos[name]) - held[name]
            for name in classes
            if held[name] < FEWEST_OF_A_CLASS
        }
    else:
        wanted = images_of_ratio(facts.ratio, photos)
        images = {name: wanted[name] - held[name] for name in classes if wanted[name] > held[name]}
    return Lack(arm=arm, images=images, photos={name: (photos[name], every_photo[name]) for name in images})


def _why_unfillable(arm: Arm, photos: Mapping[str, int]) -> str:
    """Say why no recipe can fill an arm; "" where one can.

    Args:
        photos: class → training photos of the arm's share.
    """
    facts = arm.facts
    if without := [f"'{name}'" for name, count in photos.items() if not count]:
        return (
            f"no recipe can fill it, since the release has no training photos of {', '.join(without)}; import photos "
            "and publish again."
        )
    if not facts.methods:
        return "no recipe can fill it, since it trains on photos alone; import more photos and publish again."
    if facts.share < 1 and shows_no_photo(facts):
        return "its images show no photo, so that a share of the photos changes nothing; leave out the share."
    if facts.ratio is not None and (fault := ratio_fault(photos, images_of_ratio(facts.ratio, photos))):
        return f"no recipe can fill it, since {fault}."
    return ""


def _fillable(lack: Lack | Unfillable, plans: ReleasePlans) -> Lack | Unfillable:
    """Replace the lack of a share where hardly any image of the recipe that its arm names would count."""
    arm, name = lack.arm, lack.arm.facts.recipe
    if isinstance(lack, Unfillable) or not (lack.of_share and name):
        return lack
    recipe = _base(plans, [_method(arm, plans)], lack).recipe
    if min(_usable(recipe, *photos) for photos in lack.photos.values()) >= _LEAST_USABLE:
        return lack
    return Unfillable(
        arm=arm,
        sentence=f"{arm}: no recipe can fill it, since fewer than {_LEAST_USABLE:.0%} of the images of '{name}' show "
        f"only photos of the share; take a larger share, or leave out @{name}.",
    )


def _base(plans: ReleasePlans, methods: Iterable[Method], lack: Lack) -> BaseRecipe:
    """Return the recipe that one for a lack starts from; for a share, images of one object have the best chance."""
    base = plans.base(*methods, recipe=lack.arm.facts.recipe)
    return base if lack.arm.facts.recipe or not lack.of_share else _of_one_object(base)


def _of_one_object(base: BaseRecipe) -> BaseRecipe:
    """Return a recipe whose images show one object and no distractors."""
    placement = base.recipe.placement
    one = {"objects": (1, 1)}
    if isinstance(placement, PlacementRanges):
        single: PlacementRanges | list[PlacementVariant] = placement.model_copy(update=one)
    else:
        variants = [variant for variant in placement if variant.objects == (1, 1)] or placement[:1]
        single = [variant.model_copy(update=one) for variant in variants]
    return replace(
        base,
        recipe=base.recipe.model_copy(update={"placement": single, "distractors": None}),
        source=f"{base.source}, but with one object an image and no distractors",
    )


def _usable(recipe: Recipe, of_share: int, every: int) -> float:
    """Estimate how many of a recipe's images, 0 to 1, show only photos of a share.

    Args:
        of_share: photos of the image's class that the share holds; nearly the same part of other classes is assumed.
        every: photos of the class.
    """

    def only_of_share(objects: int) -> float:
        shown = min(objects, every)  # no photo comes twice before all of its class are in the image
        return math.comb(of_share, shown) / math.comb(every, shown)

    weights = recipe.arrangement_weights
    own = sum(
        weights[name] * _mean(only_of_share, ranges.objects) for name, ranges in recipe.arrangements.items()
    ) / sum(weights.values())
    others = recipe.distractors
    if others is None:
        return own
    objects = others.kinds.get(DistractorKind.OBJECTS, 0.0) / sum(others.kinds.values())
    kept = 1 - objects * (1 - of_share / every)
    return own * (1 - others.share * (1 - _mean(lambda number: kept**number, others.number)))


def _mean(chance: Callable[[int], float], numbers: tuple[int, int]) -> float:
    """Average a chance over the whole numbers from the first to the last."""
    first, last = numbers
    return sum(map(chance, range(first, last + 1))) / (last - first + 1)


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


def _recipe(release: Release, plans: ReleasePlans, lacks: Sequence[Lack]) -> ReasonedRecipe:
    """Build the recipe that fills some arms at once, of one method or, under one recipe's name, of several."""
    methods = list(dict.fromkeys(_method(lack.arm, plans) for lack in lacks))
    base, of_share = _base(plans, methods, lacks[0]), any(lack.of_share for lack in lacks)
    images: dict[Method, dict[str, int]] = {method: {} for method in methods}
    samples: dict[Method, dict[str, int]] = {method: {} for method in methods}
    for lack in lacks:
        method = _method(lack.arm, plans)
        acceptance = plans.acceptance(method)
        for label, count in lack.images.items():
            planned = acceptance.samples_for(count, usable=_usable(base.recipe, *lack.photos[label]))
            images[method][label] = max(images[method].get(label, 0), count)
            samples[method][label] = max(samples[method].get(label, 0), planned)
    weights = {method: sum(of_method.values()) for method, of_method in samples.items() if of_method}
    classes = _enough_of_each(samples, weights)
    refuse_too_many(sum(classes.values()))
    name = lacks[0].arm.facts.recipe
    if not name:
        name = plans.free_name(f"more {methods[0]} of one object" if of_share else f"more {methods[0]}")
    several = {str(method): float(weight) for method, weight in weights.items()}
    recipe = changed_recipe(base, name, several if len(methods) > 1 else str(methods[0]), classes)
    recipe = recipe.model_copy(update={"seed": seed_of(release, recipe)})
    return ReasonedRecipe(recipe=recipe, reasons=_reasons(plans, lacks, images, recipe, base))


def _enough_of_each(
    samples: Mapping[Method, Mapping[str, int]], weights: Mapping[Method, int]
) -> dict[str, int]:
    """Return the fewest samples of each class among which each method, in its proportion, has as many as it needs.

    Args:
        samples: method → class → samples that it needs.
        weights: method → its weight.
    """
    total, classes = sum(weights.values()), dict.fromkeys(chain.from_iterable(samples.values()))
    return {
        name: max(
            math.ceil(samples[method].get(name, 0) * total / weight) for method, weight in weights.items()
        )
        for name in classes
    }


def _reasons(
    plans: ReleasePlans,
    lacks: Sequence[Lack],
    images: Mapping[Method, Mapping[str, int]],
    recipe: Recipe,
    base: BaseRecipe,
) -> tuple[str, ...]:
    """Say why a recipe is as it is.

    Args:
        images: method → class → accepted images that are missing.
    """
    reasons = [
        f"Fills {', '.join(lack.arm for lack in lacks)} of a study of {plans.name}.",
        *(
            f"Missing are {sum(counts.values())} accepted images of method {method}: {_listed(counts)}. "
            f"{plans.acceptance(method).sentence}"
            for method, counts in images.items()
        ),
        f"{recipe.total} samples are planned so that these are enough in about 97 of 100 cases for each class.",
        "Images count only where they show nothing but the arm's share of the photos; samples of the others are "
        "planned with them."
        if any(lack.of_share for lack in lacks)
        else "",
        f"Backgrounds and placement are {base.source}.",
        *base.notes,
    ]
    return tuple(filter(None, reasons))


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
    weights = (
        {Method(each): weight for each, weight in method.items()} if isinstance(method, Mapping) else None
    )
    recipe = base.recipe.of_method(weights or Method(str(method)))
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
