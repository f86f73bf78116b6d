"""Answers unreadable calls of server functions with a sentence; Gradio answers them with 500 and a traceback."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from ui.access import server_functions_of
from ui.origin import SERVER_FUNCTIONS

if TYPE_CHECKING:
    import gradio as gr
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)
_RELOAD = "reload the page and try again"


@dataclass(frozen=True, slots=True)
class ServerCalls:
    """An ASGI middleware that checks which function a call names, and whether it can be read.

    What a function of ours raises for a readable call stays a 500: it is a bug.
    """

    app: ASGIApp
    blocks: gr.Blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a call or pass it on."""
        called = scope["type"] == "http" and scope["method"] == "POST"
        if not called or scope["path"].rstrip("/") != SERVER_FUNCTIONS:
            await self.app(scope, receive, send)
        elif Headers(scope=scope).get("content-type", "").startswith("multipart/"):
            await self._with_files(scope, receive, send)
        else:
            messages = await _whole_body(receive)
            if sentence := self._unreadable(b"".join(message.get("body", b"") for message in messages)):
                await _refused(sentence)(scope, receive, send)
            else:
                await self.app(scope, _replayed(messages, receive), send)

    async def _with_files(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass files on; only Gradio's own functions take them, and they raise whatever they run into."""
        try:
            await self.app(scope, receive, send)
        except Exception:
            _log.warning("files that cannot be read", exc_info=True)
            await _refused(f"the files cannot be read; {_RELOAD}")(scope, receive, send)

    def _unreadable(self, body: bytes) -> str:
        """Why a call cannot be served; "" when it can."""
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            return f"the call is not JSON; {_RELOAD}"
        number = call.get("component_id") if isinstance(call, dict) else None
        if isinstance(number, bool) or not isinstance(number, int):
            return f"the call names no component; {_RELOAD}"
        function = server_functions_of(self.blocks.blocks.get(number)).get(str(call.get("fn_name")))
        if function is None:
            return f"component {number} has no such function; {_RELOAD}"
        return ""


async def _whole_body(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    """Receive the messages again, then what follows them."""
    pending = iter(messages)

    async def replay() -> Message:
        message = next(pending, None)
        return message if message is not None else await receive()

    return replay


def _refused(sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence, "detail": sentence}, status_code=400)
