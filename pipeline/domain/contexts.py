"""Which class comes in which context: a link between the two is what a classifier learns instead of the object."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Contexts = Mapping[str, Mapping[str, Mapping[str, int]]]  # prompt slot → class → value → images

DISTRACTORS_NOTE = "An image counts for the class of its objects; distractors are not counted."


@dataclass(frozen=True, slots=True)
class ContextTable:
    """How many images of each class show each value of a prompt slot."""

    slot: str
    counts: Mapping[str, Mapping[str, int]]  # class → value → images

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, sorted."""
        return tuple(sorted(self.counts))

    @property
    def values(self) -> tuple[str, ...]:
        """The values that any image shows, sorted."""
        return tuple(sorted({value for by_value in self.counts.values() for value in by_value}))

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """Each value with its images by class, in the order of `labels`."""
        return [(value, [self.counts[label].get(value, 0) for label in self.labels]) for value in self.values]

    @property
    def bits(self) -> float:
        """What the value tells about the class: mutual information of the two in bits, 0 where nothing."""
        return mutual_information(
            (label, value, number) for label in self.counts for value, number in self.counts[label].items()
        )

    @property
    def chance(self) -> float:
        """The bits that as many images would have on average, if their values were drawn without regard to the class.

        (classes - 1) (values - 1) / (2 n ln 2), the bias of the estimate (Miller 1955).
        """
        number = sum(sum(by_value.values()) for by_value in self.counts.values())
        free = (len(self.labels) - 1) * (len(self.values) - 1)
        return free / (2 * number * math.log(2)) if number else 0.0


def context_tables(contexts: Contexts) -> list[ContextTable]:
    """Return the tables of the slots in which there is something to compare: two classes or more, and two values."""
    tables = [ContextTable(slot, contexts[slot]) for slot in sorted(contexts)]
    return [table for table in tables if len(table.labels) > 1 and len(table.values) > 1]


def contexts_of(samples: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> Contexts:
    """Count the slot values of samples by class; each sample is its class and its (slot, value) pairs."""
    counts: dict[str, dict[str, Counter[str]]] = {}
    for label, slots in samples:
        for slot, value in slots:
            counts.setdefault(slot, {}).setdefault(label, Counter())[value] += 1
    return counts


def mutual_information(counts: Iterable[tuple[str, str, int]]) -> float:
    """Return the mutual information in bits of two properties, from the number of images with each pair of them."""
    joint: Counter[tuple[str, str]] = Counter()
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for one, other, number in counts:
        joint[one, other] += number
        first[one] += number
        second[other] += number
    total = joint.total()
    return sum(
        number / total * math.log2(number * total / (first[one] * second[other]))
        for (one, other), number in joint.items()
        if number
    )
