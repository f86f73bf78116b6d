"""Acceptance rates by what samples were made of, and the changes to the recipe that they suggest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np

from pipeline.domain.recipe import ARRANGEMENT, Recipe
from pipeline.domain.recipe_values import LARGEST_WEIGHT, LEAST_WEIGHT
from pipeline.domain.slots import SLOT, reached_slots
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest

ENOUGH = 10  # decided samples of a value before anything is advised about it
_Z95 = 1.959964  # two-sided 95 % point of the normal distribution
_BINS = 3  # equal parts of a placement's observed range
_POSE = ("scale", "rotation", "yaw", "pitch", "x", "y")
Outcome = tuple[SampleSpec, bool]  # the sample, whether it was accepted


@dataclass(frozen=True, slots=True)
class Tally:
    """Accepted among decided samples."""

    accepted: int
    decided: int

    @property
    def rate(self) -> float:
        """Share of the decided samples that were accepted, 0 to 1; 0 where nothing was decided."""
        return self.accepted / self.decided if self.decided else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4); (0, 1) where none is decided."""
        if not self.decided:
            return (0.0, 1.0)
        n, z2 = self.decided, _Z95**2
        centre = (self.accepted + z2 / 2) / (n + z2)
        half = _Z95 * math.sqrt(n) / (n + z2) * math.sqrt(self.rate * (1 - self.rate) + z2 / (4 * n))
        return (max(0.0, centre - half), min(1.0, centre + half))

    def without(self, part: Tally) -> Tally:
        """Return the tally of all samples but those of a part."""
        return Tally(self.accepted - part.accepted, self.decided - part.decided)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Tallies of decided samples: in total, and by each value of each ingredient."""

    total: Tally
    slots: Mapping[str, Mapping[str, Tally]] = field(default_factory=dict)  # slot → value, of the prompts
    methods: Mapping[str, Tally] = field(default_factory=dict)
    models: Mapping[str, Tally] = field(default_factory=dict)
    classes: Mapping[str, Tally] = field(default_factory=dict)
    poses: Mapping[str, Mapping[str, Tally]] = field(default_factory=dict)  # e.g. scale → "0.35 to 0.48"


class Change(StrEnum):
    """What can be done with the weight of a slot value."""

    DROP = "drop"
    HALVE = "halve"
    MORE = "more of"


@dataclass(frozen=True, slots=True)
class Advice:
    """One change to a recipe that the decisions suggest."""

    change: Change
    slot: str
    value: str
    tally: Tally
    rest: Tally  # of the slot's other values

    @property
    def sentence(self) -> str:
        """E.g. "drop camera: far away; 2 of 14 accepted, 71 % of the others"."""
        name = SLOT.sub("…", self.value) or "not set"
        return (
            f"{self.change} {self.slot}: {name}; {self.tally.accepted} of {self.tally.decided} accepted, "
            f"{self.rest.rate:.0%} of the others"
        )


def acceptance(outcomes: Iterable[Outcome]) -> Acceptance:
    """Tally decided samples by ingredient; of several objects in one image the pose of the front one counts."""
    rows = list(outcomes)
    slots = sorted({slot for spec, _ in rows for slot, _ in spec.slots})
    return Acceptance(
        total=Tally(sum(good for _, good in rows), len(rows)),
        slots={slot: _tallies((dict(spec.slots).get(slot), good) for spec, good in rows) for slot in slots},
        methods=_tallies((str(spec.method), good) for spec, good in rows),
        models=_tallies((spec.model, good) for spec, good in rows),
        classes=_tallies((spec.label, good) for spec, good in rows),
        poses={name: binned for name in _POSE if (binned := _binned(name, rows))},
    )


def advice(rates: Acceptance) -> list[Advice]:
    """Suggest changes for slot values whose 95 % interval excludes the rate of the slot's other values.

    A value below half of that rate should be dropped, one below it halved, one above it used more often. The intervals
    are not corrected for the number of values that are compared: a person confirms each change.

    Returns:
        Values to use less, worst first; then values to use more.
    """
    suggestions = []
    for slot, values in rates.slots.items():
        tallies = values.values()
        whole = Tally(sum(tally.accepted for tally in tallies), sum(tally.decided for tally in tallies))
        for value, tally in values.items():
            rest = whole.without(tally)
            low, high = tally.interval
            if tally.decided < ENOUGH or rest.decided < ENOUGH:
                continue
            if high < rest.rate:
                change = Change.DROP if tally.rate < rest.rate / 2 else Change.HALVE
                suggestions.append(Advice(change, slot, value, tally, rest))
            elif low > rest.rate:
                suggestions.append(Advice(Change.MORE, slot, value, tally, rest))
    return sorted(suggestions, key=lambda advised: (advised.change is Change.MORE, advised.tally.rate))


def changed(recipe: Recipe, changes: Sequence[Advice]) -> Recipe:
    """Apply suggestions to the weights of a recipe, within their range; values that it does not have are ignored.

    Raises:
        InvalidRequest: a slot, or the placement, would be left without values.
    """
    slots = {slot: dict(weights) for slot, weights in recipe.backdrops.slots.items()}
    if isinstance(recipe.placement, list):
        slots[ARRANGEMENT] = recipe.arrangement_weights
    for advised in changes:
        weights = slots.get(advised.slot, {})
        if advised.value not in weights:
            continue
        if advised.change is Change.DROP:
            del weights[advised.value]
        else:
            weight = weights[advised.value] * (0.5 if advised.change is Change.HALVE else 2.0)
            weights[advised.value] = min(max(weight, LEAST_WEIGHT), LARGEST_WEIGHT)
        if not weights:
            raise InvalidRequest(f"slot '{advised.slot}' would be left without values; drop fewer of them")
    values = recipe.model_dump()
    if isinstance(recipe.placement, list):
        weights = slots.pop(ARRANGEMENT)
        values["placement"] = [
            variant.model_dump() | {"weight": weights[variant.name]}
            for variant in recipe.placement
            if variant.name in weights
        ]
    reached = reached_slots(recipe.backdrops.template, slots)  # a dropped value may be all that named a slot
    slots = {slot: weights for slot, weights in slots.items() if slot in reached}
    exclude = [
        pairs for pairs in recipe.backdrops.exclude
        if all(value in slots.get(slot, {}) for slot, value in pairs.items())
    ]  # fmt: skip
    values["backdrops"] |= {"slots": slots, "exclude": exclude}
    return Recipe.model_validate(values)


def _tallies(pairs: Iterable[tuple[str | None, bool]]) -> dict[str, Tally]:
    counted: dict[str, list[int]] = {}
    for value, good in pairs:
        if value is not None:
            both = counted.setdefault(value, [0, 0])
            both[0] += good
            both[1] += 1
    return {value: Tally(*both) for value, both in sorted(counted.items())}


def _binned(name: str, rows: Sequence[Outcome]) -> dict[str, Tally]:
    """Tallies over equal parts of the observed range of a pose value; empty where it never varies."""
    numbers = np.array([getattr(spec.front.placement, name) for spec, _ in rows], np.float64)
    if not len(numbers) or numbers.max() - numbers.min() < 1e-6:
        return {}
    edges = np.linspace(numbers.min(), numbers.max(), _BINS + 1)
    part = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, _BINS - 1)
    titles = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    good = np.array([accepted for _, accepted in rows])
    return {
        title: Tally(int(good[part == index].sum()), int((part == index).sum()))
        for index, title in enumerate(titles)
        if (part == index).any()
    }
