"""Limits the size of requests: files by role on a Space, and every other body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse

from pipeline.domain.people import Role
from pipeline.domain.sizes import file_size
from ui.session import reviewer_of
from ui.visitors import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipeline.studio import Studio

UPLOAD_BYTES: Mapping[Role, int] = (
    MappingProxyType(  # in one request to a Space; leads import photos and edit masks
        {Role.READER: 0, Role.REVIEWER: 0, Role.LEAD: 500 * 1024**2}
    )
)
BODY_BYTES = 4_000_000  # in any other body; enough for a recipe or thousands of decisions
_TOO_LARGE = "the file exceeds the maximum allowed size"  # Gradio answers this message with 413


@dataclass(frozen=True, slots=True)
class UploadLimit:
    """An ASGI middleware that refuses bodies that are too large, before reading them where their length is given."""

    app: ASGIApp
    studio: Studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on and count the bytes that it sends."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        files = headers.get("content-type", "").startswith("multipart/")
        most = self._most(scope) if files else BODY_BYTES
        if most is None:
            await self.app(scope, receive, send)
            return
        if most == 0:
            name = reviewer_of(self.studio, Request(scope))
            await _refused(403, str(refusal(name, "send files")))(scope, receive, send)
        elif int(headers.get("content-length", "0")) > most:
            await _refused(413, f"the request is larger than {file_size(most)}; send less in one request")(
                scope, receive, send
            )
        else:
            await self.app(scope, _counted(receive, most), send)

    def _most(self, scope: Scope) -> int | None:
        """Bytes of files that the person who asks may send; None for no limit."""
        if not self.studio.settings.hosted:
            return None
        return UPLOAD_BYTES[self.studio.review.roles.role(reviewer_of(self.studio, Request(scope)))]


def _counted(receive: Receive, most: int) -> Receive:
    """Receive a body of unknown length; stop when it is too large."""
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise MultiPartException(_TOO_LARGE)
        return message

    return counting


def _refused(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence, "detail": sentence}, status_code=status)
