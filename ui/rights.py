"""Who may do what on a Space: a guard before every handler that writes, so that the API is as closed as the page."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.context import LocalContext

from pipeline.domain.people import Role
from ui.events import AT_ONCE
from ui.pieces import note_html
from ui.review_session import VISITOR, reviewer_of
from ui.visitors import refusal

if TYPE_CHECKING:
    from pipeline.studio import Studio

Handler = Callable[..., Any]
_RANKS = list(Role)  # from reader to lead


def only_for(studio: Studio, role: Role, what: str) -> Callable[[Handler], Handler]:
    """A decorator: on a Space, refuse the handler to who has a lower role. At home everybody may do everything.

    Args:
        what: what they may not do, for the sentence: "NAME may not WHAT here".
    """

    def refuse() -> None:
        if not studio.settings.hosted:
            return
        name = reviewer_of(studio, LocalContext.request.get(None))
        if not _has(studio, name, role):
            raise refusal(name, what)

    def guarded(handler: Handler) -> Handler:
        if inspect.isgeneratorfunction(handler):

            @wraps(handler)
            def stream(*values: Any, **named: Any) -> Iterator[Any]:
                refuse()
                yield from handler(*values, **named)

            vars(stream)["needs"] = role
            return stream

        @wraps(handler)
        def answer(*values: Any, **named: Any) -> Any:
            refuse()
            return handler(*values, **named)

        vars(answer)["needs"] = role  # so that a test can see that nothing was forgotten
        return answer

    return guarded


def _has(studio: Studio, name: str, role: Role) -> bool:
    return _RANKS.index(studio.role(name)) >= _RANKS.index(role)


def for_leads(studio: Studio, what: str) -> Callable[[Handler], Handler]:
    """`only_for` leads."""
    return only_for(studio, Role.LEAD, what)


def for_reviewers(studio: Studio, what: str) -> Callable[[Handler], Handler]:
    """`only_for` reviewers and leads."""
    return only_for(studio, Role.REVIEWER, what)


def build_leads_hint(page: gr.Blocks, studio: Studio, what: str, *, elem_id: str) -> None:
    """On a Space a line that tells who may not, before anything is pressed: sign in, or only leads WHAT."""
    if not studio.settings.hosted:
        return
    line = gr.HTML(elem_id=elem_id)

    def hinted(request: gr.Request) -> str:
        name = reviewer_of(studio, request)
        if _has(studio, name, Role.LEAD):
            return ""
        return note_html(
            [
                f"Sign in to {what}; until then you may look."
                if name == VISITOR
                else f"Only leads {what} here."
            ]
        )

    page.load(hinted, None, line, **AT_ONCE)
