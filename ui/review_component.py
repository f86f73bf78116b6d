"""The review pane as one `gr.HTML`: the browser owns the queue, the server answers seven small questions.

`static/review.js` shows the next picture at once and sends decisions behind it, in order, each with a client
id.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import gradio as gr

from pipeline.domain.review import DISPUTED, RejectReason, Verdict
from pipeline.domain.spec import Method
from pipeline.errors import NotAllowed, StudioError
from ui.addresses import file_address, inline_picture
from ui.theme import STATIC

if TYPE_CHECKING:
    from pipeline.library import SampleRow
    from pipeline.studio import Studio

Answer = dict[str, Any]
_REASON_TITLES = {"label_lost": "label lost", "second_object": "second object"}
_SHOWN_SCORES = 4
_NAME_LENGTH = 80
NAME_COOKIE = "backlot_reviewer"  # set by static/review.js
_GRID_LIMIT = 200
_SCRIPTS = ("outbox.js", "queue.js", "keys.js", "grid.js", "review.js")


def build_review_component(studio: Studio) -> gr.HTML:
    """The pane; decisions are kept under the name that the browser signed in with."""
    return gr.HTML(
        html_template=(STATIC / "review.html").read_text(encoding="utf-8"),
        js_on_load="\n".join((STATIC / script).read_text(encoding="utf-8") for script in _SCRIPTS),
        server_functions=list(server_functions(studio)),
        elem_id="review",
        reasons=json.dumps([(str(one), _REASON_TITLES.get(str(one), str(one))) for one in RejectReason]),
        library=sha256(str(studio.settings.library.absolute()).encode()).hexdigest()[:12],
    )


def server_functions(studio: Studio) -> tuple[Callable[..., Answer], ...]:
    """What the browser may ask. Gradio hands several arguments over as one list, and a single one as it is."""

    def review_queue(asked: list[Any], request: gr.Request | None = None) -> Answer:
        """`[after, limit]` → the entries that follow that sample, how many are pending, who asks and their role."""
        after, limit = asked
        reviewer = reviewer_of(studio, request)
        rows = studio.next_for_review(reviewer, after=after, limit=int(limit))
        return {
            "entries": [entry_of(studio, row) for row in rows],
            "left": studio.left_for(reviewer),
            "reviewer": reviewer,
            "role": str(studio.role(reviewer)),
        }

    def record_decisions(asked: Any, request: gr.Request | None = None) -> Answer:
        """`[decision, …]` in the order in which they were taken → each client id with its problem or ""."""
        decisions = asked[0] if asked and isinstance(asked[0], list) else asked
        reviewer = reviewer_of(studio, request)
        saved = [
            {"client_id": one["client_id"], "problem": _recorded(studio, reviewer, one)} for one in decisions
        ]
        return {"saved": saved, "left": studio.left_for(reviewer)}

    def undo_last(_asked: Any = None, request: gr.Request | None = None) -> Answer:
        """Take back this reviewer's last decision of an earlier visit → its entry, or None."""
        reviewer = reviewer_of(studio, request)
        try:
            sample_id = studio.undo(reviewer)
        except NotAllowed:
            sample_id = None
        entry = entry_of(studio, studio.sample(sample_id)) if sample_id else None
        return {"entry": entry, "left": studio.left_for(reviewer)}

    def leave_review(_asked: Any = None, request: gr.Request | None = None) -> Answer:
        """Give back what this reviewer was about to look at."""
        studio.leave_review(reviewer_of(studio, request))
        return {"problem": ""}

    def photo_in_place(sample_id: str) -> Answer:
        """The photograph of a sample, moved as the object was, as the address of an image."""
        return _answered(lambda: {"image": inline_picture(studio.photo_in_place(sample_id))})

    def another_try(sample_id: str, request: gr.Request | None = None) -> Answer:
        """The entry of the same placement drawn with a new seed."""
        reviewer = reviewer_of(studio, request)
        answer = _answered(lambda: {"entry": entry_of(studio, studio.another_try(sample_id, reviewer))})
        return answer | {"left": studio.left_for(reviewer)}

    def grid_page(asked: Answer) -> Answer:
        """A page of the samples that a filter lets through: `state`, `label`, `method`, `order`, `after`, `limit`."""

        def page() -> Answer:
            rows = studio.samples(
                review=asked["state"] or None,
                label=asked["label"] or None,
                method=asked["method"] or None,
                order=asked["order"],
                limit=min(int(asked["limit"]), _GRID_LIMIT),
                after=asked["after"],
            )
            return {
                "entries": [grid_entry_of(studio, row) for row in rows],
                "labels": list(studio.classes()),
                "methods": [str(one) for one in Method],
            }

        return _answered(page)

    return (
        review_queue, record_decisions, undo_last, leave_review, photo_in_place, another_try, grid_page,
    )  # fmt: skip


def reviewer_of(studio: Studio, request: gr.Request | None) -> str:
    """The name that a browser signed in with; the name of this machine's settings where it did not."""
    given = unquote(request.cookies.get(NAME_COOKIE, "")).strip() if request else ""
    return given[:_NAME_LENGTH] or studio.settings.reviewer


def _answered(ask: Callable[[], Answer]) -> Answer:
    """An answer, with the sentence of a refusal as `problem`."""
    try:
        return {"problem": "", **ask()}
    except StudioError as error:
        return {"problem": str(error)}


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


def grid_entry_of(studio: Studio, row: SampleRow) -> Answer:
    """What the grid shows of a sample."""
    assert row.image_id is not None, "only rendered samples are reviewed"
    return {
        "id": row.id,
        "thumbnail": file_address(studio.thumbnail_path(row.image_id)),
        "label": row.spec.label,
        "prompt": row.spec.prompt,
        "state": row.review,
        "doubts": [*row.failed_gates, *_votes_of(studio, row)],
    }


def _votes_of(studio: Studio, row: SampleRow) -> list[str]:
    """Who said what of a disputed sample; of others nothing is told, so that votes stay blind."""
    if row.review != DISPUTED:
        return []
    return [f"{one.reviewer}: {one.verdict} {one.reason or ''}".strip() for one in studio.votes(row.id)]


def _recorded(studio: Studio, reviewer: str, decision: Answer) -> str:
    """Record one decision; the sentence of a refusal that a repeat cannot mend, else ""."""
    try:
        studio.decide(
            decision["sample_id"],
            Verdict(decision["verdict"]),
            reviewer=reviewer,
            reason=decision.get("reason"),
            via=decision["via"],
            client_id=decision["client_id"],
        )
    except StudioError as error:
        return str(error)
    return ""
