"""From a recipe and a library to specs, and what they would cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pipeline.domain.images import fitted
from pipeline.domain.photos import load_photo
from pipeline.domain.plan import PlanSubject, plan
from pipeline.domain.recipe import Recipe, default_recipe, parse_recipe
from pipeline.domain.spec import ControlSource, Method, SampleSpec
from pipeline.errors import InvalidRecipe, UnknownName
from pipeline.library import Library
from pipeline.rendering import model_facts
from pipeline.starter import backdrops as starter_backdrops
from pipeline.studio.prompts import plan_notes
from pipeline.studio.reports import PlanPreview

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_STARTER_BACKDROPS = "starter"  # a recipe's backdrops.folder may name the rendered surfaces
_TIMED_SAMPLES = 40
_EXAMPLES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a person changes about a recipe without editing it; None leaves the recipe's own value."""

    count: int | None = None
    model: str | None = None
    method: str | None = None
    seed: int | None = None


def recipe_of(text: str | None, name: str = "recipe") -> Recipe:
    """The recipe that a text describes; the default recipe for None."""
    return default_recipe() if text is None else parse_recipe(text, name)


def planned(library: Library, recipe: Recipe, overrides: Overrides) -> list[SampleSpec]:
    """All specs of a recipe over the usable training photographs of a library, in plan order.

    Raises:
        NoSubjects: no usable photograph of the wanted classes.
        InvalidRecipe: a method needs pictures that the recipe does not name.
        UnknownName: no such model or method.
    """
    subjects = [
        PlanSubject(
            id=one.id,
            label=one.label,
            cutout_id=one.cutout_id,
            height=one.height,
            width=one.width,
            box=one.box,
        )
        for one in library.subjects(split="train", usable=True)
        if one.cutout_id is not None and one.box is not None
    ]
    method = None if overrides.method is None else _method(overrides.method)
    methods = {method} if method else set(recipe.methods)
    facts = model_facts(overrides.model or recipe.model)
    return plan(
        recipe,
        subjects,
        model=facts,
        backdrop_ids=_backdrop_ids(library, recipe, facts.size) if Method.PASTE in methods else (),
        reference_id=_reference_id(library, recipe) if Method.CONTROLNET in methods else None,
        count=overrides.count,
        method=method,
        seed=overrides.seed,
    )


def preview_plan(library: Library, recipe: Recipe, overrides: Overrides) -> PlanPreview:
    """Counts, examples, warnings and the time that a plan would take; stores no spec."""
    specs = planned(library, recipe, overrides)
    missing = library.missing([spec.id for spec in specs])
    slots: dict[str, Counter[str]] = {}
    for spec in specs:
        for slot, value in spec.slots:
            slots.setdefault(slot, Counter())[value] += 1
    return PlanPreview(
        name=recipe.name,
        total=len(specs),
        new=len(missing),
        classes=dict(sorted(Counter(spec.label for spec in specs).items())),
        methods=dict(sorted(Counter(str(spec.method) for spec in specs).items())),
        slots={slot: dict(sorted(counts.items())) for slot, counts in slots.items()},
        prompts=tuple(dict.fromkeys(spec.prompt for spec in specs))[:_EXAMPLES],
        seconds=_seconds(library, specs, set(missing)),
        warnings=plan_notes(specs),
    )


def _method(name: str) -> Method:
    try:
        return Method(name)
    except ValueError:
        raise UnknownName("method", name, list(Method)) from None


def _seconds(library: Library, specs: list[SampleSpec], missing: set[str]) -> float | None:
    """Seconds that the missing specs take: of each method and model the median of the latest samples.

    None where nothing is missing, or where one of the methods was never used with its model: half of a sum would
    mislead.
    """
    wanted = Counter((spec.method, spec.model) for spec in specs if spec.id in missing)
    each = {way: _seconds_each(library, *way) for way in wanted}
    if not wanted or None in each.values():
        return None
    return sum((each[way] or 0.0) * count for way, count in wanted.items())


def _seconds_each(library: Library, method: Method, model: str) -> float | None:
    rows = library.samples(method=method, model=model, limit=_TIMED_SAMPLES)
    times = [row.timings["total"] for row in rows if "total" in row.timings]
    return median(times) if times else None


def _backdrop_ids(library: Library, recipe: Recipe, size_px: int) -> list[str]:
    folder = recipe.backdrops.folder
    if folder is None:
        raise InvalidRecipe(
            "method 'paste' needs backgrounds; set backdrops.folder to a folder of pictures or to 'starter'"
        )
    side = recipe.size or size_px
    size = (side, side)
    if str(folder) == _STARTER_BACKDROPS:
        return [library.put_picture(picture) for picture in starter_backdrops(size_px=size[0])]
    files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise InvalidRecipe(f"backdrops.folder {folder} holds no pictures; method 'paste' needs some")
    return [library.put_picture(fitted(load_photo(p.read_bytes(), p.name).rgb, size)) for p in files]


def _reference_id(library: Library, recipe: Recipe) -> str | None:
    if recipe.control.source is not ControlSource.REFERENCE:
        return None
    path = recipe.control.reference
    if path is None or not Path(path).is_file():
        raise InvalidRecipe(
            f"control.reference is {path}; with source 'reference' it must name a picture file"
        )
    return library.put_picture(load_photo(Path(path).read_bytes(), Path(path).name).rgb)


def recipe_texts(folder: Path) -> dict[str, str]:
    """The recipes of a folder by file name without ending; the default recipe first."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    default = default_recipe().name
    return {name: texts[name] for name in sorted(texts, key=lambda name: (name != default, name))}
