"""The review pane as one `gr.HTML`: the browser owns the queue, the server answers small questions.

The modules of `static/review/` show the next image at once and send decisions behind it, in order, each with a
client id.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.domain.review import RejectReason
from pipeline.errors import LibraryBusy, LibraryUnusable, NotAllowed, StudioError
from ui.access import Capability, server_function
from ui.components.addresses import file_address, inline_picture
from ui.components.scripts import widget_script
from ui.pages.review.grid import grid_functions
from ui.pages.review.requests import PageRequest, SentDecision, in_order, read, read_text, sent_decisions
from ui.session import Answer, answered, reviewer_of
from ui.theme import STATIC

if TYPE_CHECKING:
    from pipeline.store import SampleRow
    from pipeline.studio import Studio

_REASON_TITLES = {"label_lost": "label lost", "second_object": "second object"}
_SHOWN_SCORES = 4
_COMMENT_LENGTH = 500


def build_review_component(studio: Studio) -> gr.HTML:
    """The pane; decisions are kept under the name that the browser signed in with."""
    return gr.HTML(
        html_template=(STATIC / "review.html").read_text(encoding="utf-8"),
        js_on_load=widget_script("review/main.js"),
        server_functions=list(server_functions(studio)),
        elem_id="review",
        reasons=json.dumps([(str(one), _REASON_TITLES.get(str(one), str(one))) for one in RejectReason]),
        library=sha256(str(studio.settings.library.absolute()).encode()).hexdigest()[:12],
    )


def server_functions(studio: Studio) -> tuple[Callable[..., Answer], ...]:
    """What the browser may ask. Gradio hands several arguments over as one list, and a single one as it is."""

    def review_queue(asked: Any, request: gr.Request | None = None) -> Answer:
        """`[after, limit, query]` → the entries that follow that sample, how many are pending, who asks, their role."""
        reviewer = reviewer_of(studio, request)

        def dealt() -> Answer:
            page = read(PageRequest, in_order(PageRequest, asked))
            rows = studio.review.queue.next(reviewer, query=page.query, after=page.after, limit=page.limit)
            entries = [entry_of(studio, row) for row in rows]
            return {"entries": with_gold(studio, entries, reviewer), "ended": len(rows) < page.limit}

        answer = {"entries": [], "ended": True} | answered(dealt)
        return (
            answer
            | _standing(studio, reviewer)
            | {
                "reviewer": reviewer,
                "role": str(studio.review.roles.role(reviewer)),
                "hosted": studio.settings.hosted,
            }
        )

    def record_decisions(asked: Any, request: gr.Request | None = None) -> Answer:
        """`[decision, …]` in the order in which they were taken → each client id with what became of it.

        `saved` holds `{client_id, state}` for a decision that is stored and `{client_id, refused}` with a sentence for
        one that never will be: the browser drops both. What is not in `saved` could not be stored now, `problem` says
        why; the browser sends it again.
        """
        reviewer = reviewer_of(studio, request)
        saved: list[Answer] = []

        def record() -> Answer:
            for sent in sent_decisions(asked):
                saved.append(_recorded(studio, reviewer, sent))
            return {}

        return answered(record) | {"saved": saved, **_standing(studio, reviewer)}

    def undo_last(_asked: Any = None, request: gr.Request | None = None) -> Answer:
        """Take back this reviewer's last decision of an earlier visit → its entry, or None."""
        reviewer = reviewer_of(studio, request)
        try:
            sample_id = studio.review.decisions.undo(reviewer)
        except NotAllowed:
            sample_id = None
        row = studio.library.samples.get(sample_id) if sample_id else None
        entry = (
            entry_of(studio, row) if row and row.image_id else None
        )  # without an image there is none to show
        return {"entry": entry, **_standing(studio, reviewer)}

    def leave_review(_asked: Any = None, request: gr.Request | None = None) -> Answer:
        """Give back what this reviewer was about to look at."""
        studio.review.queue.leave(reviewer_of(studio, request))
        return {"problem": ""}

    def photo_in_place(sample_id: Any) -> Answer:
        """The photograph of a sample, moved as the object was, as the address of an image."""
        return answered(
            lambda: {
                "image": inline_picture(
                    studio.review.decisions.photo_in_place(read_text(sample_id, "sample"))
                )
            }
        )

    def another_try(sample_id: Any, request: gr.Request | None = None) -> Answer:
        """The entry of the same placement drawn with a new seed."""
        reviewer = reviewer_of(studio, request)

        def draw() -> Answer:
            row = studio.review.decisions.another_try(read_text(sample_id, "sample"), reviewer)
            return {"entry": entry_of(studio, row)}

        return answered(draw) | _standing(studio, reviewer)

    return (
        server_function(studio, Capability.LOOK, review_queue),
        server_function(studio, Capability.REVIEW, record_decisions, refused=_none_saved),
        server_function(studio, Capability.REVIEW, undo_last),
        server_function(studio, Capability.LOOK, leave_review),
        server_function(studio, Capability.LOOK, photo_in_place),
        server_function(studio, Capability.REVIEW, another_try),
        *grid_functions(studio),
    )


