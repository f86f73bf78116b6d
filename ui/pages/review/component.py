"""The review pane as one `gr.HTML`: the browser owns the queue, the server answers small questions.

The modules of `static/review/` show the next image at once and send decisions in the background, in order, each with
a client id.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.distractors import distractors_sentence
from pipeline.domain.review import REASON_TITLES, RejectReason
from pipeline.errors import InvalidRequest, LibraryBusy, LibraryUnusable, NotAllowed, StudioError
from ui.access import Capability, server_function
from ui.components.addresses import file_address, inline_picture
from ui.components.scripts import widget_script
from ui.pages.review.grid import GridServer
from ui.pages.review.requests import PageRequest, SentDecision, in_order, read_text, sent_decisions
from ui.pages.review.similar import SimilarServer
from ui.requests import read
from ui.session import Answer, answered, reviewer_of
from ui.theme import STATIC

if TYPE_CHECKING:
    from pipeline.store import SampleRow
    from pipeline.studio import Studio

_SHOWN_SCORES = 4
_COMMENT_LENGTH = 500


def build_review_component(studio: Studio) -> gr.HTML:
    """Build the pane; decisions are recorded under the name that the browser signed in with."""
    return gr.HTML(
        html_template=(STATIC / "review.html").read_text(encoding="utf-8"),
        js_on_load=widget_script("review/main.js"),
        server_functions=list(server_functions(studio)),
        elem_id="review",
        reasons=json.dumps([(str(reason), REASON_TITLES[reason]) for reason in RejectReason]),
        library=sha256(str(studio.settings.library.absolute()).encode()).hexdigest()[:12],
    )


def server_functions(studio: Studio) -> tuple[Callable[..., Answer], ...]:
    """What the browser may ask. Gradio hands several arguments over as one list, and a single one as it is."""
    return (
        *ReviewServer(studio).functions(),
        *GridServer(studio).functions(),
        *SimilarServer(studio).functions(),
    )


@dataclass(frozen=True, slots=True)
class ReviewServer:
    """What the pane may ask; a refusal is answered with its sentence as `problem`."""

    studio: Studio

    def functions(self) -> tuple[Callable[..., Answer], ...]:
        """The server functions, each with one value as its question."""
        studio = self.studio
        return (
            server_function(studio, Capability.LOOK, self.review_queue),
            server_function(studio, Capability.REVIEW, self.record_decisions, refused=_none_saved),
            server_function(studio, Capability.REVIEW, self.undo_last),
            server_function(studio, Capability.LOOK, self.leave_review),
            server_function(studio, Capability.LOOK, self.photo_in_place),
            server_function(studio, Capability.REVIEW, self.another_try),
        )

    def review_queue(self, question: object, request: gr.Request | None = None) -> Answer:
        """`[after, limit, query]` → the entries that follow a sample, how many are left, who asks, their role."""
        studio = self.studio
        reviewer = reviewer_of(studio, request)

        def next_entries() -> Answer:
            page = read(PageRequest, in_order(PageRequest, question))
            rows = studio.review.queue.next(reviewer, query=page.query, after=page.after, limit=page.limit)
            entries = [entry_of(studio, row) for row in rows]
            return {"entries": with_gold(studio, entries, reviewer), "ended": len(rows) < page.limit}

        answer = {"entries": [], "ended": True} | answered(next_entries)
        who = {
            "reviewer": reviewer,
            "role": str(studio.review.roles.role(reviewer)),
            "hosted": studio.settings.hosted,
        }
        return answer | self._left(reviewer) | who

    def record_decisions(self, question: object, request: gr.Request | None = None) -> Answer:
        """`[decision, …]` in the order in which they were taken → the outcome of each, by client id.

        `saved` holds `{client_id, state}` for a decision that is stored and `{client_id, refused}` with a sentence for
        one that never will be: the browser drops both. A decision that is not in `saved` could not be stored now, for
        the reason in `problem`; the browser sends it again.
        """
        reviewer = reviewer_of(self.studio, request)
        saved: list[Answer] = []

        def record() -> Answer:
            for sent in sent_decisions(question):
                saved.append(_recorded(self.studio, reviewer, sent))
            return {}

        return answered(record) | {"saved": saved, **self._left(reviewer)}

    def undo_last(self, _question: object = None, request: gr.Request | None = None) -> Answer:
        """Take back this reviewer's last decision of an earlier visit → its entry, or None."""
        reviewer = reviewer_of(self.studio, request)
        try:
            sample_id = self.studio.review.decisions.undo(reviewer)
        except NotAllowed:
            sample_id = None
        row = self.studio.library.samples.get(sample_id) if sample_id else None
        entry = entry_of(self.studio, row) if row and row.image_id else None
        return {"entry": entry, **self._left(reviewer)}

    def leave_review(self, _question: object = None, request: gr.Request | None = None) -> Answer:
        """Release the samples that are reserved for this reviewer."""
        self.studio.review.queue.leave(reviewer_of(self.studio, request))
        return {"problem": ""}

    def photo_in_place(self, sample_id: object) -> Answer:
        """The photo of a sample, moved as the object was, as the address of an image."""
        decisions = self.studio.review.decisions
        return answered(
            lambda: {"image": inline_picture(decisions.photo_in_place(read_text(sample_id, "sample")))}
        )

    def another_try(self, sample_id: object, request: gr.Request | None = None) -> Answer:
        """Generate the same placement with a new seed → its entry."""
        reviewer = reviewer_of(self.studio, request)

        def draw() -> Answer:
            row = self.studio.review.decisions.another_try(read_text(sample_id, "sample"), reviewer)
            return {"entry": entry_of(self.studio, row)}

        return answered(draw) | self._left(reviewer)

    def _left(self, reviewer: str) -> Answer:
        return {"left": self.studio.review.queue.left_for(reviewer)}


