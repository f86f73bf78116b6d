"""The promise that every way of making surroundings keeps: jobs in, finished pictures out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.domain.images import RGB, fitted
from pipeline.domain.placement import Layer
from pipeline.domain.plan import ModelFacts
from pipeline.domain.spec import Method, SampleSpec
from pipeline.errors import Cancelled
from pipeline.generation.compose import composite

OnStep = Callable[[int, int], None]  # denoising steps done, steps in all
IsCancelled = Callable[[], bool]
NO_MODEL = "none"  # what a spec without diffusion names as its model


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One picture to make. Layer and control are of `spec.size`.

    `control` is the edge picture that method `controlnet` follows.
    `backdrop` is the real background of method `paste`, of any size.
    """

    spec: SampleSpec
    layer: Layer
    control: RGB | None = None
    backdrop: RGB | None = None

    def __post_init__(self) -> None:
        assert (self.control is not None) == (self.spec.method is Method.CONTROLNET)
        assert (self.backdrop is not None) == (self.spec.method is Method.PASTE)
        assert self.layer.rgb.shape[:2] == self.spec.size


class Generator(Protocol):
    """Makes pictures. The object is exact in them: where the layer's alpha is 255, so is its colour."""

    @property
    def facts(self) -> ModelFacts:
        """Name, pinned revision and proposed values of the model."""

    def generate(
        self, jobs: Sequence[Job], *, on_step: OnStep | None = None, cancelled: IsCancelled | None = None
    ) -> list[RGB]:
        """One picture a job, in order.

        Args:
            jobs: of one method, size, number of steps, guidance scale and control scale.
            on_step: called after each denoising step.
            cancelled: asked after each denoising step; True ends the work.

        Raises:
            Cancelled: nothing of these jobs was finished.
            ModelUnavailable: a part that this method needs cannot be loaded.
            InvalidRequest: the model cannot draw this size, or the machine has not the memory for it.
        """


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
