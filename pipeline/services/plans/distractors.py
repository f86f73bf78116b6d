"""Tell how many images of a plan show distractors, and which."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.domain.distractors import DistractorKind
from pipeline.domain.methods import Method
from pipeline.domain.recipe_distractors import Distractors

_NAMES = {DistractorKind.OBJECTS: "objects of other classes", DistractorKind.SHAPES: "neutral shapes"}


def distractors_note(wanted: Distractors | None, methods: Mapping[Method, int], classes: int) -> str:
    """Return what a plan draws beside its objects; "" where that is nothing.

    Args:
        methods: method → images of the plan.
        classes: with a usable training photo; of a single one there are no objects of other classes.
    """
    images = sum(number for method, number in methods.items() if method.facts.places_object)
    showing = round(wanted.share * images) if wanted else 0
    if wanted is None or not showing:
        return ""
    low, high = wanted.number
    number = f"{low}" if low == high else f"{low} to {high}"
    kinds = [_NAMES[kind] for kind in wanted.kinds if classes > 1 or kind is not DistractorKind.OBJECTS]
    return f"about {showing} of the images show {number} distractor{'s' * (high > 1)} besides: {' and '.join(kinds)}"
