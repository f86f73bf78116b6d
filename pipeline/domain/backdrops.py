"""The prompt grammar: slots with weighted values, drawn in balance and never naming the object's class."""

from __future__ import annotations

import math
import random
import re
import unicodedata
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from typing import Generic, Protocol, TypeVar

from pipeline.domain.balance import ClassBalance
from pipeline.domain.recipe_backdrops import Backdrops
from pipeline.domain.slots import SLOT, drawing_order, slots_named, without_slots
from pipeline.errors import InvalidRecipe

Value = TypeVar("Value", bound=Hashable)
Choice = tuple[tuple[str, str], ...]  # (slot, value) pairs in the order of the prompt
_WORD = re.compile(r"[^\W_]+")
_WITH_F = re.compile(r"(cal|hal|hoo|kni|lea|li|loa|scar|sel|shea|shel|thie|wi|wol)ves$")  # knife, leaf, …
_MOST_CHOICES = 1_000  # that are kept while those are looked for which leave a slot no value


@dataclass(slots=True)
class _Share(Generic[Value]):
    """One value of a `BalancedDraw`."""

    value: Value
    share: float  # of all draws, 0 to 1
    drawn: int = 0
    due: int = field(init=False)  # the draw by which the next unit must come

    def __post_init__(self) -> None:
        self._set_due()

    def count(self) -> None:
        """Count one draw of the value."""
        self.drawn += 1
        self._set_due()

    def _set_due(self) -> None:
        self.due = math.ceil((self.drawn + 1) / self.share - 1e-9)


@dataclass(slots=True)
class BalancedDraw(Generic[Value]):
    """Draws values so that after any number of draws each count is within one of its share.

    Earliest deadline first over the units of each value (the k-th unit of a value with share s may come at draw
    ceil((k - 1) / s) and is due at draw ceil(k / s); Baruah et al. 1996, proportionate progress); ties are broken at
    random. Draws that forbid values hold the balance as far as those allow.
    """

    weights: Mapping[Value, float]
    rng: random.Random
    _queue: list[_Share[Value]] = field(init=False)
    _draws: int = 0

    def __post_init__(self) -> None:
        total = sum(self.weights.values())
        self._queue = [_Share(value, weight / total) for value, weight in self.weights.items()]

    def draw(self, forbidden: Collection[Value] = ()) -> Value | None:
        """Return the next value; None where all are forbidden."""
        self._draws += 1
        first: _Share[Value] | None = None
        first_rank = (True, 0, 0.0)
        for candidate in self._queue:
            chance = self.rng.random()  # drawn for every value, so that a forbidden one shifts no other draw
            if candidate.value in forbidden:
                continue
            early = candidate.drawn >= candidate.share * self._draws - 1e-9
            rank = (early, candidate.due, chance)
            if first is None or rank < first_rank:
                first, first_rank = candidate, rank
        if first is None:
            self._draws -= 1
            return None
        first.count()
        return first.value


class SlotDraw(Protocol):
    """Draws the values of one slot."""

    def draw(self, label: str, forbidden: Collection[str], /) -> str | None:
        """Return the next value for a class; None where all are forbidden."""


@dataclass(slots=True)
class OverallDraw(Generic[Value]):
    """Draws values in balance over all classes together, as plans of version 1 do; `BalancedDraw` says how."""

    balanced: BalancedDraw[Value]

    def draw(self, _label: str, forbidden: Collection[Value] = ()) -> Value | None:
        """Return the next value, whatever the class; None where all are forbidden."""
        return self.balanced.draw(forbidden)


def class_draws(backdrops: Backdrops, rng: random.Random) -> dict[str, ClassBalance[str]]:
    """Return draws of the slots in balance within each class."""
    return {
        slot: ClassBalance(weights, rng, partial(naming, tuple(weights)))
        for slot, weights in backdrops.slots.items()
    }


def overall_draws(backdrops: Backdrops, rng: random.Random) -> dict[str, OverallDraw[str]]:
    """Return draws of the slots as plans of version 1 have them."""
    return {slot: OverallDraw(BalancedDraw(weights, rng)) for slot, weights in backdrops.slots.items()}


