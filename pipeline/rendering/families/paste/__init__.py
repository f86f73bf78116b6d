"""Pasting onto real background images, without a model."""

from __future__ import annotations

from pipeline.domain.methods import Method
from pipeline.domain.plan import ModelFacts
from pipeline.rendering.checkpoints import Checkpoint
from pipeline.rendering.families.family import Family
from pipeline.rendering.families.paste.generator import PasteGenerator
from pipeline.rendering.generator import Generator


def _load(_model: Checkpoint, facts: ModelFacts) -> Generator:
    return PasteGenerator(facts)


PASTE = Family(name="paste", title="pasting", parts={Method.PASTE: ()}, load=_load)
