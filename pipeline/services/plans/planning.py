"""Plan the specs of a recipe over a library, or preview the plan and its cost."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from pipeline.domain.field_profile import resolved
from pipeline.domain.placement import Placement
from pipeline.domain.plan import ModelFacts, PlanInputs, PlanOutline, outline_of, plan_outline, planned_specs
from pipeline.domain.recipe import Recipe, default_recipe, parse_recipe, refuse_too_many
from pipeline.domain.recipe_faults import fault_sentence
from pipeline.domain.recipe_learnt import Learnt
from pipeline.domain.spec import PLAN_VERSION, ControlSource, Method, ObjectSpec, SampleSpec
from pipeline.errors import InvalidRecipe, InvalidRequest, UnknownName
from pipeline.rendering import CHECKPOINTS, NO_MODEL, model_facts
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.backgrounds import (
    background_source,
    learnt_backgrounds,
    refuse_empty,
    store_backgrounds,
)
from pipeline.services.plans.distractors import distractors_note
from pipeline.services.plans.learnt import learnt_notes, same_recipe, taught, with_backgrounds
from pipeline.services.plans.pictures import picture_of
from pipeline.services.plans.prompts import plan_notes
from pipeline.services.plans.refill import Refill, refill_of, replacing_plan
from pipeline.services.plans.sizing import (
    cut_notes,
    enlargement_notes,
    expected_seconds,
    memory_sentence,
    size_sentence,
)
from pipeline.services.reports import PlanPreview
from pipeline.store import Library

_PLACEHOLDER = "preview"  # in a preview, the id of an image that is not stored yet
_SEEDS = 2**63
_EXAMPLES = 6
_FIRST_RECIPES = ("surfaces", "heaps", "site", "guided", "baselines", "street")
_COMPARED = 40  # first samples of a stored plan that tell whether it is the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Values that replace those of a recipe; None leaves the recipe's own value."""

    count: int | None = None
    model: str | None = None
    method: str | None = None
    seed: int | None = None
    refill: bool = False  # what review left missing of the recipe's plan; count and seed follow from that

    def __post_init__(self) -> None:
        if self.count is not None:
            refuse_too_many(self.count)
        if self.seed is not None and not 0 <= self.seed < _SEEDS:
            raise InvalidRequest(f"the seed must lie in 0 to {_SEEDS - 1}; give a smaller one")


@dataclass(frozen=True, slots=True)
class _Ingredients:
    """The inputs of a plan without images, and where the images are."""

    inputs: PlanInputs
    folder: (
        Path | str | None
    )  # of backgrounds, a field profile or a key of `BACKGROUND_SETS`; None where no method needs them
    reference: Path | None  # image for the ControlNet


def recipe_of(text: str | None, name: str = "recipe") -> Recipe:
    """Parse a recipe (YAML text); return the default recipe for None."""
    return default_recipe() if text is None else parse_recipe(text, name)


def overridden(recipe: Recipe, overrides: Overrides) -> Recipe:
    """Return a recipe with a person's changes written into it.

    Raises:
        UnknownName: no such method.
        InvalidRequest: the model's name is too long.
    """
    if overrides.method is not None:
        recipe = recipe.of_method(_method(overrides.method))
    changes = {"count": overrides.count, "model": overrides.model, "seed": overrides.seed}
    given = {key: value for key, value in changes.items() if value is not None}
    try:
        return Recipe.model_validate({**recipe.model_dump(mode="json"), **given})
    except ValidationError as error:
        raise InvalidRequest(fault_sentence(error, Recipe)) from None


@dataclass(frozen=True, slots=True)
class PlannedRecipe:
    """A recipe that is about to be planned, or the samples that refill its plan."""

    recipe: Recipe
    overrides: Overrides
    refill: Refill | None = None

    @classmethod
    def of(cls, library: Library, recipe: Recipe, overrides: Overrides) -> PlannedRecipe:
        """Return what is asked for.

        Raises:
            InvalidRequest: a refill, and nothing is missing.
        """
        if not overrides.refill:
            return cls(recipe, overrides)
        refill = refill_of(library, recipe)
        return cls(refill.recipe, replace(overrides, count=None, seed=None), refill)

    @property
    def total(self) -> int:
        """Return how many specs are planned."""
        if self.refill:
            return len(self.refill.earlier) + sum(self.refill.missing.values())
        return self.recipe.total if self.overrides.count is None else self.overrides.count


def planned(
    library: Library,
    recipe: Recipe,
    overrides: Overrides,
    access: FileAccess,
    *,
    before_each: Callable[[], None] | None = None,
) -> Iterator[SampleSpec]:
    """Plan the specs of a recipe, or of its refill; see `planned_specs_of`."""
    taught_recipe = taught_recipe_of(library, recipe, overrides, access, before_each=before_each)
    wanted = PlannedRecipe.of(library, taught_recipe, overrides)
    return planned_specs_of(library, wanted, access, before_each=before_each)


