"""Who asks, and how a refusal is answered: what all server functions of the review share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import gradio as gr

from pipeline.errors import StudioError

if TYPE_CHECKING:
    from pipeline.studio import Studio

Answer = dict[str, Any]
_NAME_LENGTH = 80
NAME_COOKIE = "backlot_reviewer"  # set by static/review.js


def reviewer_of(studio: Studio, request: gr.Request | None) -> str:
    """The name that a browser signed in with; the name of this machine's settings where it did not."""
    given = unquote(request.cookies.get(NAME_COOKIE, "")).strip() if request else ""
    return given[:_NAME_LENGTH] or studio.settings.reviewer


def answered(ask: Callable[[], Answer]) -> Answer:
    """An answer, with the sentence of a refusal as `problem`."""
    try:
        return {"problem": "", **ask()}
    except StudioError as error:
        return {"problem": str(error)}
