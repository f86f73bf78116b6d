"""How plans draw what samples are made of: the present rule, and that of earlier versions.

A spec names its version, so that a plan that was begun with an earlier one goes on with it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.domain.backdrops import BackdropGrammar, BalancedDraw, Choice, class_draws, overall_draws
from pipeline.domain.balance import ClassBalance, Deck, Turns, Value
from pipeline.domain.methods import Method
from pipeline.domain.placement import Box, Placement
from pipeline.domain.poses import BalancedPoses, drawn_placements
from pipeline.domain.recipe import ARRANGEMENT, Recipe
from pipeline.domain.recipe_placement import PlacementRanges
from pipeline.domain.spec import PLAN_VERSION, SampleSpec

Stream = Callable[[str], random.Random]


def stream_of(seed: int) -> Stream:
    """Return a separate source of chance for each purpose, so that one more choice does not shift the others."""

    def stream(purpose: str) -> random.Random:
        digest = hashlib.sha256(f"backlot plan {seed} {purpose}".encode()).digest()
        return random.Random(int.from_bytes(digest[:8], "big"))

    return stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What is drawn from."""

    recipe: Recipe
    methods: Mapping[Method, float]  # method → weight
    photos: Mapping[str, Sequence[str]]  # class → ids of its photos
    backgrounds: Sequence[str]  # ids of the images; empty where no method needs one


class Poses(Protocol):
    """Draws where the objects of one arrangement stand."""

    def number(self, rng: random.Random, label: str, /) -> int:
        """Draw how many objects the next sample of a class has."""

    def placements(
        self, rng: random.Random, label: str, boxes: Sequence[Box], size: tuple[int, int], /
    ) -> list[Placement]:
        """Draw the poses of its objects."""


class PlanRule(Protocol):
    """Draws what the samples of a plan are made of, one sample after the other."""

    def method(self, label: str, /) -> Method:
        """Draw the method of the next sample."""

    def choice(self, label: str, method: Method, /) -> Choice:
        """Draw its slot values; () where the method needs no prompt."""

    def arrangement(self, label: str, /) -> str:
        """Draw its arrangement; "" where the recipe has the same ranges for all samples."""

    def poses(self, arrangement: str, /) -> Poses:
        """Return what draws the poses of an arrangement."""

    def photos(self, label: str, number: int, /) -> list[str]:
        """Draw the photos of its objects; none twice before all of the class are among them."""

    def background(self, label: str, unsuitable: Collection[str], /) -> str:
        """Draw the background image, an unsuitable one only where there are no others."""

    def count(self, spec: SampleSpec, /) -> None:
        """Count a sample that is there already, so that the next ones make up for what it lacks."""


def plan_rule(version: int, drawn: Drawn, stream: Stream) -> PlanRule:
    """Return the rule of a version.

    Args:
        version: 1, or the present one.
    """
    return _InEachClass(drawn, stream) if version == PLAN_VERSION else _OverAllClasses(drawn, stream)


class _InEachClass:
    """Version 2: everything is in balance within each class, so that it tells nothing about the class."""

    def __init__(self, drawn: Drawn, stream: Stream) -> None:
        backdrops = drawn.recipe.backdrops
        self._methods = ClassBalance(drawn.methods, stream("method"))
        self._slots = class_draws(backdrops, stream("backdrop"))
        self._grammar = BackdropGrammar(backdrops, self._slots)
        self._arrangements = ClassBalance(drawn.recipe.arrangement_weights, stream(ARRANGEMENT))
        self._poses = {
            name: BalancedPoses(ranges, _stream_within(stream, name))
            for name, ranges in drawn.recipe.arrangements.items()
        }
        self._photos = {label: Turns(ids, stream(f"photo {label}")) for label, ids in drawn.photos.items()}
        self._backgrounds = Deck(drawn.backgrounds, list(drawn.photos), stream("picture"))

    def method(self, label: str) -> Method:
        return _given(self._methods.draw(label))

    def choice(self, label: str, method: Method) -> Choice:
        return self._grammar.choice(label) if method.facts.needs_prompt else ()

    def arrangement(self, label: str) -> str:
        return _given(self._arrangements.draw(label))

    def poses(self, arrangement: str) -> Poses:
        return self._poses[arrangement]

    def photos(self, label: str, number: int) -> list[str]:
        return self._photos[label].draw(number)

    def background(self, label: str, unsuitable: Collection[str]) -> str:
        return self._backgrounds.draw(label, unsuitable)

    def count(self, spec: SampleSpec) -> None:
        self._methods.count(spec.label, spec.method)
        for slot, value in spec.slots:
            if slot in self._slots:
                self._slots[slot].count(spec.label, value)
            elif slot == ARRANGEMENT:
                self._arrangements.count(spec.label, value)
        if spec.backdrop_id is not None:
            self._backgrounds.count(spec.label, spec.backdrop_id)


class _OverAllClasses:
    """Version 1: each thing is in balance for itself, over all classes together."""

    def __init__(self, drawn: Drawn, stream: Stream) -> None:
        backdrops = drawn.recipe.backdrops
        self._arrangements = BalancedDraw(drawn.recipe.arrangement_weights, stream(ARRANGEMENT))
        self._poses = {name: _FreePoses(ranges) for name, ranges in drawn.recipe.arrangements.items()}
        self._methods = BalancedDraw(drawn.methods, stream("method"))
        self._grammar = BackdropGrammar(backdrops, overall_draws(backdrops, stream("backdrop")))
        self._photos = {
            label: BalancedDraw(dict.fromkeys(ids, 1.0), stream(f"photo {label}"))
            for label, ids in drawn.photos.items()
        }
        self._backgrounds = BalancedDraw(dict.fromkeys(drawn.backgrounds, 1.0), stream("picture"))

    def method(self, _label: str) -> Method:
        return _given(self._methods.draw())

    def choice(self, label: str, method: Method) -> Choice:
        choice = self._grammar.choice(label)  # drawn for every method, though some have no prompt
        return choice if method.facts.needs_prompt else ()

    def arrangement(self, _label: str) -> str:
        return _given(self._arrangements.draw())

    def poses(self, arrangement: str) -> Poses:
        return self._poses[arrangement]

    def photos(self, label: str, number: int) -> list[str]:
        drawn: list[str] = []
        of_class = self._photos[label]
        for _ in range(number):
            once_more = len(drawn) % len(of_class.weights)
            drawn.append(_given(of_class.draw(drawn[len(drawn) - once_more :])))
        return drawn

    def background(self, _label: str, unsuitable: Collection[str]) -> str:
        return self._backgrounds.draw(unsuitable) or _given(self._backgrounds.draw())

    def count(self, spec: SampleSpec) -> None:
        """Plans of this version begin from nothing."""


@dataclass(frozen=True, slots=True)
class _FreePoses:
    """Draws each pose for itself."""

    ranges: PlacementRanges

    def number(self, rng: random.Random, _label: str) -> int:
        low, high = self.ranges.objects
        return low + int(rng.random() * (high - low + 1))

    def placements(
        self, rng: random.Random, label: str, boxes: Sequence[Box], size: tuple[int, int]
    ) -> list[Placement]:
        return drawn_placements(rng, self.ranges, boxes, size, flips=self.ranges.flips(label))


def _stream_within(stream: Stream, arrangement: str) -> Stream:
    """Return the sources of chance of an arrangement; those of the plan where it has none."""
    return (lambda purpose: stream(f"{ARRANGEMENT} {arrangement} {purpose}")) if arrangement else stream


def _given(value: Value | None) -> Value:
    assert value is not None
    return value
