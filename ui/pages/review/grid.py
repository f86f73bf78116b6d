"""What the grid of the review asks the server: pages of a query, decisions on all of it, named queues, gold items."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.domain.review import DISPUTED
from pipeline.domain.spec import Method
from ui.access import Capability, server_function
from ui.components.addresses import file_address
from ui.pages.review.requests import (
    BatchRequest,
    BulkRequest,
    GoldRequest,
    PageRequest,
    QueryRequest,
    QueueRequest,
    read,
    read_text,
)
from ui.session import Answer, answered, reviewer_of

if TYPE_CHECKING:
    from pipeline.store import SampleRow
    from pipeline.studio import Studio


def grid_functions(studio: Studio) -> tuple[Callable[..., Answer], ...]:
    """The functions, each with one object as its question."""

    def grid_page(asked: Any) -> Answer:
        """`{query, after, limit}` → a page of entries; with the first one the choices of the filters and the queues."""

        def page() -> Answer:
            wanted = read(PageRequest, asked)
            rows = studio.review.queue.page(wanted.query, limit=wanted.limit, after=wanted.after)
            answer: Answer = {"entries": [grid_entry_of(studio, row) for row in rows]}
            if wanted.after is None:
                choices = studio.review.queue.filter_choices()
                answer |= {"choices": {**choices, "methods": [str(one) for one in Method]}}
                answer |= {"queues": studio.library.queue.saved()}
            return answer

        return answered(page)

    def count_fitting(query: Any) -> Answer:
        """How many samples a query asks for."""
        return answered(
            lambda: {"count": studio.review.queue.count(read(QueryRequest, {"query": query}).query)}
        )

    def decide_all(asked: Any, request: gr.Request | None = None) -> Answer:
        """`{query, verdict, reason, batch}` → how many were decided; `undo_all` takes the batch back."""
        reviewer = reviewer_of(studio, request)

        def decide() -> Answer:
            wanted = read(BulkRequest, asked)
            done = studio.review.decisions.decide_all(
                wanted.query, wanted.verdict, reviewer=reviewer, reason=wanted.reason, batch=wanted.batch
            )
            return {"count": done, "left": studio.review.queue.left_for(reviewer)}

        return answered(decide)

    def keep_best(asked: Any, request: gr.Request | None = None) -> Answer:
        """`{query, batch}` → how many were rejected because a better one looks like them."""
        reviewer = reviewer_of(studio, request)

        def keep() -> Answer:
            wanted = read(BatchRequest, asked)
            done = studio.review.decisions.keep_best(wanted.query, reviewer=reviewer, batch=wanted.batch)
            return {"count": done, "left": studio.review.queue.left_for(reviewer)}

        return answered(keep)

    def undo_all(batch: Any, request: gr.Request | None = None) -> Answer:
        """Take back what was decided in one go."""
        reviewer = reviewer_of(studio, request)

        def undo() -> Answer:
            count = studio.review.decisions.undo_all(read_text(batch, "batch"), reviewer=reviewer)
            return {"count": count, "left": studio.review.queue.left_for(reviewer)}

        return answered(undo)

    def save_queue(asked: Any, request: gr.Request | None = None) -> Answer:
        """`{name, query}` → all queues; a query of None removes the queue."""
        reviewer = reviewer_of(studio, request)

        def save() -> Answer:
            wanted = read(QueueRequest, asked)
            if wanted.query is None:
                studio.review.queue.remove(wanted.name, reviewer)
            else:
                studio.review.queue.save(wanted.name, wanted.query, reviewer)
            return {"queues": studio.library.queue.saved()}

        return answered(save)

    def make_gold(asked: Any, request: gr.Request | None = None) -> Answer:
        """`{ids, photos}` → decided samples, or so many photographs, become gold items."""
        reviewer = reviewer_of(studio, request)

        def make() -> Answer:
            wanted = read(GoldRequest, asked)
            if wanted.photos:
                return {"count": studio.review.gold.add_photos(wanted.photos, reviewer)}
            studio.review.gold.add(wanted.ids, reviewer)
            return {"count": len(wanted.ids)}

        return answered(make)

    return (
        server_function(studio, Capability.LOOK, grid_page),
        server_function(studio, Capability.LOOK, count_fitting),
        server_function(studio, Capability.REVIEW, decide_all),
        server_function(studio, Capability.REVIEW, keep_best),
        server_function(studio, Capability.REVIEW, undo_all),
        server_function(studio, Capability.REVIEW, save_queue),
        server_function(studio, Capability.SETTLE, make_gold),
    )


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
    """Who said what of a disputed sample; of others nothing is told, so that votes stay blind."""
    if row.review != DISPUTED:
        return []
    return [
        f"{one.reviewer}: {one.verdict} {one.reason or ''}".strip()
        for one in studio.library.review.votes(row.id)
    ]
