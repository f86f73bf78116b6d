"""The review pane as one `gr.HTML`: the browser owns the queue, the server answers small questions.

The modules of `static/review/` show the next image at once and send decisions behind it, in order, each with a
client id.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.domain.review import RejectReason, Verdict
from pipeline.errors import NotAllowed, StudioError
from ui.addresses import file_address, inline_picture
from ui.review_grid import grid_functions
from ui.review_session import Answer, answered, reviewer_of
from ui.scripts import widget_script
from ui.theme import STATIC

if TYPE_CHECKING:
    from pipeline.library import GoldItem, SampleRow
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

    def review_queue(asked: list[Any], request: gr.Request | None = None) -> Answer:
        """`[after, limit, query]` → the entries that follow that sample, how many are pending, who asks, their role."""
        after, limit, query = asked
        reviewer = reviewer_of(studio, request)

        def dealt() -> Answer:
            rows = studio.next_for_review(reviewer, query=query, after=after, limit=int(limit))
            entries = [entry_of(studio, row) for row in rows]
            return {"entries": with_gold(studio, entries, reviewer), "ended": len(rows) < int(limit)}

        answer = {"entries": [], "ended": True} | answered(dealt)
        return (
            answer
            | _standing(studio, reviewer)
            | {"reviewer": reviewer, "role": str(studio.role(reviewer)), "hosted": studio.settings.hosted}
        )

    def record_decisions(asked: Any, request: gr.Request | None = None) -> Answer:
        """`[decision, …]` in the order in which they were taken → each client id with its problem or ""."""
        decisions = asked[0] if asked and isinstance(asked[0], list) else asked
        reviewer = reviewer_of(studio, request)
        saved = [
            {"client_id": one["client_id"], "problem": _recorded(studio, reviewer, one)} for one in decisions
        ]
        return {"saved": saved, **_standing(studio, reviewer)}

    def undo_last(_asked: Any = None, request: gr.Request | None = None) -> Answer:
        """Take back this reviewer's last decision of an earlier visit → its entry, or None."""
        reviewer = reviewer_of(studio, request)
        try:
            sample_id = studio.undo(reviewer)
        except NotAllowed:
            sample_id = None
        entry = entry_of(studio, studio.sample(sample_id)) if sample_id else None
        return {"entry": entry, **_standing(studio, reviewer)}

    def leave_review(_asked: Any = None, request: gr.Request | None = None) -> Answer:
        """Give back what this reviewer was about to look at."""
        studio.leave_review(reviewer_of(studio, request))
        return {"problem": ""}

    def photo_in_place(sample_id: str) -> Answer:
        """The photograph of a sample, moved as the object was, as the address of an image."""
        return answered(lambda: {"image": inline_picture(studio.photo_in_place(sample_id))})

    def another_try(sample_id: str, request: gr.Request | None = None) -> Answer:
        """The entry of the same placement drawn with a new seed."""
        reviewer = reviewer_of(studio, request)
        answer = answered(lambda: {"entry": entry_of(studio, studio.another_try(sample_id, reviewer))})
        return answer | _standing(studio, reviewer)

    return (
        review_queue, record_decisions, undo_last, leave_review, photo_in_place, another_try,
        *grid_functions(studio),
    )  # fmt: skip


def with_gold(studio: Studio, entries: list[Answer], reviewer: str) -> list[Answer]:
    """Entries with known answers among them, in any place but the last: the next page goes on behind that one."""
    for item in studio.gold_for(reviewer, len(entries)) if entries else []:
        entries.insert(random.randrange(len(entries)), gold_entry_of(studio, item))
    return entries


def _standing(studio: Studio, reviewer: str) -> Answer:
    return {"left": studio.left_for(reviewer)}


def entry_of(studio: Studio, row: SampleRow) -> Answer:
    """What the pane shows of a sample."""
    spec = row.spec
    scores = list(row.scores.items())[:_SHOWN_SCORES]
    facts = {"method": str(spec.method), "model": spec.model, "seed": str(spec.seed)}
    assert row.image_id is not None, "only rendered samples are reviewed"
    return {
        "id": spec.id,
        "image": file_address(studio.picture_path(row.image_id)),
        "mask": file_address(studio.picture_path(row.mask_id)) if row.mask_id else "",
        "height": spec.size[0],
        "width": spec.size[1],
        "label": spec.label,
        "prompt": spec.prompt,
        "facts": facts | {name.replace("_", " "): f"{value:.2f}" for name, value in scores},
        "doubts": list(row.failed_gates),
    }


def gold_entry_of(studio: Studio, item: GoldItem) -> Answer:
    """What the pane shows of a known answer: the sample or the photograph, under an id of its own."""
    if item.sample_id:
        return entry_of(studio, studio.sample(item.sample_id)) | {"id": item.id}
    assert item.subject_id is not None
    subject = studio.subject(item.subject_id)
    return {
        "id": item.id,
        "image": file_address(studio.picture_path(subject.photo_id)),
        "mask": file_address(studio.picture_path(subject.mask_id)) if subject.mask_id else "",
        "height": subject.height,
        "width": subject.width,
        "label": subject.label,
        "prompt": "",
        "facts": {},
        "doubts": [],
    }


def _recorded(studio: Studio, reviewer: str, decision: Answer) -> str:
    """Record one decision; the sentence of a refusal that a repeat cannot mend, else ""."""
    try:
        studio.decide(
            decision["sample_id"],
            Verdict(decision["verdict"]),
            reviewer=reviewer,
            reason=decision.get("reason"),
            via="key" if decision["via"] == "key" else "click",  # nothing else is a browser's to say
            client_id=decision["client_id"],
            comment=str(decision.get("comment") or "")[:_COMMENT_LENGTH],
            shown=decision.get("shown"),
        )
    except StudioError as error:
        return str(error)
    return ""
