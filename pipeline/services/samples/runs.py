"""Render a plan, in the foreground or in the background with pause and resume."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipeline.domain.photos import Photo
from pipeline.domain.placement import Cutout
from pipeline.domain.provenance import packet
from pipeline.domain.quality import least_margin
from pipeline.domain.recipe import Recipe, to_yaml
from pipeline.domain.spec import PLAN_VERSION, SampleSpec
from pipeline.errors import Cancelled, NoUsablePhotos, StudioError
from pipeline.rendering import NO_MODEL, Generator, download_progress, load
from pipeline.rendering.runner import RenderedSample, render_specs
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import (
    Overrides,
    PlannedRecipe,
    library_notes,
    planned_specs_of,
    recipe_of,
    version_notes,
)
from pipeline.services.plans.prompts import plan_notes
from pipeline.services.plans.sizing import size_notes
from pipeline.services.reports import Progress, RunProgress, RunReport, RunState
from pipeline.services.samples.neighbours import Neighbours
from pipeline.store import Library, Rendered

_LATEST = 8
_WINDOW = 2_000  # specs in memory at a time
_NOTED_PROMPTS = 10_000  # more than enough to see every slot value
_AT_WORK = (RunState.LOADING, RunState.RUNNING)
_recording_single = threading.Lock()


def cutout_of(library: Library, cutout_id: str) -> Cutout:
    """Read a stored cut-out."""
    pixels = library.images.read(cutout_id)
    return Cutout(rgb=pixels[..., :3], alpha=pixels[..., 3])


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
    on_warnings: Callable[[Sequence[str]], None] | None = None,
    on_progress: Progress | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_sample: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> RunReport:
    """Plan once, then render the specs that have no image yet, or whose image file is missing or damaged.

    After an interruption the same call continues.

    Args:
        access: the paths that the recipe may name.
        note: lines of a comment that are stored with the recipe.
        on_warnings: called with notes on the prompts before the first sample is rendered.

    Raises:
        LibraryBusy: another process is importing or rendering.
        Cancelled: the run was stopped; finished samples are kept.
    """
    started = time.monotonic()
    recording = _Recording(library, Neighbours(library), on_progress, on_sample)
    with library.work_lock("generate"):
        wanted = PlannedRecipe.of(library, recipe, overrides)
        notes = _Notes(library, wanted)
        specs = planned_specs_of(library, wanted, access, before_each=_raise_when(cancelled))
        name = wanted.recipe.name
        _store_plan(library, wanted, note, notes.read(specs))
        if on_warnings:
            on_warnings(notes.sentences())
        total, missing = _missing(library, name)
        recording.total = missing
        for window in _windows(library, name):
            render(
                library, window, access, batch_size, recording.record, recording.record_failure,
                on_step=on_step, cancelled=cancelled,
            )  # fmt: skip
    return RunReport(
        planned=total,
        already=total - missing,
        rendered=recording.rendered,
        failed=tuple(recording.failed),
        seconds=time.monotonic() - started,
        inexact=recording.inexact,
    )


def _store_plan(library: Library, wanted: PlannedRecipe, note: str, specs: Iterator[SampleSpec]) -> None:
    """Store a plan with the recipe that draws it; that of a refill is the recipe of its latest samples."""
    refill = wanted.refill
    if refill and not refill.missing:  # it only goes on: the recipe that drew it stays
        deque(specs, maxlen=0)
        return
    if refill and refill.earlier:
        latest, before = sum(refill.missing.values()), len(refill.earlier)
        note = f"# draws the last {latest} samples, after {before} of earlier refills\n"
    library.plans.add(wanted.recipe.name, note + to_yaml(wanted.recipe), specs)


def _missing(library: Library, plan: str) -> tuple[int, int]:
    """Return how many specs a stored plan has, and how many have no image, or one whose file is missing or damaged."""
    ids = library.plans.ids(plan)
    library.samples.plan_broken_again(ids)
    stored = library.plans.stored(plan, head=0, count=len(ids))
    assert stored is not None
    return len(ids), len(ids) - stored.rendered


def _windows(library: Library, plan: str) -> Iterator[list[SampleSpec]]:
    """Yield the specs of a stored plan that have no image yet, so many at a time that memory does not grow with it."""
    last = None
    while window := library.plans.pending(plan=plan, limit=_WINDOW, after=last):
        last = window[-1].id
        yield window


@dataclass(slots=True)
class _Notes:
    """What is to be said of a plan before its first sample is rendered."""

    library: Library
    wanted: PlannedRecipe
    _prompts: dict[str, None] = field(default_factory=dict)
    _version: int = PLAN_VERSION
    _size: int = 0

    def read(self, specs: Iterable[SampleSpec]) -> Iterator[SampleSpec]:
        """Pass on specs and note their prompts."""
        for spec in specs:
            self._version, self._size = min(self._version, spec.plan_version), spec.size[0]
            if spec.prompt and len(self._prompts) < _NOTED_PROMPTS:
                self._prompts[spec.prompt] = None
            yield spec

    def sentences(self) -> list[str]:
        """Return the sentences."""
        recipe = self.wanted.recipe
        return [
            *library_notes(self.library, recipe, self.wanted.refill),
            *version_notes(recipe, self._version),
            *size_notes(self.library, recipe, self._size),
            *plan_notes(tuple(self._prompts), self.wanted.overrides.model or recipe.model),
        ]


@dataclass(slots=True)
class _Recording:
    """Stores the samples of a run as they are rendered, and counts them."""

    library: Library
    neighbours: Neighbours
    on_progress: Progress | None
    on_sample: Callable[[str], None] | None
    total: int = 0
    rendered: int = 0
    inexact: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)  # (spec id, sentence)

    def record(self, spec: SampleSpec, sample: RenderedSample) -> None:
        record_sample(self.library, spec, sample, self.neighbours)
        self.rendered += 1
        self.inexact += not sample.facts.exact and spec.keeps_object
        if self.on_sample:
            self.on_sample(spec.id)
        if self.on_progress:
            self.on_progress(self.rendered, self.total, spec.id)

    def record_failure(self, spec: SampleSpec, sentence: str) -> None:
        self.library.samples.record_failure(spec.id, sentence)
        self.failed.append((spec.id, sentence))


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
    on_step: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Render specs with the images and cut-outs of a library.

    Args:
        access: the models that may be loaded, since a spec may come from elsewhere.
    """

    def generator_for(name: str) -> Generator:
        return load(name if name == NO_MODEL else access.model(name))

    render_specs(
        specs,
        load_cutout=lambda cutout_id: cutout_of(library, cutout_id),
        load_scene=lambda photo_id: library.images.read(library.photos.get(photo_id).image_id),
        load_image=library.images.read,
        generator_for=generator_for,
        batch_size=batch_size,
        on_sample=on_sample,
        on_failure=on_failure,
        on_step=on_step,
        cancelled=cancelled,
    )


