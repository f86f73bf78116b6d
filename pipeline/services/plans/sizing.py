"""The size of a plan's images for people: why it is that, which objects are enlarged, the time that is expected."""

from __future__ import annotations

import math
from statistics import median

from pipeline.domain.field_profile import resolved
from pipeline.domain.image_size import DrawnObjects
from pipeline.domain.methods import Method
from pipeline.domain.plan import PlanInputs, PlanOutline, objects_drawn
from pipeline.domain.recipe import AUTO, Recipe
from pipeline.rendering import NO_MODEL
from pipeline.store import Library, SampleFilter

_NANO = "nano"
_TIMED_SAMPLES = 40
_FEW_CUT = 0.1  # share of the objects
_FEW, _MUCH = 0.02, 1.5  # share of the objects, times enlarged: less than both is not worth a note
_NANO_GB, _NANO_GB_PER_MEGAPIXEL = (
    0.95,
    0.65,
)  # of a process that renders with nano on a CPU, measured at 128 to 512 px


def size_sentence(inputs: PlanInputs, *, refills: bool = False) -> str:
    """Say how large images are and why, e.g. "256 x 256 px, since the objects have many more pixels than 128 shows".

    Args:
        refills: the plan makes up for samples of another one, and so has its size.
    """
    size, own = inputs.size, inputs.model.size
    shown = f"{size} x {size} px"
    if refills:
        return f"{shown}, as the plan was begun"
    if inputs.recipe.size not in (AUTO, None):
        return f"{shown}, as the recipe says"
    if size == own:
        return f"{shown}, the size of {inputs.model.name}"
    work = f"{(size / own) ** 2:.2g} times the work of {own}"
    if inputs.recipe.size == AUTO and inputs.begun_size == size:
        return f"{shown}, as the plan was begun ({work})"
    if size > own:
        return f"{shown}, since the photos have at least four times the pixels that {own} would show ({work})"
    return f"{shown} instead of {own}, so that objects are not enlarged ({work})"


def memory_sentence(model: str, size: int, batch_size: int) -> str:
    """Say how much memory a run takes; "" for models that were not measured."""
    if model != _NANO:
        return ""
    gigabytes = _NANO_GB + _NANO_GB_PER_MEGAPIXEL * batch_size * size**2 / 1e6
    return f"about {gigabytes:.1f} GB of memory in batches of {batch_size}"


def enlargement_notes(objects: DrawnObjects, size: int) -> list[str]:
    """Say how many objects are drawn larger than their photos show them; nothing where it is few of them by little."""
    enlarged = objects.enlargements(size)
    if len(enlarged) <= _FEW * len(objects.longest_px) and max(enlarged, default=0.0) < _MUCH:
        return []
    number, total = len(enlarged), len(objects.longest_px)
    whose = "1 object has" if number == 1 else f"{number} objects have"
    return [
        f"{whose} fewer pixels than images of {size} px may show of them, of {total}: up to {max(enlarged):.1f} times "
        "enlarged, which looks blurred; use larger photos, or lower the placement's scale or the size"
    ]


def cut_notes(objects: DrawnObjects) -> list[str]:
    """Say how many objects are cut by the border of their photo; nothing where it is few of them."""
    number, total = objects.cut, len(objects.longest_px)
    if number <= _FEW_CUT * total:
        return []
    return [
        f"{number} of {total} objects reach one border of their photo; those that it cuts end in a straight line in "
        "the middle of an image; use photos that show objects as a whole"
    ]


def size_notes(library: Library, recipe: Recipe, method: str | None, size: int) -> list[str]:
    """Say how many objects are enlarged in images of a size, and how many are cut.

    Args:
        recipe: with what it learnt.
        method: the only one of the plan; None for those of the recipe.
    """
    methods = recipe.methods if method is None else (Method(method),)
    photos = library.photos.list(split="train", usable=True)
    objects = objects_drawn(resolved(recipe), photos, methods)
    return [*enlargement_notes(objects, size), *cut_notes(objects)]


def expected_seconds(library: Library, outline: PlanOutline, model: str, size: int, new: int) -> float | None:
    """Estimate the seconds that the new samples take, from the median time of the latest samples of each method.

    None if nothing is new, or if one of the methods was never used with its model, since a partial sum would
    mislead.
    """
    each = {method: _seconds_each(library, method, model, size) for method in outline.methods}
    if not new or None in each.values():
        return None
    whole = sum((each[method] or 0.0) * number for method, number in outline.methods.items())
    return whole * new / outline.total


def _seconds_each(library: Library, method: Method, model: str, size: int) -> float | None:
    """Return the median time of the latest samples; that of samples of other sizes grows with their pixels."""
    name = model if method.facts.needs_prompt else NO_MODEL
    rows = library.samples.list(SampleFilter(method=method, model=name), limit=_TIMED_SAMPLES)
    rows = [row for row in rows if "total" in row.timings]
    alike = [row.timings["total"] for row in rows if row.spec.size == (size, size)]
    scaled = (row.timings["total"] * size**2 / math.prod(row.spec.size) for row in rows)
    times = alike or list(scaled)
    return median(times) if times else None
