"""The size of a plan's images is told with its reason, and objects that are enlarged with it."""

from __future__ import annotations

import pytest

from pipeline.domain.image_size import DrawnObjects
from pipeline.domain.plan import ModelFacts, PlanInputs, plan
from pipeline.domain.recipe import parse_recipe
from pipeline.services.plans.sizing import enlargement_notes, memory_sentence, size_sentence
from tests.toy_photos import usable_photo

NANO = ModelFacts(name="nano", revision="abc", size=128, steps=10, guidance_scale=2.5)
SDXL = ModelFacts(name="sdxl", revision="abc", size=1024, steps=30, guidance_scale=6.0)


def inputs(recipe: str, side: int, model: ModelFacts = NANO, *, begun_size: int | None = None) -> PlanInputs:
    photos = [usable_photo(id=f"p{number}", label="bolt", box=(0, 0, side, side // 2)) for number in range(4)]
    return PlanInputs(parse_recipe(recipe), photos, model=model, begun_size=begun_size)


@pytest.mark.parametrize(
    ("given", "size", "sentence"),
    [
        (inputs("name: a", 100), 128, "128 x 128 px, the size of nano"),
        (inputs("size: 192", 900), 192, "192 x 192 px, as the recipe says"),
        (inputs("size: null", 900), 128, "128 x 128 px, the size of nano"),
        (
            inputs("size: auto", 400),
            256,
            "256 x 256 px, since the photos have at least four times the pixels that 128 would show "
            "(4 times the work of 128)",
        ),
        (
            inputs("size: auto", 400, SDXL),
            576,
            "576 x 576 px instead of 1024, so that objects are not enlarged (0.32 times the work of 1024)",
        ),
        (
            inputs("size: auto", 100, begun_size=256),
            256,
            "256 x 256 px, as the plan was begun (4 times the work of 128)",
        ),
    ],
)
def test_the_size_is_told_with_its_reason(given: PlanInputs, size: int, sentence: str) -> None:
    assert {spec.size for spec in plan(given)} == {(size, size)}
    assert size_sentence(given) == sentence


def test_the_largest_scale_of_all_arrangements_counts() -> None:
    mixed = (
        "placement: [{name: single, scale: [0.3, 0.5]}, {name: close, scale: [0.5, 1.4], min_visible: 0.3}]"
    )
    assert inputs(mixed, 100).drawn_objects.scale == 1.4


def test_objects_that_are_enlarged_are_told_and_a_little_more_is_not() -> None:
    objects = DrawnObjects([92, 92, 60, 48], scale=0.75)  # drawn with 96 px at most
    assert enlargement_notes(objects, 128) == [
        "2 objects have fewer pixels than images of 128 px may show of them, of 4: up to 2.0 times enlarged, which "
        "looks blurred; use larger photos, or lower the placement's scale or the size"
    ]
    assert enlargement_notes(objects, 64) == []


def test_memory_grows_with_the_pixels_and_is_told_where_it_was_measured() -> None:
    assert memory_sentence("nano", 512, 4) == "about 1.6 GB of memory in batches of 4"
    assert memory_sentence("nano", 128, 1) == "about 1.0 GB of memory in batches of 1"
    assert memory_sentence("sdxl", 1024, 4) == ""
