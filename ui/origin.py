"""Refuses requests that were made by a page of another origin.

A browser lets any page send requests to any server, including a studio that listens on the same machine. So every
request must come from the studio's own pages (`Origin`, `Sec-Fetch-Site`) under one of its own names (`Host`, against
DNS rebinding), a request that writes must have a body that needs a preflight (JSON), and calls of server functions
carry a token that only the studio's own pages can read.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from pipeline.settings import Settings

TOKEN_HEADER = "x-backlot-page"  # sent by static/page_token.js
TOKEN_PATH = "/gradio_api/page_token"
SERVER_FUNCTIONS = "/gradio_api/component_server"
_UPLOADS = "/gradio_api/upload"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # a server that listens on every interface
_SPACE_SUFFIX = ".hf.space"
_SPACE_NAMES = frozenset({"huggingface.co"})
_DEFAULT_PORTS = (":80", ":443")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The host names of a studio.

    Args:
        names: names in lower case, without a port.
        named: those of `names` that are set in `BACKLOT_HOSTS`; behind a proxy they may appear in `Origin` only.
        addresses: whether any IP address is accepted as a name; DNS rebinding needs a name.
        space: whether it runs as a Hugging Face Space, behind the proxy of `*.hf.space`.
    """

    names: frozenset[str]
    named: frozenset[str] = frozenset()
    addresses: bool = False
    space: bool = False

    def include(self, host: str) -> bool:
        """Whether a `Host` header names this studio."""
        name = _name(host)
        return (
            name in self.names
            or (self.space and name.endswith(_SPACE_SUFFIX))
            or (self.addresses and _is_address(name))
        )


def hosts_of(
    settings: Settings, *, server_name: str | None = None, environment: Mapping[str, str] = os.environ
) -> Hosts:
    """Return the host names of a studio: the loopback's, its address, and those of `BACKLOT_HOSTS`.

    Args:
        server_name: the address that it listens on; by default `GRADIO_SERVER_NAME`.
    """
    listening = _name(server_name or environment.get("GRADIO_SERVER_NAME", ""))
    named = _listed(settings.hosts)
    names = _LOOPBACK | named | _listed(listening)
    everywhere = listening in _ANY_ADDRESS
    if everywhere:
        machine = socket.gethostname().lower()
        names |= {machine, f"{machine}.local", socket.getfqdn().lower()}
    if settings.hosted:
        names |= _SPACE_NAMES | _listed(environment.get("SPACE_HOST", ""))
    return Hosts(names=names, named=named, addresses=everywhere, space=settings.hosted)


def _listed(names: str) -> frozenset[str]:
    return frozenset(name for name in (_name(part) for part in names.split(",")) if name)


def _name(host: str) -> str:
    """The name of a `Host` header: in lower case, without port and brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _place(host: str) -> str:
    """Normalise name and port, so that `Host` and `Origin` can be compared."""
    host = host.strip().lower()
    return next((host.removesuffix(port) for port in _DEFAULT_PORTS if host.endswith(port)), host)


@dataclass(frozen=True, slots=True)
class OriginGuard:
    """An ASGI middleware that passes only requests of the studio's own pages and of programs other than browsers.

    A refusal is 403 with one sentence. The body is not read.
    """

    app: ASGIApp
    hosts: Hosts
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        method = str(scope.get("method", "POST"))  # a websocket can write
        sentence = self._foreign(headers, method) or self._unfit(headers, method, str(scope["path"]))
        if sentence:
            await _refusal(sentence)(scope, receive, send)
        elif method == "GET" and scope["path"] == TOKEN_PATH:
            await PlainTextResponse(self.token, headers={"Cache-Control": "no-store"})(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _foreign(self, headers: Headers, method: str) -> str:
        """Why the request is not the studio's own; "" when it is."""
        host, origin = headers.get("host", ""), headers.get("origin")
        probed = self.hosts.space and method in _READING  # the health check of a Space has an address as host
        if not probed and not self.hosts.include(host):
            return f"this studio is not called '{_name(host)[:80]}'; add the name to BACKLOT_HOSTS if it should be"
        if origin is not None and not self._own(origin, headers):
            return f"a page of {origin[:80]} may not use this studio; open the studio's own page"
        site = headers.get("sec-fetch-site", "none")
        if method not in _READING and site not in ("same-origin", "none"):
            return "a page of another site may not use this studio; open the studio's own page"
        return ""

    def _own(self, origin: str, headers: Headers) -> bool:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return False  # e.g. "null": a sandboxed frame or a local file
        places = [headers.get("host", "")]
        if self.hosts.space:
            places.append(headers.get("x-forwarded-host", ""))
        return _place(parts.netloc) in map(_place, places) or _name(parts.netloc) in self.hosts.named

    def _unfit(self, headers: Headers, method: str, path: str) -> str:
        """Why a request that writes does not have the form of the studio's own; "" when it does."""
        if method in _READING:
            return ""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        path = path.rstrip("/")
        if kind == "multipart/form-data":
            if path not in (_UPLOADS, SERVER_FUNCTIONS):
                return "files are taken by /gradio_api/upload only; send JSON here"
            if "origin" not in headers:
                return "files are taken from the studio's own page only; the request has no Origin"
        elif kind != "application/json":
            return f"the body is '{kind[:80]}'; send it as application/json"
        given = headers.get(TOKEN_HEADER, "")
        if path == SERVER_FUNCTIONS and not hmac.compare_digest(given.encode(), self.token.encode()):
            return "the page is out of date; reload it"
        return ""


def _refusal(sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence, "detail": sentence}, status_code=403)
