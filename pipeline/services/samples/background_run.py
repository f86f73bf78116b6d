"""Render a plan in the background, with pause and resume; list runs and drop them."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace

from pipeline.errors import Cancelled, NotFound, StudioError, UnknownName
from pipeline.rendering import download_progress
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, recipe_of
from pipeline.services.plans.refill import is_replacing
from pipeline.services.reports import ListedRun, RunProgress, RunState
from pipeline.services.samples.run_list import listed_runs
from pipeline.services.samples.run_requests import RunRequest
from pipeline.services.samples.runs import render_plan
from pipeline.store import Library

_LATEST = 8
_AT_WORK = (RunState.LOADING, RunState.RUNNING)


@dataclass(slots=True)
class BackgroundRun:
    """Renders one plan at a time in a thread, so that pages stay responsive; the others wait as paused runs."""

    library: Library
    access: FileAccess
    batch_size: int
    _progress: RunProgress = field(default_factory=RunProgress)
    _latest: deque[str] = field(default_factory=lambda: deque(maxlen=_LATEST))
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _request: RunRequest | None = None
    _stored_at: str = ""  # when the plan of `_request` was last stored, as its run ended
    _started: float = 0.0

    def start(self, recipe: str | None, overrides: Overrides) -> None:
        """Start to plan a recipe (YAML text; None for the default) and to render the specs that have no image yet.

        A run that is paused can be resumed later, see `resume`.

        Raises:
            StudioError: another run is in progress, or the recipe cannot be read.
        """
        self._start(RunRequest(recipe=recipe_of(recipe), overrides=overrides))

    def _start(self, request: RunRequest) -> None:
        with self._starting:
            if self.alive:
                raise StudioError("a run is already in progress; pause it or wait for it to finish")
            self._begin(request)

    def _begin(self, request: RunRequest) -> None:
        self._request = request
        self._stop.clear()
        self._latest.clear()
        self._started = 0.0
        self._progress = RunProgress(state=RunState.LOADING, recipe=request.plan_in(self.library))
        context = contextvars.copy_context()  # a Space borrows its GPU for the visitor who started the run
        self._thread = threading.Thread(
            target=context.run, args=(self._work,), name="backlot-run", daemon=True
        )
        self._thread.start()

    def pause(self) -> None:
        """Stop after the step in progress; finished samples are kept."""
        if self.alive:
            self._stop.set()

    def resume(self, name: str | None = None) -> None:
        """Resume a run that is paused or was interrupted.

        Where another process has stored the plan since, that one is resumed.

        Args:
            name: of its plan; None for the latest run of this process.

        Raises:
            StudioError: there is no such run, another one is in progress, or it was begun by an earlier version.
        """
        if not self.alive:
            self.wait()  # for a run that has said how it ended, and is about to note when its plan was stored
        request = self._request
        if request is None and name is None:
            raise StudioError("there is no paused run; start one first")
        own = request.plan_in(self.library) if request else ""
        plan = own if name is None else name
        if request is None or plan != own or self._last_stored(own) != self._stored_at:
            request = RunRequest.of(self.library.plans.get(plan))
        if name is not None and request.overrides.refill and request.plan_in(self.library) != name:
            raise StudioError(
                f"the run '{name}' refills an earlier plan of '{request.recipe.name}'; generate that one again, with "
                "its seed and method, then resume the refill"
            )
        self._start(request)

    def drop(self, name: str) -> int:
        """Forget the images that a paused run has not rendered; how many there were. Finished images are kept.

        Raises:
            StudioError: the run is in progress, here or in another process.
            UnknownName: there is no such run.
        """
        with self._starting:
            latest = self._request is not None and self._request.plan_in(self.library) == name
            if self._is_in_progress(name):
                raise StudioError(f"the run '{name}' is in progress; pause it first, then drop it")
            try:
                dropped = self.library.plans.drop(name)
            except NotFound:
                if not latest:  # one that was paused before any of it was stored has no plan
                    raise UnknownName(
                        "run",
                        name,
                        [run.name for run in self.listed()],
                        if_none="there are none yet; `python -m pipeline generate` starts one",
                    ) from None
                dropped = 0
            if latest:
                self._request, self._progress = None, RunProgress()
                self._latest.clear()
        return dropped

    def _is_in_progress(self, name: str) -> bool:
        """Whether a plan, or the one whose samples it replaces, is rendered, here or in another process."""
        work = self.library.present_work()
        rendered = [work.plan] if work else []
        if self._request is not None and self.alive:
            rendered.append(self._request.plan_in(self.library))
        return any(name == plan or is_replacing(name, plan) for plan in rendered)

    def listed(self) -> list[ListedRun]:
        """List the runs of the library, the latest first."""
        return listed_runs(self.library, self.progress)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the run has ended or paused."""
        if self._thread:
            self._thread.join(timeout_s)

    @property
    def alive(self) -> bool:
        """Whether a run is in progress: its thread is there, and has not said yet how the run ended."""
        is_there = self._thread is not None and self._thread.is_alive()
        return is_there and self._progress.state in _AT_WORK

    @property
    def progress(self) -> RunProgress:
        """Return the progress of the run, with that of the download of its model."""
        progress, download = self._progress, download_progress()
        if self._request is None or download is None or progress.state not in _AT_WORK:
            return progress
        of_this_run = download.model == self._request.model
        return replace(progress, download=download) if of_this_run else progress

    def _last_stored(self, plan: str) -> str:
        try:
            return self.library.plans.get(plan).updated_at
        except NotFound:
            return ""

    def _work(self) -> None:
        request = self._request
        assert request is not None
        try:
            self._render(request)
        finally:
            with suppress(StudioError):  # of a library that became unusable, which the progress tells
                self._stored_at = self._last_stored(request.plan_in(self.library))

    def _render(self, request: RunRequest) -> None:
        """Render what is asked for; whatever ends it, the progress tells."""
        try:
            report = render_plan(
                self.library,
                request.recipe,
                request.overrides,
                self.access,
                batch_size=self.batch_size,
                note=request.note,
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
