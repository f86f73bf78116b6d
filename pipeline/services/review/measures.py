"""Measure pending samples with networks: object expansion, second objects, recognition, near-duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.domain.placement import is_empty
from pipeline.domain.quality import (
    MEASURED_LATER,
    STRICT_GATES,
    Gate,
    GateFailure,
    Scores,
    gates_failed,
    least_margin,
)
from pipeline.domain.run_lengths import mask_of_runs
from pipeline.domain.warping import Box
from pipeline.embedding import Embedder, load_embedder, normalised
from pipeline.errors import Cancelled, DamagedPicture, NotFound
from pipeline.segmentation import salience_beside
from pipeline.services.photos.near_duplicates import photo_vectors
from pipeline.services.reports import Progress
from pipeline.services.review.recognition import Recognition, square_around, trained
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.store import Library, SampleFilter, SampleOrder, SampleRow, SampleState

_PAGE = 500
_EMBEDDED_AT_ONCE = 256
_MOST_SEARCHED = 4  # salient regions of an image that are searched for the class


@dataclass(slots=True)
class MeasureService:
    """The measures of a library's samples that take too long to be taken while they are rendered."""

    library: Library
    embeddings: SampleEmbeddings

    def measure(
        self,
        *,
        strict: bool = False,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> int:
        """Measure the pending samples that have not been measured, and note the gates that they fail; how many.

        Decided samples stay as they are. Where a network's package is not installed, or the library has a single class,
        the measures that need it are left out. A sample whose file is damaged is passed over.

        Args:
            strict: a sample that fails a gate that holds on request only makes no other one a near-duplicate, either.

        Raises:
            Cancelled: it was stopped; samples that were measured stay so.
        """
        embedder = load_embedder()
        while self.embeddings.embed_missing(_EMBEDDED_AT_ONCE):
            if cancelled and cancelled():
                raise Cancelled(0)
        total = self.library.counts().samples["pending"]
        strict_gates = STRICT_GATES if strict else ()
        measuring = _Measuring(self.library, embedder, recognition_of(self.library, embedder), strict_gates)
        number = 0
        for seen, row in enumerate(self._pending(), start=1):
            if cancelled and cancelled():
                raise Cancelled(number)
            number += measuring.record(row)
            if on_progress:
                on_progress(min(seen, total), total, row.id)
        return number

    def _pending(self) -> Iterator[SampleRow]:
        pending = SampleFilter(review=SampleState.PENDING, order=SampleOrder.PLAN)
        last = None
        while rows := self.library.samples.list(pending, limit=_PAGE, after=last):
            last = rows[-1].id
            yield from rows


@dataclass(frozen=True, slots=True)
class _Measuring:
    """Measures one sample after the other."""

    library: Library
    embedder: Embedder
    recognition: Recognition | None
    strict_gates: Sequence[Gate]

    def record(self, row: SampleRow) -> bool:
        """Measure a sample and store the result; False where it was measured before, or cannot be read."""
        if row.scores.keys() & set(MEASURED_LATER):
            return False
        try:
            scores = self._scores(row)
        except (NotFound, DamagedPicture):
            return False
        failures = [*gates_failed(scores), *self._duplicate_failure(scores)]
        score = round(least_margin({**row.scores, **scores}), 6)
        return self.library.samples.add_measures(row.id, scores, failures, score=score)

    def _scores(self, row: SampleRow) -> Scores:
        assert row.image_id is not None, "only rendered samples are pending"
        rgb = self.library.images.read(row.image_id)[..., :3]
        scores: Scores = {"duplicate": self._similarity_to_earlier(row)}
        alpha = self.library.images.read(row.mask_id) if row.mask_id else np.zeros(rgb.shape[:2], np.uint8)
        if (salience := salience_beside(rgb, _with_distractors(alpha, row))) is not None:
            scores["expansion"] = min(1.0, salience.expansion)
            scores |= self._recognised(
                "second_object", rgb, salience.others[:_MOST_SEARCHED], row, if_none=0.0
            )
        scores |= self._recognised("recognised", rgb, row.boxes, row)
        return {name: round(value, 6) for name, value in scores.items()}

    def _recognised(
        self, name: str, rgb: RGB, boxes: Sequence[Box], row: SampleRow, *, if_none: float | None = None
    ) -> Scores:
        """Return how far the class of a sample is recognised in the box where it is recognised best."""
        if self.recognition is None or row.spec.label not in self.recognition.labels:
            return {}
        boxes = [box for box in boxes if not is_empty(box)]
        if not boxes:
            return {} if if_none is None else {name: if_none}
        vectors = self.embedder.embed(square_around(rgb, box) for box in boxes)
        return {name: float(self.recognition.relative(vectors, row.spec.label).max())}

    def _similarity_to_earlier(self, row: SampleRow) -> float:
        """Return the greatest similarity to a sample of its group of near-duplicates that was planned before it.

        It is 0 where there is none. Samples that were or will be rejected do not count, so that one
        of each group remains.
        """
        if row.cluster in ("", row.id):
            return 0.0
        group = SampleFilter(cluster=row.cluster, order=SampleOrder.PLAN)
        earlier = takewhile(lambda member: member.id != row.id, self.library.samples.list(group, limit=_PAGE))
        image_ids = {member.image_id for member in earlier if self._stands(member)}
        vectors = self.library.embeddings.of(self.embedder.name, filter(None, {*image_ids, row.image_id}))
        own = vectors.get(row.image_id or "")
        others = [vector for image_id, vector in vectors.items() if image_id in image_ids]
        if own is None or not others:
            return 0.0
        rows = normalised(np.stack([own, *others]))
        return float(np.clip((rows[1:] @ rows[0]).max(), 0.0, 1.0))

    def _stands(self, row: SampleRow) -> bool:
        """Whether a sample was not rejected, and the gates would not reject it."""
        if row.state is SampleState.PENDING:
            return not (row.failed_gates or gates_failed(row.scores, self.strict_gates))
        return row.state is not SampleState.REJECTED

    def _duplicate_failure(self, scores: Scores) -> tuple[GateFailure, ...]:
        """The limit depends on the embedder; the groups hold what reaches it."""
        return gates_failed(scores, [Gate("duplicate", self.embedder.near_duplicate_sample)])


def _with_distractors(alpha: Mask, row: SampleRow) -> Mask:
    """Return the mask of all that a sample places: what is known neither continues an object nor is a second one."""
    for each in row.distractors:
        alpha = np.maximum(alpha, mask_of_runs(each.runs, row.spec.size))
    return alpha


def recognition_of(library: Library, embedder: Embedder) -> Recognition | None:
    """Train a probe on the usable training photos; None without a network or a second class."""
    if not embedder.is_network:
        return None
    photos = library.photos.list(split="train", usable=True)
    vectors = photo_vectors(library, embedder, photos)
    known = [photo for photo in photos if photo.image_id in vectors]
    if not known:
        return None
    return trained(np.stack([vectors[photo.image_id] for photo in known]), [photo.label for photo in known])
