"""The embeddings of samples: computed in batches, stored, kept in memory, searched by similarity."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB
from pipeline.embedding import Embedder, load_embedder, shrunk
from pipeline.errors import DamagedPicture, NotFound
from pipeline.services.samples.similarity_index import SimilarityIndex
from pipeline.store import EmbeddedSample, Library

MOST = 100_000  # samples that are compared, the newest ones; their vectors take 256 MB
_READ_AT_ONCE = 5_000  # vectors
_EMBEDDED_AT_ONCE = 64  # samples in one transaction


@dataclass(slots=True)
class SampleEmbeddings:
    """The embeddings of a library's samples. What other processes store is read when it is needed.

    Calls from several threads are safe; one of them computes at a time.
    """

    library: Library
    most: int = MOST
    _index: SimilarityIndex | None = None
    _missing: list[EmbeddedSample] = field(default_factory=list)  # in the order in which they were planned
    _stored: tuple[int, int] = (-1, -1)  # rendered samples, vectors, when both lists were read
    _unreadable: set[str] = field(default_factory=set)  # images whose file is missing or damaged
    _computing: threading.Lock = field(default_factory=threading.Lock)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    @property
    def embedder_name(self) -> str:
        """The name of the embedder of this installation, under which vectors are stored."""
        return load_embedder().name

    def missing(self) -> int:
        """Count the samples that have no embedding yet."""
        with self._reading:
            self._read(load_embedder())
            return len(self._missing)

    def embed_missing(
        self, limit: int, *, first: str | None = None, wanted: Container[str] | None = None
    ) -> int:
        """Embed samples that have no embedding, at most `limit`, and find their groups; return how many are left.

        A sample whose file is missing or damaged is passed over.

        Args:
            first: the image of samples that come before the others.
            wanted: images whose samples are embedded and counted, no others; None: all.
        """
        embedder = load_embedder()
        with self._computing:
            left = limit
            while batch := self._next(embedder, min(left, _EMBEDDED_AT_ONCE), first, wanted):
                self._embed(embedder, batch)
                left -= len(batch)
            return sum(1 for _ in self._missing_of(wanted))

    def is_unreadable(self, image_id: str) -> bool:
        """Whether an image was passed over since its file is missing or damaged."""
        return image_id in self._unreadable

    def embed_image(self, image_id: str) -> None:
        """Embed one image that no sample shows, if it has no embedding.

        Raises:
            NotFound, DamagedPicture: it cannot be read.
        """
        embedder = load_embedder()
        if image_id not in self.library.embeddings.of(embedder.name, [image_id]):
            (vector,) = embedder.embed([self.library.images.read(image_id)[..., :3]])
            self.library.embeddings.add(embedder.name, {image_id: vector})

    def vectors_of(self, image_ids: Sequence[str]) -> Mapping[str, NDArray[np.float16]]:
        """Return the stored embeddings of images by image id, (D,) float16 each; those without one are left out."""
        return self.library.embeddings.of(load_embedder().name, image_ids)

    def similar(self, image_id: str, *, count: int, but: str | None) -> list[tuple[str, float]] | None:
        """Return (sample id, cosine similarity) of the samples most similar to an image; None if it has no embedding.

        Args:
            but: the id of a sample that is left out.
        """
        embedder = load_embedder()
        vector = self.library.embeddings.of(embedder.name, [image_id]).get(image_id)
        if vector is None:
            return None
        with self._reading:
            return self._read(embedder).most_similar(vector, count, but=but)

    def _next(
        self, embedder: Embedder, limit: int, first: str | None, wanted: Container[str] | None
    ) -> list[EmbeddedSample]:
        """Return the next samples to embed, those of the image `first` before the others."""
        with self._reading:
            self._read(embedder)
            if first is not None:
                self._missing.sort(key=lambda sample: sample.image_id != first)
            return list(islice(self._missing_of(wanted), limit))

    def _missing_of(self, wanted: Container[str] | None) -> Iterator[EmbeddedSample]:
        return (sample for sample in self._missing if wanted is None or sample.image_id in wanted)

    def _embed(self, embedder: Embedder, samples: Sequence[EmbeddedSample]) -> None:
        """Embed samples, store their groups and vectors, and add them to the index."""
        images = [self._small(sample.image_id, embedder) for sample in samples]
        readable = [sample for sample, image in zip(samples, images, strict=True) if image is not None]
        vectors = embedder.embed(image for image in images if image is not None)
        with self._reading:
            index = self._read(embedder)
            known = {sample.id for sample in index.samples}  # another process may have been faster
            new = [row for row, sample in enumerate(readable) if sample.id not in known]
            limit = embedder.near_duplicate_sample
            grouped = index.grouped([readable[row] for row in new], vectors[new], limit)
            # the groups first: a sample that has an embedding has been compared
            self.library.samples.set_groups({sample.id: sample.group for sample in grouped})
            by_image = {sample.image_id: vector for sample, vector in zip(grouped, vectors[new], strict=True)}
            self.library.embeddings.add(embedder.name, by_image)
            index.add(grouped, vectors[new])
            rendered, count = self._stored
            self._stored = (rendered, count + len(by_image))
            done = {sample.id for sample in samples}
            self._missing = [sample for sample in self._missing if sample.id not in done]

    def _small(self, image_id: str, embedder: Embedder) -> RGB | None:
        try:
            return shrunk(self.library.images.read(image_id)[..., :3], embedder.side_px)
        except (NotFound, DamagedPicture):
            self._unreadable.add(image_id)
            return None

    def _read(self, embedder: Embedder) -> SimilarityIndex:
        """Return the index of all embedded samples; read what was stored since the last call."""
        rendered = self.library.counts().samples["rendered"]
        stored = (rendered, self.library.embeddings.count(embedder.name))
        index = self._index = self._index or SimilarityIndex(embedder.size)
        if stored != self._stored:
            embedded, missing = self.library.embeddings.newest_samples(embedder.name, limit=self.most)
            new = index.keep(embedded)
            for start in range(0, len(new), _READ_AT_ONCE):
                self._load(index, embedder, new[start : start + _READ_AT_ONCE])
            self._missing = [sample for sample in missing if sample.image_id not in self._unreadable]
            self._stored = stored
        return index

    def _load(self, index: SimilarityIndex, embedder: Embedder, samples: Sequence[EmbeddedSample]) -> None:
        vectors = self.library.embeddings.of(embedder.name, (sample.image_id for sample in samples))
        present = [sample for sample in samples if sample.image_id in vectors]
        if present:
            index.add(present, np.stack([vectors[sample.image_id] for sample in present]))
