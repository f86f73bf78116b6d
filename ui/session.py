"""Who asks, and how a refusal is answered."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pipeline.errors import StudioError

if TYPE_CHECKING:
    from pipeline.studio import Studio

Answer = dict[str, Any]
_NAME_LENGTH = 80
NAME_COOKIE = "backlot_reviewer"  # set by static/review/main.js
VISITOR = "visitor"  # a person who has not signed in to a Space


def reviewer_of(studio: Studio, request: object) -> str:
    """Return the name of the person who asks.

    On a Space, that is the Hugging Face account, which cannot be forged; elsewhere, the name that was entered in the
    browser, by default that of the settings.
    """
    if studio.settings.hosted:
        return _account(request) or VISITOR
    cookies: Mapping[str, str] = getattr(request, "cookies", {})
    entered = unquote(cookies.get(NAME_COOKIE, "")).strip()
    return entered[:_NAME_LENGTH] or studio.settings.reviewer


def _account(request: object) -> str:
    """The account in the signed cookie of Gradio's sign-in; "" without one."""
    scope = getattr(getattr(request, "request", request), "scope", {})  # Gradio passes either of two classes
    info = scope.get("session", {}).get("oauth_info", {})
    if info.get("expires_at", math.inf) < time.time():  # Gradio ignores such a session, too
        return ""
    return str(info.get("userinfo", {}).get("preferred_username", ""))


def answered(ask: Callable[[], Answer]) -> Answer:
    """Call `ask` and return its answer, or the sentence of a refusal as `problem`."""
    try:
        return {"problem": "", **ask()}
    except StudioError as error:
        return {"problem": str(error)}