def _none_saved(asked: Any, problem: str) -> Answer:
    """The answer to decisions that were all refused, each by its client id."""
    decisions = asked[0] if asked and isinstance(asked, list) and isinstance(asked[0], list) else asked
    ids = [one.get("client_id") for one in decisions or [] if isinstance(one, dict)]
    return {"saved": [{"client_id": client_id, "refused": problem} for client_id in ids]}


def with_gold(studio: Studio, entries: list[Answer], reviewer: str) -> list[Answer]:
    """Entries with known answers among them, in any place but the last: the next page goes on behind that one.

    An item whose images are missing is left out.
    """
    for item in studio.review.gold.for_reviewer(reviewer, len(entries)) if entries else []:
        with suppress(StudioError):
            entry = entry_of(studio, studio.review.gold.row(item, reviewer)) | {"id": item.id}
            entries.insert(random.randrange(len(entries)), entry)
    return entries


def _standing(studio: Studio, reviewer: str) -> Answer:
    return {"left": studio.review.queue.left_for(reviewer)}


def entry_of(studio: Studio, row: SampleRow) -> Answer:
    """What the pane shows of a sample."""
    spec = row.spec
    scores = list(row.scores.items())[:_SHOWN_SCORES]
    facts = {"method": str(spec.method), "model": spec.model, "seed": str(spec.seed)}
    assert row.image_id is not None, "only rendered samples are reviewed"
    return {
        "id": spec.id,
        "image": file_address(studio.library.images.path(row.image_id)),
        "mask": file_address(studio.library.images.path(row.mask_id)) if row.mask_id else "",
        "height": spec.size[0],
        "width": spec.size[1],
        "label": spec.label,
        "prompt": spec.prompt,
        "facts": facts | {name.replace("_", " "): f"{value:.2f}" for name, value in scores},
        "doubts": list(map(str, row.failed_gates)),
    }


def _recorded(studio: Studio, reviewer: str, sent: Any) -> Answer:
    """Record one decision; its client id with its new state, or with the sentence of a refusal.

    Raises:
        LibraryUnusable, LibraryBusy: it cannot be stored now; a repeat may succeed.
    """
    client_id = sent.get("client_id") if isinstance(sent, dict) else None
    try:
        decision = read(SentDecision, sent)
        state = studio.review.decisions.decide(
            decision.sample_id,
            decision.verdict,
            reviewer=reviewer,
            reason=decision.reason,
            via="key" if decision.via == "key" else "click",  # nothing else is a browser's to say
            client_id=decision.client_id,
            comment=decision.comment[:_COMMENT_LENGTH],
            shown=decision.shown,
        )
    except (LibraryUnusable, LibraryBusy):
        raise
    except StudioError as error:
        return {"client_id": client_id, "refused": str(error)}
    return {"client_id": client_id, "state": state}
