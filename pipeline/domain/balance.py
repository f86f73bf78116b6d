"""Choosing values in turn so that every count keeps to its share, at every moment and not only at the end.

Everything is a stream: what was chosen first does not depend on how much is chosen later. Only `rng.random()` is
drawn and only whole numbers are compared, so the choices are the same on every machine and Python version.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from random import Random

import numpy as np

_COARSEST = 1000  # weights with decimals add up to this many units at most
_FORESEEN = 512  # longer periods are balanced by deadlines alone


def stream(seed: int, *names: object) -> Random:
    """Random numbers of their own for a purpose, e.g. `stream(7, "backdrops")`."""
    text = "/".join(map(str, (seed, *names)))
    return Random(int(hashlib.sha256(text.encode()).hexdigest(), 16))


def whole_weights(weights: Mapping[str, float]) -> dict[str, int]:
    """Weights as the smallest whole numbers in the same proportion; decimals beyond a thousandth of the sum are lost."""
    exact = {name: Fraction(str(weight)) for name, weight in weights.items()}
    common = math.lcm(*(one.denominator for one in exact.values()))
    units = {name: int(one * common) for name, one in exact.items()}
    if common > 1 and sum(units.values()) > _COARSEST:
        total = sum(exact.values())
        units = {name: max(1, round(one * _COARSEST / total)) for name, one in exact.items()}
    divisor = math.gcd(*units.values())
    return {name: unit // divisor for name, unit in units.items()}


class Balance:
    """Values with weights, one taken at a time.

    As long as only values that are `eligible` are taken, the count of each value lies between its share rounded down
    and its share rounded up after every step (a "quota" method: Balinski & Young 1975; Still 1979 showed that free
    choice among the eligible values keeps it so). Where something else forbids all eligible values, the one that lags
    most is taken, and the counts find back to their shares as fast as that allows.

    Shares are of the values allowed at each step: a value that a class may not have is not made up for elsewhere.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        whole = whole_weights(weights)
        self.values = tuple(whole)
        self._weights = np.array(list(whole.values()), np.int64)
        self._counts = np.zeros(len(whole), np.int64)
        self._due = np.zeros(len(whole), np.int64)  # shares so far, in units of 1 / self._unit
        self._unit = int(self._weights.sum())
        self._by_group: dict[str, np.ndarray] = {}

    def counts(self) -> dict[str, int]:
        """How often each value was taken."""
        return {value: int(count) for value, count in zip(self.values, self._counts, strict=True)}

    def ranked(self, rng: Random, *, allowed: Collection[str], group: str = "") -> list[str]:
        """The allowed values, best to take next first: eligible ones, of them those that `group` had least, then by lot;
        behind them the others by how much they lag."""
        mask = np.array([value in allowed for value in self.values])
        gain = self._gain(mask)
        due = self._due + gain
        eligible = mask & self._eligible(due, gain)
        taken = self._by_group.get(group, np.zeros_like(self._counts))
        lag = due - self._counts * self._unit
        order = []
        for index, value in enumerate(self.values):
            lot = rng.random()
            if eligible[index]:
                order.append((0, (float(taken[index]) + 0.5) / float(self._weights[index]), lot, value))
            elif mask[index]:
                order.append((1, -float(lag[index]), lot, value))
        return [value for *_, value in sorted(order)]

    def take(self, value: str, *, allowed: Collection[str], group: str = "") -> None:
        """Count a value as taken, at a step where these values were allowed."""
        self._due += self._gain(np.array([one in allowed for one in self.values]))
        index = self.values.index(value)
        self._counts[index] += 1
        self._by_group.setdefault(group, np.zeros_like(self._counts))[index] += 1

    def next(self, rng: Random) -> str:
        """Take the best value."""
        value = self.ranked(rng, allowed=self.values)[0]
        self.take(value, allowed=self.values)
        return value

    def _gain(self, mask: np.ndarray) -> np.ndarray:
        """What one step adds to each share."""
        total = int(self._weights[mask].sum())
        assert total > 0, "no value is allowed"
        finer = math.lcm(self._unit, total) // self._unit
        self._unit *= finer
        self._due *= finer
        return self._weights * mask * (self._unit // total)

    def _eligible(self, due: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """Values that may be taken now without any count ever having to leave its share.

        A value may not run ahead of its share rounded up. If within the next h steps h + 1 takings are needed to keep
        all counts up to their shares rounded down, the value taken now must be one of those.
        """
        unit, counts = self._unit, self._counts
        may = counts * unit < due
        period = unit // math.gcd(unit, *(int(one) for one in gain))
        if period > _FORESEEN:  # by earliest deadline; as balanced, less varied
            steps = np.where(
                may, -(-((counts + 1) * unit - due) // np.maximum(gain, 1)), np.iinfo(np.int64).max
            )
            return may & (steps == steps.min())
        ahead = np.arange(period)[:, None]
        needed = np.maximum((due + ahead * gain) // unit - counts, 0)
        tight = np.flatnonzero(needed.sum(axis=1) >= ahead[:, 0] + 1)
        return may & (needed[tight[0]] > 0) if tight.size else may


class Deck:
    """Cards dealt evenly: all of them in a shuffled order, then all again in another one."""

    def __init__(self, cards: Iterable[str], rng: Random) -> None:
        self._cards = sorted(cards)
        self._rng = rng
        self._left: list[str] = []
        assert self._cards

    def deal(self, number: int = 1) -> list[str]:
        """The next cards; different ones as long as there are that many."""
        dealt: list[str] = []
        for _ in range(number):
            wants_other = len(dealt) < len(self._cards)
            if not self._left or (wants_other and all(card in dealt for card in self._left)):
                self._left += shuffled(self._cards, self._rng)
            index = next((i for i, card in enumerate(self._left) if card not in dealt), 0)
            dealt.append(self._left.pop(index))
        return dealt


def shuffled(items: Sequence[str], rng: Random) -> list[str]:
    """The items in random order (Fisher & Yates), by `rng.random()` only."""
    order = list(items)
    for last in range(len(order) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order
