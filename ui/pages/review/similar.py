"""The server functions for similar images: the samples that look most like one, and the comparing that this needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.access import Capability, server_function
from ui.pages.review.grid import grid_entry_of
from ui.pages.review.requests import read_text
from ui.session import Answer, answered

if TYPE_CHECKING:
    from pipeline.services.reports import SimilarSample
    from pipeline.studio import Studio

_MOST = 23  # similar images that are shown beside the one under review


@dataclass(frozen=True, slots=True)
class SimilarServer:
    """What the page may ask about similar images; a refusal is answered with its sentence as `problem`."""

    studio: Studio

    def functions(self) -> tuple[Callable[..., Answer], ...]:
        """The server functions, each with one value as its question."""
        studio = self.studio
        return (
            server_function(studio, Capability.LOOK, self.similar_samples),
            server_function(studio, Capability.REVIEW, self.compare_samples),
        )

    def similar_samples(self, sample_id: object) -> Answer:
        """A sample → `entries`, the most similar first, each with `share` and `near`, and how many are `missing`.

        `compared` is false where the sample itself has no embedding yet; then there are no entries.
        """

        def find() -> Answer:
            similarity = self.studio.review.similarity
            matches = similarity.similar(read_text(sample_id, "sample"), limit=_MOST)
            return {
                "compared": matches is not None,
                "entries": [similar_entry_of(self.studio, match) for match in matches or []],
                "missing": self.studio.samples.embeddings.missing(),
            }

        return answered(find)

    def compare_samples(self, sample_id: object) -> Answer:
        """Compare a sample (None: no particular one) and some others with all → how many are still `missing`."""

        def compare() -> Answer:
            wanted = None if sample_id is None else read_text(sample_id, "sample")
            return {"missing": self.studio.review.similarity.compare(wanted)}

        return answered(compare)


def similar_entry_of(studio: Studio, match: SimilarSample) -> Answer:
    """What the dialog shows of a similar sample."""
    share = f"{max(0.0, match.similarity):.0%}"
    return grid_entry_of(studio, match.row) | {"share": share, "near": match.is_near_duplicate}
