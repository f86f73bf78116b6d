"""Similar samples: which samples look most like the one under review."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.embedding import load_embedder
from pipeline.errors import NotFound
from pipeline.services.reports import SimilarSample
from pipeline.services.review.gold import GoldService
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.store import Library

_AT_ONCE = 48  # samples that one call embeds; a second or two


@dataclass(frozen=True, slots=True)
class SimilarityService:
    """Search by similarity. A gold item is answered for like the sample or photo that it shows."""

    library: Library
    gold: GoldService
    embeddings: SampleEmbeddings

    def compare(self, sample_id: str | None = None) -> int:
        """Embed one sample if it has no embedding, and some of the others; return how many have none.

        Raises:
            NotFound, DamagedPicture: the sample, or its image, cannot be read.
        """
        if sample_id is None:
            return self.embeddings.embed_missing(_AT_ONCE)
        image_id, shown_id, _ = self._shown(sample_id)
        if shown_id is None:
            self.embeddings.embed_image(image_id)
        left = self.embeddings.embed_missing(_AT_ONCE, first=image_id)
        if image_id not in self.embeddings.vectors_of([image_id]):
            self.library.images.read(image_id)  # it was passed over: raises what is wrong with it
        return left

    def similar(self, sample_id: str, *, limit: int) -> list[SimilarSample] | None:
        """Return the samples most similar to one, the most similar first; None if it has no embedding yet.

        Raises:
            NotFound: no such sample, or it has no image.
        """
        image_id, shown_id, label = self._shown(sample_id)
        pairs = self.embeddings.similar(image_id, count=limit, but=shown_id)
        if pairs is None:
            return None
        near = load_embedder().near_duplicate_sample
        rows = [(self.library.samples.get(match_id), similarity) for match_id, similarity in pairs]
        return [
            SimilarSample(
                row=row,
                similarity=similarity,
                is_near_duplicate=similarity >= near and row.spec.label == label,
            )
            for row, similarity in rows
            if row.image_id is not None
        ]

    def _shown(self, sample_id: str) -> tuple[str, str | None, str]:
        """Return the image of a sample or gold item, the id of the sample that it is, and its class."""
        item = self.library.gold.get(sample_id)
        row = self.library.samples.get(sample_id) if item is None else self.gold.shown(item)
        if row.image_id is None:
            raise NotFound("image of sample", sample_id)
        return row.image_id, sample_id if item is None else item.sample_id, row.spec.label
