"""Store rendered samples: their files, then their rows."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from pipeline.domain.provenance import packet
from pipeline.domain.quality import least_margin
from pipeline.domain.spec import SampleSpec
from pipeline.errors import NotFound
from pipeline.rendering.runner import RenderedSample
from pipeline.services.reports import Progress
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.services.samples.neighbours import Neighbours
from pipeline.store import Library, Rendered

_COMPARED_AT_ONCE = 16  # samples that are embedded while a run goes on
_WRITING_THREADS = 4  # they wait for the disk most of the time
_TRIES = 3
_recording_single = threading.Lock()


def record_single(library: Library, plan: str, spec: SampleSpec, sample: RenderedSample) -> None:
    """Plan and store a sample that was requested by itself.

    A plan that is stored again drops its specs that are not rendered yet. So a lock admits one call at a time, and
    where another process has stored the plan in between, the sample is planned once more.

    Raises:
        NotFound: a photo of the sample was deleted.
    """
    with _recording_single:
        for tries_left in reversed(range(_TRIES)):
            library.plans.add(plan, "", [spec])
            try:
                with Recording(library) as recording:
                    recording.begin(spec, sample)
                    recording.finish()
            except NotFound:
                if not tries_left:
                    raise
            else:
                return


@dataclass(frozen=True, slots=True)
class _Begun:
    """A sample whose files are being written."""

    spec: SampleSpec
    sample: RenderedSample
    image_id: Future[str]
    mask_id: Future[str]


@dataclass(slots=True)
class Recording:
    """Stores the samples of a run as they are rendered, and counts them. To be used as a context, by one thread.

    The files of a batch are written side by side, while its other samples are scored; a row is stored only when both
    files of its sample are on the disk. So whatever ends a run, the samples that are listed are whole.
    """

    library: Library
    on_progress: Progress | None = None
    on_sample: Callable[[str], None] | None = None  # called with the id of a sample that is stored
    total: int = 0
    rendered: int = 0
    inexact: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)  # (spec id, sentence)
    embeddings: SampleEmbeddings | None = None  # where samples are compared while they are rendered
    _neighbours: Neighbours = field(init=False)
    _uncompared: set[str] = field(default_factory=set)  # images of the latest samples
    _begun: deque[_Begun] = field(default_factory=deque)
    _writing: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._neighbours = Neighbours(self.library)
        self._writing = ThreadPoolExecutor(_WRITING_THREADS, thread_name_prefix="backlot-files")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            with suppress(
                Exception
            ):  # what ended the run is raised; samples that are painted need not be lost with it
                while kind is not None and self._begun:
                    self._record(self._begun.popleft())
                    self.rendered += 1
        finally:
            self._writing.shutdown(cancel_futures=True)

    def begin(self, spec: SampleSpec, sample: RenderedSample) -> None:
        """Begin to write the files of a sample; `finish` stores it."""
        images = self.library.images
        image_id = self._writing.submit(images.put, sample.image, packet(spec))
        mask_id = self._writing.submit(images.put, sample.layer.alpha)
        self._begun.append(_Begun(spec, sample, image_id, mask_id))

    def finish(self) -> None:
        """Store the samples whose files were begun, in order, each in one transaction.

        Raises:
            LibraryUnusable: a file could not be written; the samples before it are stored.
        """
        while self._begun:
            begun = self._begun.popleft()
            self._record(begun)
            self.rendered += 1
            self.inexact += not begun.sample.facts.exact and begun.spec.keeps_object
            if self.embeddings:
                self._compare(self.embeddings, begun.image_id.result())
            if self.on_sample:
                self.on_sample(begun.spec.id)
            if self.on_progress:
                self.on_progress(self.rendered, self.total, begun.spec.id)

    def _compare(self, embeddings: SampleEmbeddings, image_id: str) -> None:
        """Embed images of the run, some at once; what else is not embedded waits."""
        self._uncompared.add(image_id)
        if len(self._uncompared) >= _COMPARED_AT_ONCE:
            embeddings.embed_missing(_COMPARED_AT_ONCE, wanted=self._uncompared)
            self._uncompared.clear()

    def _record(self, begun: _Begun) -> None:
        image_id, mask_id = begun.image_id.result(), begun.mask_id.result()
        spec, facts = begun.spec, begun.sample.facts
        assert facts.descriptor is not None
        novelty, cluster = self._neighbours.place(spec.id, spec.label, facts.descriptor)
        self.library.samples.record(
            Rendered(
                spec_id=spec.id,
                image_id=image_id,
                mask_id=mask_id,
                facts=replace(facts, scores={**facts.scores, "novelty": round(novelty, 6)}),
                score=round(least_margin(facts.scores), 6),
                cluster=cluster,
            )
        )

    def record_failure(self, spec: SampleSpec, sentence: str) -> None:
        """Store why a spec could not be rendered."""
        self.library.samples.record_failure(spec.id, sentence)
        self.failed.append((spec.id, sentence))
