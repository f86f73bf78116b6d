"""The cookies of the studio are `SameSite=Lax`, except the session of a Space, which is shown in a foreign frame.

Gradio sets its session cookie with `SameSite=None` everywhere, so a browser would send it with requests that any
other site makes. At home nothing needs that. On a Space, huggingface.co shows the studio in a frame: the session
(which holds the sign-in) must be sent there, and only that cookie.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION_COOKIE = "session"


@dataclass(frozen=True, slots=True)
class CookiePolicy:
    """An ASGI middleware that sets the `SameSite` attribute of every cookie."""

    app: ASGIApp
    hosted: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and adapt the cookies of its response."""

        async def adapted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                cookies = headers.getlist("set-cookie")
                if cookies:
                    del headers["set-cookie"]
                for cookie in cookies:
                    headers.append("set-cookie", with_same_site(cookie, hosted=self.hosted))
            await send(message)

        await self.app(scope, receive, adapted)


def with_same_site(cookie: str, *, hosted: bool) -> str:
    """Set the `SameSite` attribute of a `Set-Cookie` value.

    Args:
        cookie: e.g. `session=…; path=/; httponly; samesite=none; secure`.
        hosted: whether the studio runs as a Space.
    """
    pair, *attributes = (part.strip() for part in cookie.split(";"))
    in_frame = hosted and pair.partition("=")[0] == SESSION_COOKIE
    kept = [part for part in attributes if part.partition("=")[0].strip().lower() != "samesite"]
    if in_frame and "secure" not in map(str.lower, kept):  # browsers refuse SameSite=None without it
        kept.append("Secure")
    return "; ".join([pair, *kept, f"SameSite={'None' if in_frame else 'Lax'}"])


def cookie_policy(*, hosted: bool) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Build a lifespan that puts the policy around everything, Gradio's own session middleware included.

    Gradio adds its middleware after the ones that it is given, so only what is added at the server's start, before
    the first request, lies outside of it.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.user_middleware.insert(0, Middleware(CookiePolicy, hosted=hosted))
        app.middleware_stack = app.build_middleware_stack()
        yield

    return lifespan
