"""What a plan would cost, told before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.domain.spec import Method
from pipeline.library import Library
from pipeline.studio.plans import Overrides, preview_plan, recipe_of
from tests.toy_library import add_subject, render, spec

RECIPE = """
name: two ways
count: 40
method: {inpaint: 3, sdxl: 1}
"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        add_subject(opened, 0)
        yield opened


def rendered(library: Library, method: Method, seconds: float) -> None:
    """One sample of a method that took so many seconds."""
    one = spec(*library.subjects(split="train"), method=method)
    library.add_plan(f"by {method}", "name: toy", [one])
    render(library, one, seconds=seconds)


def test_the_time_of_a_plan_counts_every_method_at_its_own_pace(library: Library) -> None:
    recipe = recipe_of(RECIPE)
    assert preview_plan(library, recipe, Overrides()).seconds is None
    rendered(library, Method.INPAINT, 2.0)
    assert preview_plan(library, recipe, Overrides()).seconds is None, "half of a sum would mislead"
    rendered(library, Method.TEXT_TO_IMAGE, 10.0)
    preview = preview_plan(library, recipe, Overrides())
    assert preview.seconds == 2.0 * preview.methods["inpaint"] + 10.0 * preview.methods["text_to_image"]
    assert preview_plan(library, recipe, Overrides(method="inpaint")).seconds == 2.0 * preview.total