def record_single(library: Library, plan: str, spec: SampleSpec, sample: RenderedSample) -> None:
    """Plan and store a sample that was requested by itself.

    A lock admits one call at a time: a plan that is stored again drops its specs that are not rendered yet.
    """
    with _recording_single:
        library.plans.add(plan, "", [spec])
        record_sample(library, spec, sample)


def record_sample(
    library: Library, spec: SampleSpec, sample: RenderedSample, neighbours: Neighbours | None = None
) -> None:
    """Store a rendered sample: its images first, then its row in one transaction.

    Args:
        neighbours: kept by callers that store many samples, so that earlier samples are read once.
    """
    neighbours = neighbours or Neighbours(library)
    facts = sample.facts
    assert facts.descriptor is not None
    novelty, cluster = neighbours.place(spec.id, spec.label, facts.descriptor)
    library.samples.record(
        Rendered(
            spec_id=spec.id,
            image_id=library.images.put(sample.image, xmp=packet(spec)),
            mask_id=library.images.put(sample.layer.alpha),
            facts=replace(facts, scores={**facts.scores, "novelty": round(novelty, 6)}),
            score=round(least_margin(facts.scores), 6),
            cluster=cluster,
        )
    )


@dataclass(slots=True)
class BackgroundRun:
    """One plan at a time, rendered in a thread, so that pages stay responsive."""

    library: Library
    access: FileAccess
    batch_size: int
    _progress: RunProgress = field(default_factory=RunProgress)
    _latest: deque[str] = field(default_factory=lambda: deque(maxlen=_LATEST))
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _request: tuple[Recipe, Overrides] | None = None
    _started: float = 0.0

    def start(self, recipe: str | None, overrides: Overrides) -> None:
        """Start to plan a recipe (YAML text; None for the default) and to render the specs that have no image yet.

        Raises:
            StudioError: another run is in progress, or the recipe cannot be read.
        """
        self._start(recipe_of(recipe), overrides)

    def _start(self, recipe: Recipe, overrides: Overrides) -> None:
        with self._starting:
            if self.alive:
                raise StudioError("a run is already in progress; pause it or wait for it to finish")
            self._begin(recipe, overrides)

    def _begin(self, recipe: Recipe, overrides: Overrides) -> None:
        self._request = (recipe, overrides)
        self._stop.clear()
        self._latest.clear()
        self._started = 0.0
        self._progress = RunProgress(state=RunState.LOADING, recipe=recipe.name)
        context = contextvars.copy_context()  # a Space borrows its GPU for the visitor who started the run
        self._thread = threading.Thread(
            target=context.run, args=(self._work,), name="backlot-run", daemon=True
        )
        self._thread.start()

    def pause(self) -> None:
        """Stop after the step in progress; finished samples are kept."""
        if self.alive:
            self._stop.set()

    def resume(self) -> None:
        """Resume the paused run."""
        if self._request is None:
            raise StudioError("there is no paused run; start one first")
        self._start(*self._request)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the run has ended or paused."""
        if self._thread:
            self._thread.join(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether a run is in progress."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def progress(self) -> RunProgress:
        """Return the progress of the run, with that of the download of its model."""
        progress, download = self._progress, download_progress()
        if self._request is None or download is None or progress.state not in _AT_WORK:
            return progress
        recipe, overrides = self._request
        of_this_run = download.model == (overrides.model or recipe.model)
        return replace(progress, download=download) if of_this_run else progress

    def _work(self) -> None:
        assert self._request is not None
        recipe, overrides = self._request
        try:
            report = render_plan(
                self.library,
                recipe,
                overrides,
                self.access,
                batch_size=self.batch_size,
                on_progress=self._on_progress,
                on_step=self._on_step,
                on_sample=self._latest.appendleft,
                cancelled=self._stop.is_set,
            )
        except Cancelled:
            self._progress = replace(self._progress, state=RunState.PAUSED, seconds_left=None)
        except StudioError as error:
            self._progress = replace(self._progress, state=RunState.FAILED, sentence=str(error))
        except Exception as error:  # a bug: the page must show it instead of waiting for ever
            self._progress = replace(self._progress, state=RunState.FAILED, sentence=f"a bug: {error!r}")
            raise
        else:
            sentence = f"{len(report.failed)} failed: {report.failed[0][1]}" if report.failed else ""
            done = report.already + report.rendered
            self._progress = replace(
                self._progress, state=RunState.DONE, done=done, total=report.planned, seconds_left=0.0,
                latest=tuple(self._latest), sentence=sentence,
            )  # fmt: skip

    def _on_progress(self, done: int, total: int | None, _sample_id: str) -> None:
        now = time.monotonic()
        total = total or done
        seconds_each = (now - self._started) / done if self._started else 0.0
        self._progress = replace(
            self._progress,
            done=done,
            total=total,
            seconds_left=seconds_each * (total - done),
            latest=tuple(self._latest),
        )

    def _on_step(self, step: int, steps: int) -> None:
        self._started = self._started or time.monotonic()
        self._progress = replace(self._progress, state=RunState.RUNNING, step=step, steps=steps)