def taught_recipe_of(
    library: Library,
    recipe: Recipe,
    overrides: Overrides,
    access: FileAccess,
    *,
    before_each: Callable[[], None] | None = None,
    shared: Learnt | None = None,
) -> Recipe:
    """Return a recipe with what it learns from field profiles; store the backgrounds that it takes from one.

    Args:
        shared: see `taught`.

    Raises:
        InvalidRecipe, UnknownName, InvalidRequest: see `taught`, and `planned_specs_of` on models and methods.
    """
    learning = _learning(library, recipe, overrides, access, shared)
    return with_backgrounds(library, learning, _methods(recipe, overrides), before_each)


def _learning(
    library: Library,
    recipe: Recipe,
    overrides: Overrides,
    access: FileAccess,
    shared: Learnt | None = None,
) -> Recipe:
    def side_of(plain: Recipe) -> int:
        model = _model_facts(access.model(overrides.model or plain.model))
        photos = library.photos.list(split="train", usable=True)
        begun = _begun_size(library, recipe, model.name)
        method = None if overrides.method is None else _method(overrides.method)
        return PlanInputs(plain, photos, model=model, method=method, begun_size=begun).size

    return taught(library, recipe, _methods(recipe, overrides), side_of, shared)


def _methods(recipe: Recipe, overrides: Overrides) -> set[Method]:
    return set(recipe.methods) if overrides.method is None else {_method(overrides.method)}


def planned_specs_of(
    library: Library,
    wanted: PlannedRecipe,
    access: FileAccess,
    *,
    before_each: Callable[[], None] | None = None,
) -> Iterator[SampleSpec]:
    """Plan specs over the usable training photos of a library; store the images that they name.

    The specs are decided while they are read, so that none has to be kept. A plan that was begun by an earlier version
    goes on as it began.

    Args:
        access: the paths that the recipe may name.
        before_each: called after each background is stored and before each spec is planned; an exception that it
            raises ends the planning.

    Raises:
        NoUsablePhotos: no usable photo of the recipe's classes.
        InvalidRecipe: a method needs images that the recipe does not name, or one of them cannot be read.
        InvalidRequest: a path may not be read here, or the model does not offer the method.
        UnknownName: no such model or method.
    """
    if wanted.refill and not wanted.refill.missing:
        return iter(wanted.refill.earlier)
    ingredients = _ingredients(library, wanted, access)
    side = ingredients.inputs.size
    backgrounds = learnt_backgrounds(wanted.recipe)
    if backgrounds is None:
        backgrounds = store_backgrounds(library, ingredients.folder, side, access, before_each)
    inputs = replace(
        ingredients.inputs,
        backdrop_ids=tuple(backgrounds),
        grounds={background: ground for background, ground in backgrounds.items() if ground},
        reference_id=library.images.put(picture_of(ingredients.reference)) if ingredients.reference else None,
    )
    inputs = replace(inputs, version=_version(library, wanted.recipe, inputs))
    earlier = wanted.refill.earlier if wanted.refill else ()
    return chain(earlier, planned_specs(inputs, before_each=before_each))


def preview_plan(
    library: Library, recipe: Recipe, overrides: Overrides, access: FileAccess, *, batch_size: int = 4
) -> PlanPreview:
    """Return counts, examples, warnings and the time of a plan, in bounded time for any count; store nothing.

    Raises:
        StudioError: as `planned`; images must exist, but are not opened.
    """
    wanted = PlannedRecipe.of(library, _learning(library, recipe, overrides, access), overrides)
    ingredients = _ingredients(library, wanted, access)
    if isinstance(ingredients.folder, Path):
        refuse_empty(ingredients.folder, access)
    inputs = replace(
        ingredients.inputs,
        backdrop_ids=(_PLACEHOLDER,) if ingredients.folder else (),
        reference_id=_PLACEHOLDER if ingredients.reference else None,
    )
    inputs = replace(inputs, version=_version(library, wanted.recipe, inputs))
    begun = wanted.refill and not wanted.refill.missing and wanted.refill.earlier
    outline = outline_of(begun) if begun else plan_outline(inputs)
    return _preview(library, wanted, ingredients, inputs, outline, batch_size)


