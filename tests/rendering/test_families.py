"""A generator family is one folder and one entry of the table: a toy family is planned, loaded and rendered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pipeline.domain.images import RGB
from pipeline.domain.methods import Method
from pipeline.domain.placement import Cutout
from pipeline.domain.plan import ModelFacts, PlanInputs, plan
from pipeline.domain.recipe import parse_recipe
from pipeline.rendering import NO_MODEL, Job, load, model_choices, model_facts, tokens_over
from pipeline.rendering.checkpoints import CHECKPOINTS, Checkpoint
from pipeline.rendering.composite import composite
from pipeline.rendering.families import FAMILIES
from pipeline.rendering.families.family import Family
from pipeline.rendering.runner import RenderedSample, render_specs
from tests.rendering.jobs import noise, soft_square
from tests.toy_photos import usable_photo

TEAL = (0, 128, 128)
CUTOUT = Cutout(rgb=noise(11, (80, 80)), alpha=soft_square((80, 80)))
RECIPE = parse_recipe("{name: flat, count: 3, model: flat, backdrops: {template: teal}}")


class FlatGenerator:
    """Paints every background in one colour."""

    def __init__(self, facts: ModelFacts) -> None:
        self.facts = facts

    def generate(self, jobs: Sequence[Job], *, on_step: Any = None, cancelled: Any = None) -> list[RGB]:
        return [composite(job.layer, np.full_like(job.layer.rgb, TEAL)) for job in jobs]


@pytest.fixture(autouse=True)
def _flat_family(monkeypatch: pytest.MonkeyPatch) -> None:
    family = Family(
        name="flat",
        title="one colour",
        parts={Method.INPAINT: ()},
        load=lambda _model, facts: FlatGenerator(facts),
    )
    checkpoint = Checkpoint(name="flat", title="flat", family="flat", half=False, size=64, steps=1)
    monkeypatch.setitem(FAMILIES, family.name, family)
    monkeypatch.setitem(CHECKPOINTS, checkpoint.name, checkpoint)
    monkeypatch.setattr("pipeline.rendering.loading._loaded", {})


def test_a_new_family_is_offered_planned_and_rendered() -> None:
    choice = next(choice for choice in model_choices() if choice.name == "flat")
    assert (choice.available, choice.size, choice.steps) == (True, 64, 1)
    assert tokens_over("teal", "flat").tokens == 0
    specs = plan(PlanInputs(RECIPE, [usable_photo(id="a", label="bolt")], model=model_facts("flat")))
    samples: list[RenderedSample] = []
    render_specs(
        specs,
        load_cutout=lambda _id: CUTOUT,
        load_scene=lambda _id: CUTOUT.rgb,
        load_image=lambda _id: noise(1),
        generator_for=load,
        batch_size=2,
        on_sample=lambda _spec, sample: samples.append(sample),
        on_failure=lambda _spec, sentence: pytest.fail(sentence),
    )
    assert len(samples) == 3
    for sample in samples:
        assert sample.facts.exact
        assert (sample.image[sample.layer.alpha == 0] == TEAL).all()


def test_a_method_without_a_model_leaves_the_model_in_memory() -> None:
    flat = load("flat")
    assert load(NO_MODEL).facts == model_facts(NO_MODEL)
    assert load("flat") is flat


def test_a_method_without_a_model_is_not_offered_as_one() -> None:
    assert NO_MODEL not in {choice.name for choice in model_choices()}