class BackdropGrammar:
    """Draws slot values for one background after the other and writes their prompts.

    Args:
        backdrops: template, slots, weights and exclusions of a recipe.
        draws: of each slot.
    """

    def __init__(self, backdrops: Backdrops, draws: Mapping[str, SlotDraw]) -> None:
        self._backdrops = backdrops
        self._draws = draws
        self._naming: dict[tuple[str, str], set[str]] = {}  # (slot, class) → values that name the class
        # slot → one of the others of a combination → (value, all others)
        self._exclusions: dict[str, dict[tuple[str, str] | None, list[tuple[str, dict[str, str]]]]] = {}
        for combination in backdrops.exclude:
            for slot, value in combination.items():
                others = {other: given for other, given in combination.items() if other != slot}
                of_slot = self._exclusions.setdefault(slot, {})
                of_slot.setdefault(next(iter(others.items()), None), []).append((value, others))

    def choice(self, label: str) -> Choice:
        """Draw the next slot values for an object of a class; values that name the class are never drawn.

        Slots are drawn in reading order: a chosen value's own slots come right after it. A slot that the prompt does
        not hold is not drawn, so each slot is in balance over the prompts that show it.

        Raises:
            InvalidRecipe: a slot has no value left for this class.
        """
        chosen: dict[str, str] = {}
        self._fill(self._backdrops.template, label, chosen)
        return tuple(chosen.items())

    def _fill(self, text: str, label: str, chosen: dict[str, str]) -> None:
        """Choose values for the slots of a text and for those that the values name; cycles are refused before."""
        for slot in _slots_in(text):
            if slot in chosen:
                continue
            draw = self._draws[slot]
            if (slot, label) not in self._naming:
                self._naming[slot, label] = naming(self._backdrops.slots[slot], label)
            forbidden = self._naming[slot, label]
            if slot in self._exclusions and (excluded := self._excluded(slot, chosen)):
                forbidden = forbidden | excluded
            value = draw.draw(label, forbidden)
            if value is None:
                raise InvalidRecipe(f"slot '{slot}' has no value left for class '{label}'; add others to it")
            chosen[slot] = value
            self._fill(value, label, chosen)

    def prompt(self, choice: Choice) -> str:
        """Write the prompt of slot values; values may contain slots of their own."""
        return prompt(self._backdrops.template, choice)

    def _excluded(self, slot: str, chosen: Mapping[str, str]) -> set[str]:
        """Values of a slot that would complete an excluded combination with what is chosen already."""
        of_slot, items = self._exclusions[slot], chosen.items()
        return {
            value
            for known in (None, *items)
            for value, others in of_slot.get(known, ())
            if others.items() <= items
        }


def excluding_choice(backdrops: Backdrops, slot: str) -> dict[str, str] | None:
    """Return values of slots that are drawn before another one and leave it none of its values.

    Returns:
        Slot → value, the first such choice that is found; {} where all values are excluded by themselves; None where
        there is none.
    """
    order = drawing_order(backdrops.template, backdrops.slots)
    earlier = set(order[: order.index(slot)])
    choices: list[dict[str, str]] = [{}]
    for value in backdrops.slots[slot]:
        excluding = [
            {other: given for other, given in combination.items() if other != slot}
            for combination in backdrops.exclude
            if combination.get(slot) == value and combination.keys() - {slot} <= earlier
        ]
        joined = (choice | others for choice in choices for others in excluding if _agree(choice, others))
        different = {frozenset(choice.items()): choice for choice in joined}
        choices = list(islice(different.values(), _MOST_CHOICES))
    allowed = (choice for choice in choices if not any(_excludes(each, choice) for each in backdrops.exclude))
    return next((choice for choice in allowed if _can_meet(backdrops, choice, slot)), None)


def _can_meet(backdrops: Backdrops, choice: Mapping[str, str], slot: str) -> bool:
    """Whether a prompt can hold a slot beside values of others: a slot may come with one value of another alone."""
    wanted = {*choice, slot}
    held: dict[str, set[frozenset[str]]] = {}  # slot → which of those that are wanted it can bring together

    def of_text(text: str) -> set[frozenset[str]]:
        brought = {frozenset[str]()}
        for named in _slots_in(text):
            brought = {one | other for one in brought for other in of_slot(named)}
        return brought

    def of_slot(named: str) -> set[frozenset[str]]:
        if named not in held:
            values = [choice[named]] if named in choice else backdrops.slots[named]
            own = frozenset(wanted & {named})
            held[named] = {own | others for value in values for others in of_text(value)}
        return held[named]

    return frozenset(wanted) in of_text(backdrops.template)


def _agree(choice: Mapping[str, str], others: Mapping[str, str]) -> bool:
    return all(choice.get(slot, value) == value for slot, value in others.items())


def _excludes(combination: Mapping[str, str], choice: Mapping[str, str]) -> bool:
    return combination.items() <= choice.items()


@lru_cache(maxsize=4096)
def _slots_in(text: str) -> tuple[str, ...]:
    return tuple(slots_named(text))


def prompt(template: str, choice: Sequence[tuple[str, str]]) -> str:
    """Fill the slots of a template, also those inside values, and tidy spaces and stray commas."""
    values = dict(choice)
    text = template
    for _ in range(len(values) + 1):
        if "{" not in text:
            break
        filled = SLOT.sub(lambda match: values.get(match[1], match[0]), text)
        if filled == text:
            break
        text = filled
    parts = [" ".join(part.split()) for part in text.split(",")]
    return ", ".join(part for part in parts if part)


def naming(values: Iterable[str], label: str) -> set[str]:
    """Return the values that name a class themselves, without what their slots hold."""
    return {value for value in values if names_class(without_slots(value), label)}


def names_class(value: str, label: str) -> bool:
    """Whether a value contains a word of the class's name, in singular or plural."""
    return not _stems(value).isdisjoint(_stems(label))


def _stems(text: str) -> set[str]:
    """Return each word of a text and what it may be the plural of: "axes" that of "ax" and of "axe"."""
    words = _WORD.findall(unicodedata.normalize("NFC", text).lower())
    return {stem for word in words for stem in (word, *_singulars(word))}


def _singulars(word: str) -> Iterator[str]:
    if len(word) <= 3 or not word.endswith("s") or word.endswith("ss"):
        return
    yield word[:-1]
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]
    if word.endswith("ies"):
        yield f"{word[:-3]}y"
    if _WITH_F.search(word):
        yield f"{word[:-3]}f"
        yield f"{word[:-3]}fe"
