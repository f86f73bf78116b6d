"""Rendering a plan: in the foreground, or in the background with pause and resume."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pipeline.domain.photos import Photo
from pipeline.domain.placement import Cutout
from pipeline.domain.provenance import packet
from pipeline.domain.quality import least_margin
from pipeline.domain.recipe import Recipe, to_yaml
from pipeline.domain.spec import SampleSpec
from pipeline.errors import Cancelled, NoUsablePhotos, StudioError
from pipeline.rendering import NO_MODEL, Generator, load
from pipeline.rendering.runner import RenderedSample, render_specs
from pipeline.services.file_access import FileAccess
from pipeline.services.photos.importing import Progress
from pipeline.services.plans.planning import Overrides, planned, recipe_of
from pipeline.services.plans.prompts import plan_notes
from pipeline.services.reports import RunProgress, RunReport, RunState
from pipeline.services.samples.neighbours import Neighbours
from pipeline.store import Library, Rendered

_LATEST = 8
_one_by_one = threading.Lock()


def cutout_of(library: Library, cutout_id: str) -> Cutout:
    """The stored RGBA picture as a cut-out."""
    pixels = library.images.read(cutout_id)
    return Cutout(rgb=pixels[..., :3], alpha=pixels[..., 3])


def cutout_id_of(subject: Photo) -> str:
    """The id of the stored RGBA picture of a subject.

    Raises:
        NoUsablePhotos: the mask is empty.
    """
    if subject.cutout_id is None or subject.box is None:
        raise NoUsablePhotos(
            f"photo '{subject.name}' has no object in its mask; mend the mask on the Photos page"
        )
    return subject.cutout_id


def render_plan(
    library: Library,
    recipe: Recipe,
    overrides: Overrides,
    access: FileAccess,
    *,
    batch_size: int,
    on_warnings: Callable[[Sequence[str]], None] | None = None,
    on_progress: Progress | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_sample: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> RunReport:
    """Plan once, then render the specs that have no picture yet, or whose picture file is missing or damaged.

    The same call after a stop or a kill goes on.

    Args:
        access: the paths that the recipe may name.
        on_warnings: told what a person should know of the prompts, before the first is drawn.

    Raises:
        LibraryBusy: another process renders or imports here.
        Cancelled: the person stopped; what was finished is kept.
    """
    started = time.monotonic()
    with library.work_lock("generate"):
        specs = planned(library, recipe, overrides, access, before_each=_ends_when(cancelled))
        if on_warnings:
            prompts = dict.fromkeys(spec.prompt for spec in specs if spec.prompt)
            on_warnings(plan_notes(tuple(prompts), overrides.model or recipe.model))
        library.plans.add(recipe.name, to_yaml(recipe), specs)
        library.samples.plan_broken_again([spec.id for spec in specs])
        wanted = set(library.plans.missing([spec.id for spec in specs]))
        missing = [spec for spec in specs if spec.id in wanted]
        failed: list[tuple[str, str]] = []
        inexact = 0
        done = 0
        neighbours = Neighbours(library)

        def record(spec: SampleSpec, sample: RenderedSample) -> None:
            nonlocal done, inexact
            record_sample(library, spec, sample, neighbours)
            done += 1
            inexact += not sample.facts.exact
            if on_sample:
                on_sample(spec.id)
            if on_progress:
                on_progress(done, len(missing), spec.id)

        def refuse(spec: SampleSpec, sentence: str) -> None:
            library.samples.record_failure(spec.id, sentence)
            failed.append((spec.id, sentence))

        render(library, missing, access, batch_size, record, refuse, on_step=on_step, cancelled=cancelled)
    return RunReport(
        planned=len(specs),
        already=len(specs) - len(missing),
        rendered=done,
        failed=tuple(failed),
        seconds=time.monotonic() - started,
        inexact=inexact,
    )


def _ends_when(cancelled: Callable[[], bool] | None) -> Callable[[], None]:
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
    """Render specs with the pictures and cut-outs of a library.

    Args:
        access: the models that may be loaded; a spec may come from elsewhere.
    """

    def generator_for(name: str) -> Generator:
        return load(name if name == NO_MODEL else access.model(name))

    render_specs(
        specs,
        load_cutout=lambda cutout_id: cutout_of(library, cutout_id),
        load_scene=lambda subject_id: library.images.read(library.photos.get(subject_id).photo_id),
        load_image=library.images.read,
        generator_for=generator_for,
        batch_size=batch_size,
        on_sample=on_sample,
        on_failure=on_failure,
        on_step=on_step,
        cancelled=cancelled,
    )


def record_single(library: Library, plan: str, spec: SampleSpec, sample: RenderedSample) -> None:
    """Plan and store one picture that somebody asked for by itself.

    One at a time: a plan that is stored anew drops what it wanted and was not drawn yet.
    """
    with _one_by_one:
        library.plans.add(plan, "", [spec])
        record_sample(library, spec, sample)


def record_sample(
    library: Library, spec: SampleSpec, sample: RenderedSample, neighbours: Neighbours | None = None
) -> None:
    """Store a rendered sample: its pictures first, then one transaction for the row.

    Args:
        neighbours: kept by who stores many, so that the other samples are read once.
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
    """One plan at a time, rendered in a thread; the pages stay responsive meanwhile."""

    library: Library
    access: FileAccess
    batch_size: int
    _progress: RunProgress = field(default_factory=RunProgress)
    _latest: deque[str] = field(default_factory=lambda: deque(maxlen=_LATEST))
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _order: tuple[Recipe, Overrides] | None = None
    _started: float = 0.0

    def start(self, recipe: str | None, overrides: Overrides) -> None:
        """Start to plan a recipe (YAML text; None for the default) and to render what has no image yet.

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
        self._order = (recipe, overrides)
        self._stop.clear()
        self._latest.clear()
        self._started = 0.0
        self._progress = RunProgress(state=RunState.LOADING, recipe=recipe.name)
        asked = contextvars.copy_context()  # a Space borrows its GPU for the person who asked
        self._thread = threading.Thread(target=asked.run, args=(self._work,), name="backlot-run", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Stop after the step in progress; finished samples are kept."""
        if self.alive:
            self._stop.set()

    def resume(self) -> None:
        """Resume the paused run."""
        if self._order is None:
            raise StudioError("there is no paused run; start one first")
        self._start(*self._order)

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
        """How far the run is."""
        return self._progress

    def _work(self) -> None:
        assert self._order is not None
        recipe, overrides = self._order
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
        except Exception as error:  # a bug: the page must say so instead of waiting for ever
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
        each = (now - self._started) / done if self._started else 0.0
        self._progress = replace(
            self._progress,
            done=done,
            total=total,
            seconds_left=each * (total - done),
            latest=tuple(self._latest),
        )

    def _on_step(self, step: int, steps: int) -> None:
        self._started = self._started or time.monotonic()
        self._progress = replace(self._progress, state=RunState.RUNNING, step=step, steps=steps)
