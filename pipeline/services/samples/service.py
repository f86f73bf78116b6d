"""Render samples: one object in variants, or a whole plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.domain.images import RGB
from pipeline.domain.placement import Placement, place
from pipeline.domain.recipe import CREATE_PLAN
from pipeline.domain.spec import SampleSpec
from pipeline.errors import StudioError
from pipeline.rendering.composite import composite
from pipeline.rendering.runner import RenderedSample
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, recipe_of
from pipeline.services.reports import Progress, RunReport, Variant
from pipeline.services.samples.background_run import BackgroundRun
from pipeline.services.samples.create import CreateRequest, checkerboard, variant_specs
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.services.samples.recording import record_single
from pipeline.services.samples.rounds import RoundRun, rounds_of
from pipeline.services.samples.runs import (
    cutout_id_of,
    cutout_of,
    render,
    render_plan,
)
from pipeline.services.samples.variety import SampleVariety
from pipeline.store import Library

_AS_WRITTEN = Overrides()


@dataclass(slots=True)
class SampleService:
    """Rendering in the foreground; `runs` renders a plan in the background."""

    library: Library
    access: FileAccess
    batch_size: int
    runs: BackgroundRun = field(init=False)
    embeddings: SampleEmbeddings = field(init=False)
    variety: SampleVariety = field(init=False)

    def __post_init__(self) -> None:
        self.embeddings = SampleEmbeddings(self.library)
        self.variety = SampleVariety(self.library, self.embeddings)
        self.runs = BackgroundRun(self.library, self.access, self.batch_size)

    def placed_preview(
        self, photo_id: str, placement: Placement, size: int, *, background: RGB | None = None
    ) -> RGB:
        """Return the placed object on a background, by default a checkerboard; (size, size, 3) uint8. Uses no model."""
        cutout = cutout_of(self.library, cutout_id_of(self.library.photos.get(photo_id)))
        layer = place([cutout], [placement], (size, size)).layer
        return composite(layer, checkerboard((size, size)) if background is None else background)

    def create(
        self,
        request: CreateRequest,
        *,
        on_step: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Variant]:
        """Render the variants of a request; nothing is stored until `keep`.

        Raises:
            StudioError: a variant could not be rendered.
        """
        self.access.model(request.model)
        variants: dict[str, Variant] = {}

        def collect(spec: SampleSpec, sample: RenderedSample) -> None:
            before = composite(sample.layer, checkerboard(spec.size))
            variants[spec.id] = Variant(spec=spec, sample=sample, before=before)

        def refuse(_spec: SampleSpec, sentence: str) -> None:
            raise StudioError(sentence)

        specs = variant_specs(self.library, request)
        render(
            self.library,
            specs,
            self.access,
            self.batch_size,
            collect,
            refuse,
            on_step=on_step,
            cancelled=cancelled,
        )
        return [variants[spec.id] for spec in specs]

    def keep(self, variant: Variant) -> str:
        """Store a variant in the library, pending review; return its sample id. Storing it twice changes nothing."""
        record_single(self.library, CREATE_PLAN, variant.spec, variant.sample)
        return variant.spec.id

    def generate(
        self,
        recipe: str | None,
        overrides: Overrides = _AS_WRITTEN,
        *,
        rounds: int = 1,
        on_warnings: Callable[[Sequence[str]], None] | None = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunReport:
        """Plan a recipe (YAML text; None for the default) and render, in the foreground, the specs without an image.

        Args:
            rounds: with 2 or more, the samples are drawn in so many rounds, and each draws more of the classes that are
                uncertain after the one before.

        Raises:
            StudioError: see `render_plan` and `RoundRun`.
        """
        if rounds > 1:
            return RoundRun(
                self.library,
                rounds_of(recipe_of(recipe), overrides, rounds),
                self.access,
                self.batch_size,
                on_warnings=on_warnings,
                on_progress=on_progress,
                cancelled=cancelled,
            ).render()
        return render_plan(
            self.library,
            recipe_of(recipe),
            overrides,
            self.access,
            batch_size=self.batch_size,
            on_warnings=on_warnings,
            on_progress=on_progress,
            cancelled=cancelled,
        )
