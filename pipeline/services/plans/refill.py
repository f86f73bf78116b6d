"""What review left missing of a plan: as many samples of each class as were rejected, of what the others lack."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.recipe import Recipe
from pipeline.domain.review import NOVELTY_ENDING, REFILL_ENDING
from pipeline.domain.spec import SampleSpec
from pipeline.domain.texts import LONGEST_NAME
from pipeline.errors import InvalidRequest
from pipeline.store import Library, PlanMember, SampleState

_SEEDS = 2**63
_UNRENDERED = (SampleState.PLANNED, SampleState.FAILED)
_SERVED = re.compile(r"^# for the plan (?:with|that begins with) (?P<key>[0-9a-f]+)$", re.MULTILINE)
_DIGITS = 8  # of the key of a plan, in the names of plans that make up for its samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    """The samples that make up for the rejected ones of a plan.

    They form one plan, "<name>, refill", to which every later refill adds: so an interrupted one resumes. The samples
    that replace those which differ least from the others are the same in a plan "<name>, novelty". Both belong to the
    plan with the seed and method that they were drawn for.
    """

    recipe: Recipe  # of the missing samples; that of the earlier ones where none is missing
    missing: Mapping[str, int]  # class → samples, of the classes with a usable photo
    without: tuple[str, ...]  # classes of which samples are missing, without a usable photo
    kept: tuple[
        SampleSpec, ...
    ]  # samples that are there, those of a plan that is refilled without rejected ones
    earlier: tuple[SampleSpec, ...]  # of earlier refills, rendered or not
    unrendered: int  # of the earlier ones
    note: str = ""  # ties them to the plan that they make up for


def refill_name(library: Library, name: str) -> str:
    """Return the name of the plan that refills another, whether it is there or not."""
    return _name_of(library, name, REFILL_ENDING)


def novelty_name(library: Library, name: str) -> str:
    """Return the name of the plan of the samples that replace those of another which differ least.

    Returns:
        The name, whether the plan is there or not.
    """
    return _name_of(library, name, NOVELTY_ENDING)


def replacing_plan(library: Library, name: str, specs: Sequence[SampleSpec] = ()) -> str:
    """Return the name of the plan of the samples that replace those of another which differ least.

    Args:
        specs: first specs of the other plan where that is not stored.

    Returns:
        "" where there is none, as for a plan with another seed that has had no replacements yet.
    """
    return _serving_plan(library, name, NOVELTY_ENDING, specs)


def is_replacing(plan: str, name: str) -> bool:
    """Whether a plan replaces samples of another, or would do so with another seed, by their names."""
    return _can_serve(plan, name, NOVELTY_ENDING)


def _can_serve(plan: str, name: str, ending: str) -> bool:
    found = re.search(rf"{ending}( [0-9a-f]{{{_DIGITS}}})?$", plan)
    return found is not None and plan == _ended(name, found.group())


def _serving_plan(library: Library, name: str, ending: str, specs: Sequence[SampleSpec] = ()) -> str:
    """Return the name of the plan that makes up for samples of another; "" where there is none.

    Its recipe begins with the id of a spec of the other plan that had an image then: such a spec is never dropped.
    """
    planned = {spec.id for spec in specs}
    for candidate in library.plans.names():
        if not _can_serve(candidate, name, ending):
            continue
        serving = library.plans.stored(candidate, head=0, count=0)
        note = _SERVED.search(serving.recipe_yaml) if serving else None
        if planned:
            is_served = note is not None and note["key"] in planned
        else:
            is_served = note is None or _is_key_of(library, name, note["key"])
        if is_served:
            return candidate
    return ""


def _is_key_of(library: Library, name: str, key: str) -> bool:
    """Whether the stored plan of a name has a spec.

    Earlier versions noted the first spec of a plan, whether it had an image or not. One that was dropped is not known
    any more; it belonged to a plan that lacks its first spec.
    """
    if library.plans.contains(name, key):
        return True
    stored = library.plans.stored(name, head=1, count=0)
    return stored is not None and 0 not in stored.head and not library.samples.is_known(key)


def _name_of(library: Library, name: str, ending: str) -> str:
    """Return the name of the plan that makes up for samples of the stored plan of a name, or would do so.

    It is "<name>, novelty" or "<name>, refill"; of later plans of that name, such as those with another seed, it ends
    with eight digits of their first spec with an image, so that each keeps its own. Where none has an image yet, it
    ends with those of the first spec.
    """
    if serving := _serving_plan(library, name, ending):
        return serving
    plain = _ended(name, ending)
    if library.plans.stored(plain, head=0, count=0) is None:
        return plain
    key = library.plans.first_rendered(name) or _first_spec(library, name)
    return _ended(name, f"{ending} {key[:_DIGITS]}") if key else plain


def _first_spec(library: Library, name: str) -> str:
    stored = library.plans.stored(name, head=1, count=0)
    return next((spec.id for spec in stored.head.values()), "") if stored else ""


def refill_of(library: Library, recipe: Recipe) -> Refill:
    """Return what is missing of the plan that a recipe has in a library.

    Raises:
        InvalidRequest: the recipe was not generated yet, nothing is missing, or no photo can make up for it.
    """
    name = refill_name(library, recipe.name)
    names = (recipe.name, replacing_plan(library, recipe.name), name)
    planned, replacing, earlier = (list(library.plans.outcomes(plan)) for plan in names)
    if _unrendered(planned) == len(planned):
        raise InvalidRequest(f"recipe '{recipe.name}' has no images in this library yet; generate it first")
    kept = _kept(*planned, *replacing, *earlier)
    missing = Counter(member.spec.label for member in planned) - Counter(spec.label for spec in kept)
    usable = {photo.label for photo in library.photos.list(split="train", usable=True)}
    without = tuple(sorted(set(missing) - usable))
    missing = Counter({label: number for label, number in missing.items() if label in usable})
    unrendered = _unrendered(earlier)
    if not missing and not unrendered:
        raise InvalidRequest(_nothing_sentence(recipe.name, len(planned), without))
    return Refill(
        recipe=_recipe_of_missing(recipe, name, missing, planned, _seed("refill", recipe.seed, len(earlier))),
        missing=missing,
        without=without,
        kept=kept,
        earlier=tuple(member.spec for member in earlier),
        unrendered=unrendered,
        note=_note_of_served(planned),
    )


def replacements_of(
    recipe: Recipe,
    name: str,
    seed: int,
    planned: Sequence[PlanMember],
    earlier: Sequence[PlanMember],
    budget: Mapping[str, int],
) -> Refill:
    """Return the samples that take the place of those of a plan which differ least, and were rejected for it.

    They go on where the plan ends: what was drawn least comes first, rejected samples counted. Were those left out,
    what adds least would be drawn again and again.

    Args:
        name: of the plan of what takes their place.
        seed: of the plan.
        planned: the samples of the plan.
        earlier: those that were planned in the place of others before.
        budget: class → most replacements in all.
    """
    replaced = Counter(member.spec.label for member in (*planned, *earlier) if member.replaced)
    before = Counter(member.spec.label for member in earlier)
    missing = Counter({label: min(replaced[label], most) for label, most in budget.items()}) - before
    return Refill(
        recipe=_recipe_of_missing(recipe, name, missing, planned, _seed("novelty", seed, len(earlier))),
        missing=missing,
        without=(),
        kept=tuple(member.spec for member in (*planned, *earlier)),
        earlier=tuple(member.spec for member in earlier),
        unrendered=_unrendered(earlier),
        note=_note_of_served(planned),
    )


def _ended(name: str, ending: str) -> str:
    return name[: LONGEST_NAME - len(ending)] + ending


def _note_of_served(planned: Sequence[PlanMember]) -> str:
    """Return the line of a comment that ties samples which make up for others to the plan of those."""
    rendered = next((member for member in planned if member.state not in _UNRENDERED), planned[0])
    return f"# for the plan with {rendered.spec.id}\n"


def _kept(*members: PlanMember) -> tuple[SampleSpec, ...]:
    return tuple(member.spec for member in members if member.state is not SampleState.REJECTED)


def _unrendered(members: Sequence[PlanMember]) -> int:
    return sum(member.state in _UNRENDERED for member in members)


def _recipe_of_missing(
    recipe: Recipe, name: str, missing: Mapping[str, int], planned: Sequence[PlanMember], seed: int
) -> Recipe:
    changes = {
        "name": name,
        "classes": dict(sorted(missing.items())) or None,
        "count": None,
        "seed": seed,
        "size": planned[0].spec.size[0],  # of the images that it makes up for
    }
    return Recipe.model_validate({**recipe.model_dump(mode="json"), **changes})


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


def _seed(purpose: str, seed: int, earlier: int) -> int:
    digest = hashlib.sha256(f"backlot {purpose} {seed} {earlier}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _SEEDS
