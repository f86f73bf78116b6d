"""Who asks, and how a refusal is answered: what all server functions of the review share."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pipeline.errors import StudioError

if TYPE_CHECKING:
    from pipeline.studio import Studio

Answer = dict[str, Any]
_NAME_LENGTH = 80
NAME_COOKIE = "backlot_reviewer"  # set by static/review/main.js


VISITOR = "visitor"  # who has not signed in to a Space


def reviewer_of(studio: Studio, request: Any) -> str:
    """Who asks. On a Space the Hugging Face account, which cannot be made up; elsewhere the name that the browser
    signed in with, or that of this machine's settings where it did not.
    """
    if studio.settings.hosted:
        return _account(request) or VISITOR
    given = unquote(request.cookies.get(NAME_COOKIE, "")).strip() if request else ""
    return given[:_NAME_LENGTH] or studio.settings.reviewer


def _account(request: object) -> str:
    """The account of the session that Gradio's sign-in keeps in a signed cookie; "" without one."""
    scope = getattr(getattr(request, "request", request), "scope", {})  # Gradio hands out either of two kinds
    info = scope.get("session", {}).get("oauth_info", {})
    if info.get("expires_at", math.inf) < time.time():  # Gradio hands out no token of it any more, either
        return ""
    return str(info.get("userinfo", {}).get("preferred_username", ""))


def answered(ask: Callable[[], Answer]) -> Answer:
    """An answer, with the sentence of a refusal as `problem`."""
    try:
        return {"problem": "", **ask()}
    except StudioError as error:
        return {"problem": str(error)}
