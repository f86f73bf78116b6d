"""The protocol of every generator: jobs in, finished images out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.domain.images import RGB, Mask
from pipeline.domain.placement import Layer
from pipeline.domain.plan import ModelFacts
from pipeline.domain.spec import SampleSpec
from pipeline.rendering.light import Light

OnStep = Callable[[int, int], None]  # denoising steps done, steps in all
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One image to generate. Layer, control and backdrop are of `spec.size`.

    `layer` holds all that is kept: the objects and what stands behind them.
    `objects` is the alpha of the objects of the sample's class alone; that of the layer where nothing else is kept.
    `control` is the edge image that method `controlnet` follows.
    `backdrop` is the background picture of method `paste`, or the one that diffusion starts from, with its shadow.
    `light` is that of the front object, for specs that match light.
    """

    spec: SampleSpec
    layer: Layer
    objects: Mask | None = None
    control: RGB | None = None
    backdrop: RGB | None = None
    light: Light | None = None

    def __post_init__(self) -> None:
        assert (self.control is not None) == self.spec.method.facts.needs_control
        assert (self.backdrop is not None) == (self.spec.backdrop_id is not None)
        assert self.light is not None or self.spec.match_light is None
        assert self.layer.rgb.shape[:2] == self.spec.size
        assert self.objects is None or self.objects.shape == self.spec.size
        assert self.backdrop is None or self.backdrop.shape[:2] == self.spec.size


class Generator(Protocol):
    """Generates images that keep the object exactly: where the layer's alpha is 255, its colours are unchanged."""

    @property
    def facts(self) -> ModelFacts:
        """Name, pinned revision and default values of the model."""

    def generate(
        self, jobs: Sequence[Job], *, on_step: OnStep | None = None, cancelled: IsCancelled | None = None
    ) -> list[RGB]:
        """Generate one image per job, in order.

        Args:
            jobs: of one method, size, number of steps, guidance scale, control scale and strength.
            on_step: called after each denoising step.
            cancelled: called after each denoising step; True stops the generation.

        Raises:
            Cancelled: nothing of these jobs was finished.
            ModelUnavailable: a part that this method needs cannot be loaded.
            InvalidRequest: the model cannot draw this size, or the machine has not the memory for it.
        """
