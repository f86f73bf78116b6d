"""The vectors of a library's samples in memory: which look most like an image, and which are near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.embedding import nearest, normalised
from pipeline.store import EmbeddedSample

_GROWTH = 2
_FEWEST_ROWS = 64
_ROWS = 1024  # of the matrix that are compared at once


@dataclass(slots=True)
class SimilarityIndex:
    """The samples of one embedder with their vectors; 2,560 bytes a sample with EfficientNet-Lite0."""

    size: int  # numbers of a vector
    samples: list[EmbeddedSample] = field(default_factory=list)
    _vectors: NDArray[np.float16] = field(init=False)  # (capacity, size), of length 1

    def __post_init__(self) -> None:
        self._vectors = np.zeros((0, self.size), np.float16)

    @property
    def vectors(self) -> NDArray[np.float16]:
        """The vectors of `samples`, of length 1; (N, size)."""
        return self._vectors[: len(self.samples)]

    def add(self, samples: Sequence[EmbeddedSample], vectors: NDArray[np.float16]) -> None:
        """Append samples with their vectors, (N, size) of any length."""
        used, needed = len(self.samples), len(self.samples) + len(samples)
        if needed > len(self._vectors):
            larger = np.zeros((max(_FEWEST_ROWS, needed, _GROWTH * used), self.size), np.float16)
            larger[:used] = self._vectors[:used]
            self._vectors = larger
        self._vectors[used:needed] = normalised(vectors)
        self.samples += samples

    def keep(self, samples: Sequence[EmbeddedSample]) -> list[EmbeddedSample]:
        """Drop all samples but these; return those of them that are not in the index."""
        wanted = {(sample.id, sample.image_id) for sample in samples}
        kept = [row for row, sample in enumerate(self.samples) if (sample.id, sample.image_id) in wanted]
        if len(kept) < len(self.samples):
            self._vectors = self.vectors[kept]
            self.samples = [self.samples[row] for row in kept]
        known = {(sample.id, sample.image_id) for sample in self.samples}
        return [sample for sample in samples if (sample.id, sample.image_id) not in known]

    def most_similar(
        self, vector: NDArray[np.float16], count: int, *, but: str | None
    ) -> list[tuple[str, float]]:
        """Return (sample id, cosine similarity) of the most similar samples, the most similar first.

        Args:
            vector: (size,).
            but: the id of a sample that is left out.
        """
        places, cosines = nearest(vector, self.vectors, count + 1)
        ids = [self.samples[place].id for place in places.tolist()]
        pairs = zip(ids, cosines.tolist(), strict=True)
        return [(sample_id, cosine) for sample_id, cosine in pairs if sample_id != but][:count]

    def grouped(
        self, samples: Sequence[EmbeddedSample], vectors: NDArray[np.float16], limit: float
    ) -> list[EmbeddedSample]:
        """Return samples with their groups of near-duplicates; the index stays as it is.

        A sample belongs to the group of the most similar first sample of a group, in the index or before it in
        `samples`, if their cosine similarity reaches the limit and they have one class; otherwise it is the first of a
        new group ("leader" clustering, Hartigan 1975, chapter 3).

        Args:
            samples: in the order in which they were planned.
            vectors: their vectors, (N, size) of any length.
        """
        grouped: list[EmbeddedSample | None] = [None] * len(samples)
        unit_rows = normalised(vectors)
        for label in {sample.label for sample in samples}:
            rows = [row for row, sample in enumerate(samples) if sample.label == label]
            groups = self._groups([samples[row].id for row in rows], unit_rows[rows], label, limit)
            for row, group in zip(rows, groups, strict=True):
                grouped[row] = replace(samples[row], group=group)
        return [sample for sample in grouped if sample is not None]

    def _groups(
        self, ids: Sequence[str], unit_rows: NDArray[np.float32], label: str, limit: float
    ) -> list[str]:
        """Return the groups of new samples of one class."""
        best, groups = self._most_similar_firsts(unit_rows, label)
        for row in range(len(ids)):
            if best[row] >= limit:
                continue
            groups[row] = ids[row]
            cosines = unit_rows[row + 1 :] @ unit_rows[row]
            for later in (row + 1 + np.flatnonzero(cosines > best[row + 1 :])).tolist():
                best[later], groups[later] = cosines[later - row - 1], ids[row]
        return groups

    def _most_similar_firsts(
        self, unit_rows: NDArray[np.float32], label: str
    ) -> tuple[NDArray[np.float32], list[str]]:
        """Return the similarity and the group of the most similar first sample of a group, for each vector."""
        firsts = [
            row
            for row, sample in enumerate(self.samples)
            if sample.label == label and sample.group == sample.id
        ]
        best = np.full(len(unit_rows), -np.inf, np.float32)
        groups = [""] * len(unit_rows)
        for start in range(0, len(firsts), _ROWS):
            block = firsts[start : start + _ROWS]
            cosines = unit_rows @ self._vectors[block].astype(np.float32).T
            places = cosines.argmax(axis=1)
            for row in np.flatnonzero(cosines.max(axis=1) > best).tolist():
                best[row], groups[row] = cosines[row, places[row]], self.samples[block[places[row]]].id
        return best, groups
