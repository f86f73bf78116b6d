"""A plan in rounds: how many samples each round draws, and of which classes, after what the round before has shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.domain.plan import shares_of
from pipeline.domain.recipe import Recipe
from pipeline.domain.texts import LONGEST_NAME
from pipeline.errors import InvalidRequest

_LEAST, _MOST = 0.5, 3.0  # times the share that the recipe gives a class
_SEEDS = 2**63
_NAMED = 3  # classes in a sentence


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of one recipe; together they have as many samples as the recipe alone."""

    recipe: Recipe  # with everything that a person changed
    number: int  # of rounds

    def __post_init__(self) -> None:
        if self.number > self.recipe.total:
            raise InvalidRequest(
                f"{self.number} rounds were requested for {self.recipe.total} samples; each round needs at least one: "
                "request fewer rounds or more samples"
            )

    def size(self, place: int) -> int:
        """Return the number of samples of a round, the first is 1; sizes differ by one at most."""
        whole, more = divmod(self.recipe.total, self.number)
        return whole + (place <= more)

    def name(self, place: int) -> str:
        """Return the name of a round's recipe, such as "surfaces, round 2 of 3"."""
        ending = f", round {place} of {self.number}"
        return self.recipe.name[: LONGEST_NAME - len(ending)] + ending

    def of_round(self, place: int, weights: Mapping[str, float]) -> Recipe:
        """Return the recipe of a round, its classes in proportion to weights; the seed is another in each round."""
        counts = shares_of(dict(sorted(weights.items())), self.size(place))
        return self.with_counts(place, {label: count for label, count in counts.items() if count})

    def with_counts(self, place: int, counts: Mapping[str, int]) -> Recipe:
        """Return the recipe of a round with its counts, class → samples."""
        changes = {
            "name": self.name(place),
            "classes": dict(counts),
            "count": None,
            "seed": self._seed(place),
        }
        return Recipe.model_validate({**self.recipe.model_dump(mode="json"), **changes})

    def _seed(self, place: int) -> int:
        if place == 1:
            return self.recipe.seed
        digest = hashlib.sha256(f"backlot round {self.recipe.seed} {place}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % _SEEDS


def next_weights(plain: Mapping[str, float], uncertainty: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of the classes in the next round: what the recipe gives, times how uncertain they are.

    Args:
        plain: class → weight in the recipe.
        uncertainty: class → 0 (certain) to 1; a class that could not be examined is left out and keeps its weight.

    Returns:
        Class → weight, 0.5 to 3 times that of the recipe relative to the mean class.
    """
    mean = float(np.mean(list(uncertainty.values()))) if uncertainty else 0.0
    if mean <= 0:
        return dict(plain)
    factors = {label: min(_MOST, max(_LEAST, value / mean)) for label, value in uncertainty.items()}
    return {label: weight * factors.get(label, 1.0) for label, weight in plain.items()}


def round_sentence(place: int, uncertainty: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """Say in one sentence what was uncertain after a round, and what the next one draws.

    Args:
        place: of the round that was examined.
        uncertainty: as in `next_weights`.
        counts: samples of the next round.
    """
    drawn = ", ".join(
        f"{label} {count}" for label, count in sorted(counts.items(), key=lambda item: -item[1])
    )
    least = sorted(uncertainty.items(), key=lambda item: (-item[1], item[0]))
    if not least or least[0][1] <= 0:
        shown = (
            "no class is uncertain" if least else "too few photos of each class to estimate the uncertainty"
        )
        return f"After round {place}: {shown}; round {place + 1} draws {drawn}."
    named = ", ".join(
        f"{label} ({value:.0%})" for label, value in least[: max(1, min(_NAMED, len(least) - 1))]
    )
    surest, value = least[-1]
    return (
        f"After round {place} the probe is least certain of {named} and most certain of {surest} ({value:.0%} "
        f"uncertain), on training photos held out for validation; round {place + 1} draws {drawn}."
    )
