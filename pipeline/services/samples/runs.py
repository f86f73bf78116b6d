"""Render a plan and store its samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.domain.photos import Photo
from pipeline.domain.placement import Cutout
from pipeline.domain.recipe import Recipe
from pipeline.domain.recipe_learnt import Learnt
from pipeline.domain.spec import PLAN_VERSION, SampleSpec
from pipeline.errors import Cancelled, NoUsablePhotos
from pipeline.rendering import NO_MODEL, Generator, load
from pipeline.rendering.runner import RenderedSample, render_specs
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.learnt import learnt_notes
from pipeline.services.plans.planning import (
    Overrides,
    PlannedRecipe,
    library_notes,
    planned_specs_of,
    taught_recipe_of,
    version_notes,
)
from pipeline.services.plans.prompts import plan_notes
from pipeline.services.plans.sizing import size_notes
from pipeline.services.reports import Progress, RunReport
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.services.samples.input_images import InputImages
from pipeline.services.samples.novelty import Replacing
from pipeline.services.samples.plan_parts import PlanParts
from pipeline.services.samples.recording import Recording
from pipeline.services.samples.run_requests import RunRequest
from pipeline.store import Library

_NOTED_PROMPTS = 10_000  # more than enough to see every slot value


def cutout_of(library: Library, cutout_id: str) -> Cutout:
    """Read a stored cut-out."""
    return InputImages(library).cutout(cutout_id)


def cutout_id_of(photo: Photo) -> str:
    """Return the id of a photo's cut-out.

    Raises:
        NoUsablePhotos: the mask is empty.
    """
    if photo.cutout_id is None or photo.box is None:
        raise NoUsablePhotos(
            f"photo '{photo.name}' has no object in its mask; edit the mask on the Photos page"
        )
    return photo.cutout_id


def render_plan(
    library: Library,
    recipe: Recipe,
    overrides: Overrides,
    access: FileAccess,
    *,
    batch_size: int,
    note: str = "",
    shared: Learnt | None = None,
    on_warnings: Callable[[Sequence[str]], None] | None = None,
    on_progress: Progress | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_sample: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> RunReport:
    """Plan once, and render the specs that have no image yet, or whose image file is missing or damaged.

    The first samples are rendered before the later ones are planned. After an interruption the same call continues.

    Args:
        access: the paths that the recipe may name.
        note: lines of a comment that are stored with the recipe.
        shared: what plans have learnt with which this one belongs together, e.g. the first of several rounds.
        on_warnings: called with notes on the prompts before the first sample is rendered.

    Raises:
        LibraryBusy: another process is importing or rendering.
        Cancelled: the run was stopped; finished samples are kept.
    """
    started = time.monotonic()
    with library.work_lock("generate"), Recording(library, on_progress, on_sample) as recording:
        stop = _raise_when(cancelled)
        taught = taught_recipe_of(library, recipe, overrides, access, before_each=stop, shared=shared)
        wanted = PlannedRecipe.of(library, taught, overrides)
        library.note_work(wanted.recipe.name)
        notes = _Notes(library, wanted, on_warnings)
        specs = planned_specs_of(library, wanted, access, before_each=stop)

        def render_missing(missing: Sequence[SampleSpec]) -> None:
            render(
                library, missing, access, batch_size, recording.begin, recording.record_failure,
                on_batch=recording.finish, on_step=on_step, cancelled=cancelled,
            )  # fmt: skip

        request = RunRequest(recipe=recipe, overrides=overrides, note=note)
        replacing = _replacing(library, wanted, request, access, recording, render_missing, cancelled)
        parts = PlanParts(library, wanted, request)
        for missing in parts.stored(notes.read(specs)):
            notes.say()
            recording.total = parts.missing_in_all + (replacing.left() if replacing else 0)
            render_missing(missing)
        replaced = replacing.run() if replacing else 0
    failed = dict(recording.failed)
    return RunReport(
        planned=parts.planned + replaced,
        already=max(0, parts.planned + replaced - recording.rendered - len(failed)),
        rendered=recording.rendered,
        failed=tuple(failed.items()),
        seconds=time.monotonic() - started,
        inexact=recording.inexact,
        replaced=replaced,
    )


def _replacing(
    library: Library,
    wanted: PlannedRecipe,
    request: RunRequest,
    access: FileAccess,
    recording: Recording,
    render_missing: Callable[[Sequence[SampleSpec]], None],
    cancelled: Callable[[], bool] | None,
) -> Replacing | None:
    """Return what replaces samples of a plan that differ least; None where its recipe does not ask for that.

    Its images count among those that the run renders.
    """
    if wanted.recipe.novelty is None or wanted.refill is not None:
        return None
    recording.embeddings = SampleEmbeddings(library)
    return Replacing(
        library,
        wanted,
        request,
        wanted.recipe.novelty,
        access,
        recording.embeddings,
        render_missing,
        cancelled,
    )


@dataclass(slots=True)
class _Notes:
    """What is to be said of a plan before its first sample is rendered, from the specs that are planned by then."""

    library: Library
    wanted: PlannedRecipe
    on_warnings: Callable[[Sequence[str]], None] | None
    _prompts: dict[str, None] = field(default_factory=dict)
    _version: int = PLAN_VERSION
    _size: int = 0
    _said: bool = False

    def read(self, specs: Iterable[SampleSpec]) -> Iterator[SampleSpec]:
        """Pass on specs and note their prompts."""
        for spec in specs:
            self._version, self._size = min(self._version, spec.plan_version), spec.size[0]
            if spec.prompt and len(self._prompts) < _NOTED_PROMPTS:
                self._prompts[spec.prompt] = None
            yield spec

    def say(self) -> None:
        """Say it, once."""
        if self.on_warnings and not self._said:
            self.on_warnings(self._sentences())
        self._said = True

    def _sentences(self) -> list[str]:
        recipe = self.wanted.recipe
        return [
            *library_notes(self.library, recipe, self.wanted.refill),
            *version_notes(recipe, self._version),
            *learnt_notes(self.library, recipe),
            *size_notes(self.library, recipe, self.wanted.overrides.method, self._size),
            *plan_notes(tuple(self._prompts), self.wanted.overrides.model or recipe.model),
        ]


def _raise_when(cancelled: Callable[[], bool] | None) -> Callable[[], None]:
    def check() -> None:
        if cancelled and cancelled():
            raise Cancelled()

    return check


def render(
    library: Library,
    specs: Sequence[SampleSpec],
    access: FileAccess,
    batch_size: int,
    on_sample: Callable[[SampleSpec, RenderedSample], None],
    on_failure: Callable[[SampleSpec, str], None],
    *,
    on_batch: Callable[[], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Render specs with the images and cut-outs of a library.

    Args:
        access: the models that may be loaded, since a spec may come from elsewhere.
        on_batch: see `render_specs`.
    """

    def generator_for(name: str) -> Generator:
        return load(name if name == NO_MODEL else access.model(name))

    images = InputImages(library)
    render_specs(
        specs,
        load_cutout=images.cutout,
        load_scene=images.photo,
        load_image=images.read,
        generator_for=generator_for,
        batch_size=batch_size,
        on_sample=on_sample,
        on_failure=on_failure,
        on_batch=on_batch,
        on_step=on_step,
        cancelled=cancelled,
    )