def _preview(
    library: Library,
    wanted: PlannedRecipe,
    ingredients: _Ingredients,
    inputs: PlanInputs,
    outline: PlanOutline,
    batch_size: int,
) -> PlanPreview:
    model = inputs.model.name
    if wanted.refill is None:
        new = outline.total - _rendered(library, wanted.recipe, outline)
    else:
        new = sum(wanted.refill.missing.values()) + wanted.refill.unrendered
    total = max(new, outline.total)
    return PlanPreview(
        id=_plan_id(wanted, ingredients),
        name=wanted.recipe.name,
        total=total,
        new=new,
        classes=dict(sorted(outline.classes.items())),
        methods=dict(sorted((str(method), number) for method, number in outline.methods.items())),
        slots={slot: dict(sorted(counts.items())) for slot, counts in outline.slots.items()},
        prompts=outline.prompts[:_EXAMPLES],
        seconds=expected_seconds(library, outline, model, inputs.size, new),
        size=inputs.size,
        size_sentence=size_sentence(inputs, refills=wanted.refill is not None),
        memory_sentence=memory_sentence(model, inputs.size, batch_size),
        warnings=_warnings(library, wanted, inputs, outline),
        distractors_note=distractors_note(
            wanted.recipe.distractors, outline.methods, len({photo.label for photo in inputs.photos})
        ),
        exact=outline.exact,
        further=_further(library, wanted, outline),
    )


def _warnings(
    library: Library, wanted: PlannedRecipe, inputs: PlanInputs, outline: PlanOutline
) -> tuple[str, ...]:
    return (
        *library_notes(library, wanted.recipe, wanted.refill),
        *version_notes(wanted.recipe, inputs.version),
        *learnt_notes(library, wanted.recipe),
        *enlargement_notes(inputs.drawn_objects, inputs.size),
        *cut_notes(inputs.drawn_objects),
        *plan_notes(outline.prompts, inputs.model.name),
    )


def _further(library: Library, wanted: PlannedRecipe, outline: PlanOutline) -> int:
    """Return how many images the budget of a recipe leaves for replacing those that differ least."""
    novelty = wanted.recipe.novelty
    if novelty is None or wanted.refill:
        return 0
    budget = sum(novelty.of(count) for count in outline.classes.values())
    name = wanted.recipe.name
    stored = library.plans.stored(name, head=1, count=0)
    is_stored = stored is not None and _begins_with(outline, stored.head)
    replacing = replacing_plan(library, name, () if is_stored else outline.head)
    return max(0, budget - library.plans.rendered_count(replacing))


def library_notes(library: Library, recipe: Recipe, refill: Refill | None = None) -> list[str]:
    """Name the classes of which a plan, or a refill, draws nothing, since they have no usable training photo."""
    usable = {photo.label for photo in library.photos.list(split="train", usable=True)}
    wanted = library.counts().classes if recipe.classes is None else recipe.classes
    without = sorted(set(wanted) - usable) if refill is None else refill.without
    if not without:
        return []
    named = " and ".join(f"'{label}'" for label in without)
    return [
        f"no images of {named}: there is no usable training photo; check the masks on the Photos page, or import photos"
    ]


def version_notes(recipe: Recipe, version: int) -> list[str]:
    """Say that a plan goes on as an earlier version began it."""
    if version == PLAN_VERSION:
        return []
    return [
        f"'{recipe.name}' was begun by an earlier version and goes on as it began: backgrounds are not in balance "
        "within each class; to have that, change its seed or its name"
    ]


def _version(library: Library, recipe: Recipe, inputs: PlanInputs) -> int:
    """Return the version of a plan's rule: that of the stored plan which it continues, or else the present one."""
    stored = library.plans.stored(recipe.name, head=_COMPARED, count=0)
    if stored is None or not stored.head or not same_recipe(stored.recipe_yaml, recipe):
        return PLAN_VERSION
    version = next(iter(stored.head.values())).plan_version
    if version == PLAN_VERSION:
        return version
    count = min(inputs.total, max(stored.head) + 1)
    begun = plan_outline(replace(inputs, version=version, count=count)).head
    pairs = _at_the_same_places(stored.head, begun)
    return version if all(_goes_on(earlier, spec) for earlier, spec in pairs) else PLAN_VERSION


def _begun_size(library: Library, recipe: Recipe, model: str) -> int | None:
    """Return the size of the stored images of a plan that goes on; None where there are none."""
    stored = library.plans.stored(recipe.name, head=1, count=0)
    if stored is None or not stored.head or not same_recipe(stored.recipe_yaml, recipe):
        return None
    first = next(iter(stored.head.values()))
    return first.size[0] if first.model in (model, NO_MODEL) else None


def _ingredients(library: Library, wanted: PlannedRecipe, access: FileAccess) -> _Ingredients:
    recipe, overrides = resolved(wanted.recipe), wanted.overrides
    method = None if overrides.method is None else _method(overrides.method)
    methods = {method} if method else set(recipe.methods)
    model = _model_facts(access.model(overrides.model or recipe.model))
    return _Ingredients(
        PlanInputs(
            recipe,
            library.photos.list(split="train", usable=True),
            model=model,
            count=overrides.count,
            method=method,
            seed=overrides.seed,
            kept=wanted.refill.kept if wanted.refill else (),
            begun_size=_begun_size(library, wanted.recipe, model.name),
        ),
        folder=background_source(library, wanted.recipe, access)
        if recipe.needs_backgrounds(methods)
        else None,
        reference=_reference(recipe, access) if any(each.facts.needs_control for each in methods) else None,
    )