def _none_saved(question: object, problem: str) -> Answer:
    """The answer to decisions that were all refused, each by its client id."""
    try:
        decisions = sent_decisions(question)
    except InvalidRequest:
        decisions = []
    ids = [decision.get("client_id") for decision in decisions if isinstance(decision, dict)]
    return {"saved": [{"client_id": client_id, "refused": problem} for client_id in ids]}


def with_gold(studio: Studio, entries: list[Answer], reviewer: str) -> list[Answer]:
    """Mix gold items in, in any place but the last: the next page continues after that one.

    An item whose images are missing is left out. Nothing on the page tells an item from a sample. The address of an
    image is the hash of its content, though, so a reviewer who reads addresses in the browser's developer tools and
    remembers those of earlier images recognises a sample that is shown again. Addresses per item would not prevent
    that, since the pixels can be compared just as well, and they would take every image out of the browser's cache;
    gold items measure attention and are no defence against a reviewer who sets out to cheat.
    """
    for item in studio.review.gold.for_reviewer(reviewer, len(entries)) if entries else []:
        with suppress(StudioError):
            entry = entry_of(studio, studio.review.gold.row(item, reviewer)) | {"id": item.id}
            entries.insert(random.randrange(len(entries)), entry)
    return entries


def entry_of(studio: Studio, row: SampleRow) -> Answer:
    """What the pane shows of a sample."""
    spec = row.spec
    scores = list(row.scores.items())[:_SHOWN_SCORES]
    facts = {"method": str(spec.method), "model": spec.model, "seed": str(spec.seed)}
    others = {"also shows": distractors_sentence(spec.distractors)} if spec.distractors else {}
    assert row.image_id is not None, "only rendered samples are reviewed"
    return {
        "id": spec.id,
        "image": file_address(studio.library.images.path(row.image_id)),
        "mask": file_address(studio.library.images.path(row.mask_id)) if row.mask_id else "",
        "height": spec.size[0],
        "width": spec.size[1],
        "label": spec.label,
        "prompt": spec.prompt,
        "facts": facts | {name.replace("_", " "): f"{value:.2f}" for name, value in scores} | others,
        "doubts": list(map(str, row.failed_gates)),
    }


def _recorded(studio: Studio, reviewer: str, sent: object) -> Answer:
    """Record one decision → its client id with the new state, or with the sentence of a refusal.

    Raises:
        LibraryUnusable, LibraryBusy: the decision cannot be stored now; a repeat may succeed.
    """
    client_id = sent.get("client_id") if isinstance(sent, dict) else None
    try:
        decision = read(SentDecision, sent)
        state = studio.review.decisions.decide(
            decision.sample_id,
            decision.verdict,
            reviewer=reviewer,
            reason=decision.reason,
            via="key" if decision.via == "key" else "click",  # a browser cannot claim another origin
            client_id=decision.client_id,
            comment=decision.comment[:_COMMENT_LENGTH],
            shown=decision.shown,
        )
    except (LibraryUnusable, LibraryBusy):
        raise
    except StudioError as error:
        return {"client_id": client_id, "refused": str(error)}
    return {"client_id": client_id, "state": state}
