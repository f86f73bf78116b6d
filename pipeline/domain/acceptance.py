"""What reviewers accept, by what a sample was made of, and what that says about the recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np

from pipeline.domain.recipe import Recipe
from pipeline.domain.slots import SLOT, reached_slots
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest

ENOUGH = 10  # decided samples of a value before anything is advised about it
_Z95 = 1.959964  # two-sided 95 % point of the normal distribution
_BINS = 3  # parts that a placement's observed range is cut into
_POSE = ("scale", "rotation", "yaw", "pitch", "x", "y")
Outcome = tuple[SampleSpec, bool]  # what was decided, whether it was accepted


@dataclass(frozen=True, slots=True)
class Tally:
    """Accepted among decided samples."""

    accepted: int
    decided: int

    @property
    def rate(self) -> float:
        """Share that was accepted; 0 where nothing was decided."""
        return self.accepted / self.decided if self.decided else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4); (0, 1) for nothing decided."""
        if not self.decided:
            return (0.0, 1.0)
        n, z2 = self.decided, _Z95**2
        centre = (self.accepted + z2 / 2) / (n + z2)
        half = _Z95 * math.sqrt(n) / (n + z2) * math.sqrt(self.rate * (1 - self.rate) + z2 / (4 * n))
        return (max(0.0, centre - half), min(1.0, centre + half))

    def without(self, part: Tally) -> Tally:
        """All but a part."""
        return Tally(self.accepted - part.accepted, self.decided - part.decided)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Tallies of what was decided: in all, and by each value of each kind of ingredient."""

    total: Tally
    slots: Mapping[str, Mapping[str, Tally]] = field(default_factory=dict)  # slot → value, of the prompts
    methods: Mapping[str, Tally] = field(default_factory=dict)
    models: Mapping[str, Tally] = field(default_factory=dict)
    classes: Mapping[str, Tally] = field(default_factory=dict)
    poses: Mapping[str, Mapping[str, Tally]] = field(default_factory=dict)  # e.g. scale → "0.35 to 0.48"


class Change(StrEnum):
    """What may be done with a slot's value."""

    DROP = "drop"
    HALVE = "halve"
    MORE = "more of"


@dataclass(frozen=True, slots=True)
class Advice:
    """One change to a recipe that the decisions speak for."""

    change: Change
    slot: str
    value: str
    tally: Tally
    rest: Tally  # of the slot's other values

    @property
    def sentence(self) -> str:
        """E.g. "drop camera: far away; 2 of 14 accepted, 71 % of the others"."""
        name = SLOT.sub("…", self.value) or "nothing said"
        return (
            f"{self.change} {self.slot}: {name}; {self.tally.accepted} of {self.tally.decided} accepted, "
            f"{self.rest.rate:.0%} of the others"
        )


def acceptance(outcomes: Iterable[Outcome]) -> Acceptance:
    """Tallies of decided samples. Of several objects in one image the pose of the front one counts."""
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


def advice(found: Acceptance) -> list[Advice]:
    """Changes that the decisions speak for: values whose 95 % interval lies apart from the other values' rate.

    Below half of that rate a value is to be dropped, below it halved, above it to be had more often. The intervals
    are not corrected for the number of values that are looked at: a person confirms each change.
    """
    told = []
    for slot, values in found.slots.items():
        whole = Tally(
            sum(one.accepted for one in values.values()), sum(one.decided for one in values.values())
        )
        for value, tally in values.items():
            rest = whole.without(tally)
            low, high = tally.interval
            if tally.decided < ENOUGH or rest.decided < ENOUGH:
                continue
            if high < rest.rate:
                change = Change.DROP if tally.rate < rest.rate / 2 else Change.HALVE
                told.append(Advice(change, slot, value, tally, rest))
            elif low > rest.rate:
                told.append(Advice(Change.MORE, slot, value, tally, rest))
    return sorted(told, key=lambda one: (one.change is Change.MORE, one.tally.rate))


def changed(recipe: Recipe, changes: Sequence[Advice]) -> Recipe:
    """The recipe with other weights; what it does not hold is left alone.

    Raises:
        InvalidRequest: a slot would be left without values.
    """
    slots = {slot: dict(weights) for slot, weights in recipe.backdrops.slots.items()}
    for one in changes:
        weights = slots.get(one.slot, {})
        if one.value not in weights:
            continue
        if one.change is Change.DROP:
            del weights[one.value]
        else:
            weights[one.value] *= 0.5 if one.change is Change.HALVE else 2.0
        if not weights:
            raise InvalidRequest(f"slot '{one.slot}' would be left without values; drop fewer of them")
    reached = reached_slots(recipe.backdrops.template, slots)  # a dropped value may be all that named one
    slots = {slot: weights for slot, weights in slots.items() if slot in reached}
    exclude = [
        pairs for pairs in recipe.backdrops.exclude
        if all(value in slots.get(slot, {}) for slot, value in pairs.items())
    ]  # fmt: skip
    kept = recipe.model_dump()
    kept["backdrops"] |= {"slots": slots, "exclude": exclude}
    return Recipe.model_validate(kept)


def _tallies(pairs: Iterable[tuple[str | None, bool]]) -> dict[str, Tally]:
    counted: dict[str, list[int]] = {}
    for value, good in pairs:
        if value is not None:
            both = counted.setdefault(value, [0, 0])
            both[0] += good
            both[1] += 1
    return {value: Tally(*both) for value, both in sorted(counted.items())}


def _binned(name: str, rows: Sequence[Outcome]) -> dict[str, Tally]:
    """Tallies over equal parts of the range that a pose's number was seen in; nothing where it never varies."""
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