def _plan_id(wanted: PlannedRecipe, ingredients: _Ingredients) -> str:
    """Hash what decides a plan; the files of a folder of backgrounds are not read."""
    inputs = ingredients.inputs
    kept = [spec.id for spec in inputs.kept]
    decisive = (
        wanted.recipe.model_dump_json(), wanted.overrides, inputs.model, inputs.photos, kept, inputs.size,
    )  # fmt: skip
    return hashlib.sha256(repr(decisive).encode()).hexdigest()


def _model_facts(name: str) -> ModelFacts:
    if name == NO_MODEL:  # what samples of methods without a model carry; it has no native size
        raise UnknownName("model", name, CHECKPOINTS)
    return model_facts(name)


def _method(name: str) -> Method:
    try:
        return Method(name)
    except ValueError:
        raise UnknownName("method", name, list(Method)) from None


def _rendered(library: Library, recipe: Recipe, outline: PlanOutline) -> int:
    """Count the samples of a plan that have an image already.

    If the recipe was run before, the stored plan, which begins with the same samples, holds the count; backgrounds and
    references are assumed to be those of that run. Otherwise the first samples are looked up by their ids.
    """
    stored = library.plans.stored(recipe.name, head=len(outline.head), count=outline.total)
    begun = stored and stored.head and same_recipe(stored.recipe_yaml, recipe)
    if stored and begun and _begins_with(outline, stored.head):
        return stored.rendered
    return len(outline.head) - len(library.plans.missing([spec.id for spec in outline.head]))


def _begins_with(outline: PlanOutline, stored: Mapping[int, SampleSpec]) -> bool:
    """Whether a plan begins with the specs of a stored one."""
    pairs = _at_the_same_places(stored, outline.head)
    return all(earlier.id == spec.id or _bare(earlier) == _bare(spec) for earlier, spec in pairs)


def _at_the_same_places(
    stored: Mapping[int, SampleSpec], specs: Sequence[SampleSpec]
) -> list[tuple[SampleSpec, SampleSpec]]:
    """Pair the specs of a stored plan with those of a plan of now; what was dropped of the stored one is left out."""
    return [(stored[place], spec) for place, spec in enumerate(specs) if place in stored]


def _bare(spec: SampleSpec) -> SampleSpec:
    """Return a spec without the ids of the images that a preview does not open."""
    background = _PLACEHOLDER if spec.backdrop_id else None
    control = spec.control
    if control and control.reference_id:
        control = replace(control, reference_id=_PLACEHOLDER)
    return replace(  # the light may be the background's, and so may be the ground that distractors stand on
        spec,
        backdrop_id=background,
        control=control,
        shadow=None,
        distractors=() if spec.backdrop_id else spec.distractors,
    )


def _goes_on(earlier: SampleSpec, spec: SampleSpec) -> bool:
    """Whether a stored spec and one that is planned now are of the same plan, though masks were edited in between."""
    if _cutouts(earlier) == _cutouts(spec):
        return _bare(earlier) == _bare(spec)
    return _without_poses(earlier) == _without_poses(spec)


def _cutouts(spec: SampleSpec) -> list[tuple[str, str]]:
    return sorted((placed.photo_id, placed.cutout_id) for placed in spec.objects)


def _without_poses(spec: SampleSpec) -> SampleSpec:
    """Return a bare spec without what depends on the masks: cut-outs, poses, and the seed that is drawn after them."""
    photo_ids = sorted(placed.photo_id for placed in spec.objects)
    objects = [ObjectSpec(photo_id=each, cutout_id=_PLACEHOLDER, placement=Placement()) for each in photo_ids]
    return replace(_bare(spec), objects=tuple(objects), seed=0, distractors=())


def _reference(recipe: Recipe, access: FileAccess) -> Path | None:
    if recipe.control.source is not ControlSource.REFERENCE:
        return None
    key, text = "control.reference", recipe.control.reference
    path = access.path(text, key, "source 'object' or 'scene'") if text else None
    if path is None or not os.path.isfile(path):
        raise InvalidRecipe(f"{key} is {text}; with source 'reference' it must name an image file")
    return path


def recipe_texts(folder: Path) -> dict[str, str]:
    """Read the recipes of a folder, by file name without extension.

    Those that the embedded model draws best come first; baselines, recipes for other models and unknown ones last.
    """
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    return {name: texts[name] for name in sorted(texts, key=_place_in_list)}


def _place_in_list(name: str) -> int:
    return _FIRST_RECIPES.index(name) if name in _FIRST_RECIPES else len(_FIRST_RECIPES)
