"""The services of the review, connected to each other."""

from __future__ import annotations

from pipeline.services.file_access import FileAccess
from pipeline.services.review.auto_reviewer import AutoReviewer
from pipeline.services.review.decisions import DecisionService
from pipeline.services.review.gold import GoldService
from pipeline.services.review.insights import InsightService
from pipeline.services.review.measures import MeasureService
from pipeline.services.review.queue import QueueService
from pipeline.services.review.roles import Roles
from pipeline.services.review.similar import SimilarityService
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.settings import Settings
from pipeline.store import Library


class ReviewServices:
    """Queues, decisions, gold items, the auto-reviewer, similar samples, later measures, and reports on decisions."""

    def __init__(
        self, library: Library, settings: Settings, access: FileAccess, embeddings: SampleEmbeddings
    ) -> None:
        self.roles = Roles(settings)
        self.gold = GoldService(library, self.roles, share=settings.gold)
        self.similarity = SimilarityService(library, self.gold, embeddings)
        self.auto_reviewer = AutoReviewer(library, self.roles, embeddings)
        self.queue = QueueService(library, self.roles, self.gold, self.auto_reviewer)
        self.decisions = DecisionService(library, self.roles, self.gold, access, settings.batch_size)
        self.measures = MeasureService(library, embeddings)
        self.insights = InsightService(library)
