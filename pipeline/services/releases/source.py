"""A library as the source of a release: its rows, and the agreement of its reviewers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.domain.release import ReviewFacts
from pipeline.services.review.agreement import by_sample, krippendorffs_alpha
from pipeline.store import Library
from pipeline.store.image_files import ImageFiles
from pipeline.store.plans import PlanRepository
from pipeline.store.releases import ReleaseRepository
from pipeline.store.review import ReviewRepository


@dataclass(frozen=True, slots=True)
class MeasuredReview:
    """The review of a library with the agreement of its reviewers."""

    repository: ReviewRepository

    def facts(self) -> ReviewFacts:
        """Return how the samples were decided, and Krippendorff's alpha of the standing votes."""
        votes = by_sample((row.sample_id, row.reviewer, row.verdict) for row in self.repository.votes())
        return replace(self.repository.facts(), agreement=krippendorffs_alpha(votes))


@dataclass(frozen=True, slots=True)
class LibrarySource:
    """The parts of a library that `pipeline.publish` reads."""

    releases: ReleaseRepository
    images: ImageFiles
    plans: PlanRepository
    review: MeasuredReview


def release_source(library: Library) -> LibrarySource:
    """Return a library as the source of a release whose card tells how far the reviewers agree."""
    return LibrarySource(library.releases, library.images, library.plans, MeasuredReview(library.review))
