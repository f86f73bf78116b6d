"""Draws in balance within each class, so that nothing that is drawn tells the class of an object.

Only `random()` of a source of chance is called, which is the same on every Python version.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value", bound=Hashable)
_EPSILON = 1e-9
_ALL_BUT_ONE = 1 - _EPSILON
_OVERDUE = 1e6  # more than any value can be lacking


def _nothing(_label: str) -> Collection[Hashable]:
    return ()


@dataclass(slots=True)
class _Column:
    """The draws of one class."""

    shares: list[float]  # of each value, 0 to 1; 0 for one that the class never gets
    counts: list[int]
    barred: bool  # whether the class never gets some value
    draws: int = 0
    rows: list[tuple[int, float]] = field(init=False)  # index and share of each value that the class can get

    def __post_init__(self) -> None:
        self.rows = [(index, share) for index, share in enumerate(self.shares) if share]


class ClassBalance(Generic[Value]):
    """Draws values so that every class gets them in their shares, and so do all classes together.

    Within a class a value is not drawn again before its share is due, and an overdue one comes first: after any number
    of draws the counts are within about one of the shares. Among the values that are due the one comes next of which
    the class and the whole plan together have the fewest, ties at random. So each class begins at another place, and
    what an unfinished turn of one class lacks, those of the others make up for.

    Args:
        weights: value → weight, above 0.
        barred: the values that a class never gets; their share goes to its other values.
    """

    def __init__(
        self,
        weights: Mapping[Value, float],
        rng: random.Random,
        barred: Callable[[str], Collection[Hashable]] = _nothing,
    ) -> None:
        self._weights, self._rng, self._barred = weights, rng, barred
        self._values = list(weights)
        self._index = {value: index for index, value in enumerate(self._values)}
        self._columns: dict[str, _Column] = {}
        total = sum(weights.values()) or 1.0
        self._shares = [weight / total for weight in weights.values()]
        self._draws = 0  # of all classes
        self._counts = [0] * len(self._values)
        self._due = [0.0] * len(self._values)  # what classes with barred values have more of than their share

    def draw(self, label: str, forbidden: Collection[Value] = ()) -> Value | None:
        """Return the next value for a class; None where all are forbidden or barred."""
        column = self._column(label)
        chance = self._rng.random()  # once for every draw, so that a forbidden value shifts no other draw
        lacking = self._most_lacking(column, forbidden)
        if not lacking:
            return None
        index = lacking[int(chance * len(lacking))]
        self._count(column, index)
        return self._values[index]

    def count(self, label: str, value: Value) -> None:
        """Count a value that a class has already, as if it had been drawn; one that it cannot get is ignored."""
        index = self._index.get(value)
        column = self._column(label)
        if index is not None and column.shares[index] > 0:
            self._count(column, index)

    def _most_lacking(self, column: _Column, forbidden: Collection[Value]) -> list[int]:
        """Return the values to draw next; those whose share is not due yet only where there are no others."""
        place, whole = column.draws + 1, self._draws + 1
        best, equals, due_found = -math.inf, list[int](), False
        counts, plain, surplus, totals = column.counts, self._shares, self._due, self._counts
        for index, share in column.rows:
            lag = place * share - counts[index]
            if due_found and lag <= _EPSILON:  # one that is due comes before it in any case
                continue
            if forbidden and self._values[index] in forbidden:
                continue
            lack = lag + whole * plain[index] + surplus[index] - totals[index]
            if lag <= _EPSILON:
                lack -= _OVERDUE
            else:
                due_found = True
                if lag >= _ALL_BUT_ONE:
                    lack += _OVERDUE
            if lack > best:
                best, equals = lack, [index]
            elif lack == best:
                equals.append(index)
        return equals

    def _count(self, column: _Column, index: int) -> None:
        column.draws += 1
        column.counts[index] += 1
        self._draws += 1
        self._counts[index] += 1
        if column.barred:
            for each, share in enumerate(column.shares):
                self._due[each] += share - self._shares[each]

    def _column(self, label: str) -> _Column:
        column = self._columns.get(label)
        if column is None:
            barred = self._barred(label)
            weights = [0.0 if value in barred else weight for value, weight in self._weights.items()]
            total = sum(weights) or 1.0
            shares = [weight / total for weight in weights]
            column = _Column(shares, [0] * len(weights), barred=shares != self._shares)
            self._columns[label] = column
        return column


class Deck(Generic[Value]):
    """Deals values of equal weight; a draw takes the same time however many there are.

    All classes go round one shuffled deck, each from a place of its own, the places evenly apart: a class gets every
    value before one comes again, and all classes together use the values about equally often.
    """

    def __init__(self, values: Sequence[Value], labels: Sequence[str], rng: random.Random) -> None:
        self._values = shuffled(values, rng)
        phase, order = rng.random(), shuffled(sorted(labels), rng)
        self._next = {
            label: int((place + phase) * len(values) / len(order)) for place, label in enumerate(order)
        }
        self._had: Counter[tuple[str, Value]] = Counter()  # values to pass over, since the class has them

    def draw(self, label: str, unsuitable: Collection[Value] = ()) -> Value:
        """Return the next value for a class; one that is not suitable keeps its place and comes later."""
        while self._had[label, self._at(label, 0)]:
            self._had[label, self._at(label, 0)] -= 1
            self._next[label] += 1
        for ahead in range(1 if not unsuitable else len(self._values)):
            value = self._at(label, ahead)
            if value not in unsuitable and not self._had[label, value]:
                break
        else:
            ahead, value = 0, self._at(label, 0)
        if ahead:
            self._had[label, value] += 1
        else:
            self._next[label] += 1
        return value

    def _at(self, label: str, ahead: int) -> Value:
        return self._values[(self._next[label] + ahead) % len(self._values)]

    def count(self, label: str, value: Value) -> None:
        """Count a value that a class has already, as if it had been drawn."""
        if value in self._values:
            self._had[label, value] += 1


@dataclass(slots=True)
class Turns(Generic[Value]):
    """Deals the values of one class in random order, every one before one comes again."""

    values: Sequence[Value]
    rng: random.Random
    _left: list[Value] = field(default_factory=list)  # of this turn, the next one last

    def draw(self, number: int) -> list[Value]:
        """Return so many values; none twice before all are among them."""
        drawn: list[Value] = []
        for _ in range(number):
            again = len(drawn) % len(self.values)
            drawn.append(self.next(drawn[len(drawn) - again :]))
        return drawn

    def next(self, forbidden: Collection[Value] = ()) -> Value:
        """Return the next value that is not forbidden; not all may be."""
        if not forbidden:
            if not self._left:
                self._left = shuffled(self.values, self.rng)
            return self._left.pop()
        for place in reversed(range(len(self._left))):
            if self._left[place] not in forbidden:
                return self._left.pop(place)
        self._left = shuffled(self.values, self.rng) + self._left
        return self.next(forbidden)


def shuffled(values: Sequence[Value], rng: random.Random) -> list[Value]:
    """Return values in random order (Fisher & Yates)."""
    order, chance = list(values), rng.random
    for place in range(len(order) - 1, 0, -1):
        other = int(chance() * (place + 1))
        order[place], order[other] = order[other], order[place]
    return order
