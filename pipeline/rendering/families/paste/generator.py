"""Method `paste`: the object on a real background image, without diffusion."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain.images import RGB
from pipeline.domain.plan import ModelFacts
from pipeline.errors import Cancelled
from pipeline.rendering.finishing import finished
from pipeline.rendering.generator import IsCancelled, Job, OnStep


class PasteGenerator:
    """Pastes objects onto background images: the cheapest baseline."""

    def __init__(self, facts: ModelFacts) -> None:
        self._facts = facts

    @property
    def facts(self) -> ModelFacts:
        """The facts that a plan needs; there is no model."""
        return self._facts

    def generate(
        self, jobs: Sequence[Job], *, on_step: OnStep | None = None, cancelled: IsCancelled | None = None
    ) -> list[RGB]:
        """Put each object over its background; see `Generator.generate`."""
        if cancelled and cancelled():
            raise Cancelled
        images = []
        for job in jobs:
            assert job.backdrop is not None
            images.append(finished(job, job.backdrop))
        if on_step:
            on_step(1, 1)
        return images
