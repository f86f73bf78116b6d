"""Method `paste`: the object on a real background, no diffusion."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain.images import RGB, fitted
from pipeline.domain.plan import ModelFacts
from pipeline.errors import Cancelled
from pipeline.rendering.checkpoints import NO_MODEL
from pipeline.rendering.composite import composite
from pipeline.rendering.generator import IsCancelled, Job, OnStep


class PasteGenerator:
    """The cheapest honest baseline: the object on a real background picture, no diffusion."""

    @property
    def facts(self) -> ModelFacts:
        """There is no model."""
        return ModelFacts(name=NO_MODEL, revision="", size=0, steps=0, guidance_scale=0.0)

    def generate(
        self, jobs: Sequence[Job], *, on_step: OnStep | None = None, cancelled: IsCancelled | None = None
    ) -> list[RGB]:
        """The objects over their backdrops, cropped and scaled to the canvas."""
        if cancelled and cancelled():
            raise Cancelled
        pictures = []
        for job in jobs:
            assert job.backdrop is not None
            pictures.append(composite(job.layer, fitted(job.backdrop, job.spec.size)))
        if on_step:
            on_step(1, 1)
        return pictures
