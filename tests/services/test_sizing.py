"""The size of a plan's images is told with its reason, and objects that are enlarged with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.image_size import DrawnObjects
from pipeline.domain.methods import Method
from pipeline.domain.plan import ModelFacts, PlanInputs, plan
from pipeline.domain.recipe import parse_recipe
from pipeline.domain.recipe_learnt import FieldPlacement, Learnt
from pipeline.services.plans.sizing import (
    cut_notes,
    enlargement_notes,
    memory_sentence,
    size_notes,
    size_sentence,
)
from pipeline.store import Library
from tests.toy_library import add_subject
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


def test_a_refill_has_the_size_of_its_plan() -> None:
    assert size_sentence(inputs("size: 128", 100), refills=True) == "128 x 128 px, as the plan was begun"


def test_the_largest_scale_of_all_arrangements_counts() -> None:
    mixed = (
        "placement: [{name: single, scale: [0.3, 0.5]}, {name: close, scale: [0.5, 1.4], min_visible: 0.3}]"
    )
    assert inputs(mixed, 100).drawn_objects.scale == 1.4


def test_only_objects_that_are_drawn_count() -> None:
    photos = [
        usable_photo(id=label, label=label, box=(0, 0, side, side))
        for label, side in (("bolt", 400), ("nut", 20))
    ]
    both, bolts = parse_recipe("name: a"), parse_recipe("classes: {bolt: 2}")
    assert PlanInputs(both, photos, model=NANO).size == 128
    assert PlanInputs(bolts, photos, model=NANO).size == 256
    assert PlanInputs(bolts, photos, model=NANO, method=Method.TEXT_TO_IMAGE).size == 128
    assert (
        PlanInputs(parse_recipe("method: text_to_image"), photos, model=NANO).drawn_objects.longest_px == []
    )


def test_a_run_tells_of_enlarged_objects_with_the_scale_that_was_learnt(tmp_path: Path) -> None:
    learnt = Learnt(
        size=64, profiles={"field": "1"}, placement={"field": FieldPlacement(objects=(1, 1), scale=(2, 4))}
    )
    recipe = parse_recipe("placement: {like: field}").model_copy(update={"learnt": learnt})
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
        assert size_notes(library, recipe, "text_to_image", 64) == []
        (note,) = size_notes(library, recipe, None, 64)
    assert note.startswith(
        "1 object has fewer pixels than images of 64 px may show of them, of 1: up to 16.0 times"
    )


def test_objects_that_are_enlarged_are_told_and_a_little_more_is_not() -> None:
    objects = DrawnObjects([92, 92, 60, 48], scale=0.75)  # drawn with 96 px at most
    assert enlargement_notes(objects, 128) == [
        "2 objects have fewer pixels than images of 128 px may show of them, of 4: up to 2.0 times enlarged, which "
        "looks blurred; use larger photos, or lower the placement's scale or the size"
    ]
    assert enlargement_notes(objects, 64) == []
    assert enlargement_notes(DrawnObjects([100] * 99 + [80], scale=0.75), 128) == []
    assert enlargement_notes(DrawnObjects([100] * 99 + [40], scale=0.75), 128) != []


def test_memory_grows_with_the_pixels_and_is_told_where_it_was_measured() -> None:
    assert memory_sentence("nano", 512, 4) == "about 1.6 GB of memory in batches of 4"
    assert memory_sentence("nano", 128, 1) == "about 1.0 GB of memory in batches of 1"
    assert memory_sentence("sdxl", 1024, 4) == ""


def test_objects_that_their_photo_cuts_are_told_where_they_are_not_few() -> None:
    assert cut_notes(DrawnObjects([100] * 24, scale=0.75, cut=9)) == [
        "9 of 24 objects reach one border of their photo; those that it cuts end in a straight line in the middle of "
        "an image; use photos that show objects as a whole"
    ]
    assert cut_notes(DrawnObjects([100] * 20, scale=0.75, cut=2)) == []
    assert cut_notes(DrawnObjects([], scale=0.75)) == []
