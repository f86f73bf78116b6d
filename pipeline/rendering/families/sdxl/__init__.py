"""Stable Diffusion XL, drawn by the pipelines of diffusers."""

from __future__ import annotations

from pipeline.domain.plan import ModelFacts
from pipeline.rendering.checkpoints import Checkpoint, Part
from pipeline.rendering.downloads import fetched
from pipeline.rendering.families.family import Family
from pipeline.rendering.generator import Generator


def _fetch(model: Checkpoint) -> None:
    if model.hub:
        fetched(model.name, model.hub[Part.INPAINT])


def _load(model: Checkpoint, facts: ModelFacts) -> Generator:
    from pipeline.rendering.families.sdxl.pipelines import load_generator

    return load_generator(model, facts)


SDXL = Family(name="sdxl", title="Stable Diffusion XL", fetch=_fetch, load=_load)
