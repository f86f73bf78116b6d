"""The server functions of the review grid: pages of a query, decisions on all of it, named queues, gold items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.review import DISPUTED
from pipeline.domain.spec import Method
from pipeline.store import SampleOrder
from ui.access import Capability, server_function
from ui.components.addresses import file_address
from ui.pages.review.requests import (
    BulkRequest,
    GoldRequest,
    KeepRequest,
    PageRequest,
    QueryRequest,
    QueueRequest,
    read_text,
)
from ui.requests import read
from ui.session import Answer, answered, reviewer_of

if TYPE_CHECKING:
    from pipeline.store import SampleRow
    from pipeline.studio import Studio


@dataclass(frozen=True, slots=True)
class GridServer:
    """What the grid may ask; a refusal is answered with its sentence as `problem`."""

    studio: Studio

    def functions(self) -> tuple[Callable[..., Answer], ...]:
        """The server functions, each with one value as its question."""
        studio = self.studio
        return (
            server_function(studio, Capability.LOOK, self.grid_page),
            server_function(studio, Capability.LOOK, self.count_fitting),
            server_function(studio, Capability.REVIEW, self.decide_all),
            server_function(studio, Capability.REVIEW, self.keep_best),
            server_function(studio, Capability.REVIEW, self.undo_all),
            server_function(studio, Capability.REVIEW, self.save_queue),
            server_function(studio, Capability.SETTLE, self.make_gold),
        )

    def grid_page(self, question: object) -> Answer:
        """`{query, after, limit}` → a page of entries; the first one with the filters' choices and the queues.

        The first page of groups of near-duplicates also says how many samples are `missing` in them: not compared yet.
        """

        def page() -> Answer:
            request = read(PageRequest, question)
            rows = self.studio.review.queue.page(request.query, limit=request.limit, after=request.after)
            answer: Answer = {"entries": [grid_entry_of(self.studio, row) for row in rows]}
            if request.after is None:
                methods = [str(method) for method in Method]
                answer["choices"] = {**self.studio.review.queue.filter_choices(), "methods": methods}
                answer["queues"] = self.studio.library.queue.saved()
                if request.query.get("order") == SampleOrder.GROUPS:
                    answer["missing"] = self.studio.samples.embeddings.missing()
            return answer

        return answered(page)

    def count_fitting(self, question: object) -> Answer:
        """A query → `count`, the samples that match it, and `disputed`, those of them that `decide_all` leaves out."""

        def count() -> Answer:
            query = read(QueryRequest, {"query": question}).query
            disputed = (
                0 if query.get("state") else self.studio.review.queue.count({**query, "state": DISPUTED})
            )
            return {"count": self.studio.review.queue.count(query), "disputed": disputed}

        return answered(count)

    def decide_all(self, question: object, request: gr.Request | None = None) -> Answer:
        """`{query, verdict, reason, batch}` → how many were decided; `undo_all` takes the batch back."""
        reviewer = reviewer_of(self.studio, request)

        def decide() -> Answer:
            bulk = read(BulkRequest, question)
            count = self.studio.review.decisions.decide_all(
                bulk.query, bulk.verdict, reviewer=reviewer, reason=bulk.reason, batch=bulk.batch
            )
            return self._counted(count, reviewer)

        return answered(decide)

    def keep_best(self, question: object, request: gr.Request | None = None) -> Answer:
        """`{query, batch, kept}` → how many were rejected as near-duplicates of a better one, or of those in `kept`."""
        reviewer = reviewer_of(self.studio, request)

        def keep() -> Answer:
            asked = read(KeepRequest, question)
            count = self.studio.review.decisions.keep_best(
                asked.query, reviewer=reviewer, batch=asked.batch, kept=asked.kept
            )
            return self._counted(count, reviewer)

        return answered(keep)

    def undo_all(self, batch: object, request: gr.Request | None = None) -> Answer:
        """Take back the decisions of a batch."""
        reviewer = reviewer_of(self.studio, request)
        return answered(
            lambda: self._counted(
                self.studio.review.decisions.undo_all(read_text(batch, "batch"), reviewer=reviewer), reviewer
            )
        )

    def save_queue(self, question: object, request: gr.Request | None = None) -> Answer:
        """`{name, query}` → all queues; a query of None removes the queue."""
        reviewer = reviewer_of(self.studio, request)

        def save() -> Answer:
            queue = read(QueueRequest, question)
            if queue.query is None:
                self.studio.review.queue.remove(queue.name, reviewer)
            else:
                self.studio.review.queue.save(queue.name, queue.query, reviewer)
            return {"queues": self.studio.library.queue.saved()}

        return answered(save)

    def make_gold(self, question: object, request: gr.Request | None = None) -> Answer:
        """`{ids, photos}` → decided samples, or that number of photos, become gold items."""
        reviewer = reviewer_of(self.studio, request)

        def make() -> Answer:
            gold = read(GoldRequest, question)
            if gold.photos:
                return {"count": self.studio.review.gold.add_photos(gold.photos, reviewer)}
            self.studio.review.gold.add(gold.ids, reviewer)
            return {"count": len(gold.ids)}

        return answered(make)

    def _counted(self, count: int, reviewer: str) -> Answer:
        return {"count": count, "left": self.studio.review.queue.left_for(reviewer)}


def grid_entry_of(studio: Studio, row: SampleRow) -> Answer:
    """What the grid shows of a sample."""
    assert row.image_id is not None, "only rendered samples are reviewed"
    return {
        "id": row.id,
        "thumbnail": file_address(studio.photos.thumbnail_path(row.image_id)),
        "label": row.spec.label,
        "prompt": row.spec.prompt,
        "state": row.review,
        "cluster": row.cluster,
        "doubts": [*map(str, row.failed_gates), *_votes_of(studio, row)],
    }


def _votes_of(studio: Studio, row: SampleRow) -> list[str]:
    """The votes on a disputed sample; those on other samples are withheld, so that voting stays blind."""
    if row.review != DISPUTED:
        return []
    return [
        f"{vote.reviewer}: {vote.verdict} {vote.reason or ''}".strip()
        for vote in studio.library.review.votes(row.id)
    ]
