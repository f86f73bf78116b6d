"""What review left missing of a plan: as many samples of each class as were rejected, of what the others lack."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.recipe import Recipe
from pipeline.domain.review import REFILL_ENDING
from pipeline.domain.spec import SampleSpec
from pipeline.domain.texts import LONGEST_NAME
from pipeline.errors import InvalidRequest
from pipeline.store import Library, SampleState

_SEEDS = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    """The samples that make up for the rejected ones of a plan.

    They form one plan, "<name>, refill", to which every later refill adds: so an interrupted one resumes.
    """

    recipe: Recipe  # of the missing samples; that of the earlier ones where none is missing
    missing: Mapping[str, int]  # class → samples, of the classes with a usable photo
    without: tuple[str, ...]  # classes of which samples are missing, without a usable photo
    kept: tuple[SampleSpec, ...]  # samples of the plan and of its refills that were not rejected
    earlier: tuple[SampleSpec, ...]  # of earlier refills, rendered or not
    unrendered: int  # of the earlier ones


def refill_name(name: str) -> str:
    """Return the name of the plan that refills another."""
    return name[: LONGEST_NAME - len(REFILL_ENDING)] + REFILL_ENDING


def refill_of(library: Library, recipe: Recipe) -> Refill:
    """Return what is missing of the plan that a recipe has in a library.

    Raises:
        InvalidRequest: the recipe was not generated yet, nothing is missing, or no photo can make up for it.
    """
    name = refill_name(recipe.name)
    planned, earlier = (list(library.plans.members(plan)) for plan in (recipe.name, name))
    if not planned:
        raise InvalidRequest(f"recipe '{recipe.name}' has no images in this library yet; generate it first")
    kept = tuple(spec for spec, state in (*planned, *earlier) if state is not SampleState.REJECTED)
    missing = Counter(spec.label for spec, _ in planned) - Counter(spec.label for spec in kept)
    usable = {photo.label for photo in library.photos.list(split="train", usable=True)}
    without = tuple(sorted(set(missing) - usable))
    missing = Counter({label: number for label, number in missing.items() if label in usable})
    unrendered = sum(state in (SampleState.PLANNED, SampleState.FAILED) for _, state in earlier)
    if not missing and not unrendered:
        raise InvalidRequest(_nothing_sentence(recipe.name, len(planned), without))
    changes = {
        "name": name,
        "classes": dict(sorted(missing.items())) or None,
        "count": None,
        "seed": _seed(recipe.seed, len(earlier)),
        "size": planned[0][0].size[0],  # of the images that it makes up for
    }
    return Refill(
        recipe=Recipe.model_validate({**recipe.model_dump(mode="json"), **changes}),
        missing=missing,
        without=without,
        kept=kept,
        earlier=tuple(spec for spec, _ in earlier),
        unrendered=unrendered,
    )


def _nothing_sentence(name: str, planned: int, without: Sequence[str]) -> str:
    if without:
        named = " and ".join(f"'{label}'" for label in without)
        return (
            f"what is missing of '{name}' is of {named}, without a usable training photo; check the masks on the "
            "Photos page, or import photos"
        )
    return (
        f"nothing is missing of '{name}': none of its {planned} images was rejected, or all that were have been "
        "made up for; review more images first"
    )


def _seed(seed: int, earlier: int) -> int:
    digest = hashlib.sha256(f"backlot refill {seed} {earlier}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _SEEDS
