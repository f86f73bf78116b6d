"""Faults on demand, and a record of every request, around the loopback Hub."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request as it was seen. Headers are not kept, so no token is."""

    method: str
    path: str  # as sent, with the query
    status: int | None = None  # None: cut, lost or not answered yet
    received: int = 0  # bytes of the body
    sent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer with a status; `after` carries the request out first, so that only its answer is wrong."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "refused on demand"
    after: bool = False


@dataclass(frozen=True, slots=True)
class CutUpload:
    """Reset the connection after so many bytes of the request's body (at its end at the latest)."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class CutAnswer:
    """Close the connection after so many bytes of the answer's body (before its last byte at the latest)."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Carry the request out, then reset the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """Answer in small pieces with a pause between."""

    piece_bytes: int
    pause_s: float


@dataclass(frozen=True, slots=True)
class Before:
    """Run something of the test's own before the request is looked at, in a thread."""

    action: Callable[[], object]


Fault = Refuse | CutUpload | CutAnswer | LoseAnswer | Slow | Before


@dataclass(slots=True, kw_only=True)
class Rule:
    """A fault, the requests that it strikes, and how often."""

    match: re.Pattern[str]
    fault: Fault
    skip: int  # how many to let pass first
    times: int  # how many to strike; below 0 = all

    def due(self, asked: str) -> bool:
        """Whether it strikes this request ("PUT /path?query"); counts it."""
        if not self.match.search(asked) or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= self.times > 0
        return True


class FaultyApp:
    """The application with its faults and records."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.rules: list[Rule] = []
        self.exchanges: list[Exchange] = []
        self.errors: list[str] = []  # tracebacks: a mistake of the loopback Hub or of a test's action

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode()
        query = scope["query_string"].decode()
        exchange = Exchange(method=scope["method"], path=f"{path}?{query}" if query else path)
        self.exchanges.append(exchange)
        line = _Line(exchange, receive, send)
        try:
            for action in self._actions(exchange):
                await asyncio.to_thread(action)
            await self._answer(scope, line, self._fault(exchange))
        except ClientDisconnect:
            pass
        except Exception:
            self.errors.append(traceback.format_exc())
            if exchange.status is None:
                await JSONResponse({"error": "the loopback Hub broke"}, 500)(scope, line.receive, line.send)

    async def _answer(self, scope: Scope, line: _Line, fault: Fault | None) -> None:
        if isinstance(fault, Refuse):
            if fault.after:
                await self._app(scope, line.receive, _nowhere)
            response = JSONResponse({"error": fault.message}, fault.status, dict(fault.headers))
            await response(scope, line.receive, line.send)
        elif isinstance(fault, LoseAnswer):
            await self._app(scope, line.receive, _nowhere)
            line.reset()
        else:
            line.fault = fault
            await self._app(scope, line.receive, line.send)

    def _actions(self, exchange: Exchange) -> list[Callable[[], object]]:
        asked = f"{exchange.method} {exchange.path}"
        return [
            rule.fault.action for rule in self.rules if isinstance(rule.fault, Before) and rule.due(asked)
        ]

    def _fault(self, exchange: Exchange) -> Fault | None:
        """The first rule that is due; the rules behind it do not see the request."""
        asked = f"{exchange.method} {exchange.path}"
        for rule in self.rules:
            if not isinstance(rule.fault, Before) and rule.due(asked):
                return rule.fault
        return None


class _Line:
    """The connection of one request: counts what passes, and cuts or slows it."""

    def __init__(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        self._exchange, self._receive, self._send = exchange, receive, send
        self._cut = self._complete = False
        self.fault: Fault | None = None

    async def receive(self) -> Message:
        if self._cut:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request":
            self._exchange.received += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if isinstance(self.fault, CutUpload) and (
                self._complete or self._exchange.received >= self.fault.after_bytes
            ):
                self.reset()
                return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if self._cut:
            return
        if message["type"] == "http.response.start":
            await self._drain()
            self._exchange.status = message["status"]
            await self._send(message)
            return
        if isinstance(self.fault, Slow):
            await self._send_slowly(message, self.fault)
        elif isinstance(self.fault, CutAnswer):
            await self._send_until_cut(message, self.fault)
        else:
            self._exchange.sent += len(message.get("body", b""))
            await self._send(message)

    async def _drain(self) -> None:
        """Read the rest of the body, so that the client sees the answer and no reset."""
        while not self._complete:
            if (await self.receive())["type"] == "http.disconnect":
                return

    def reset(self) -> None:
        """Break the connection off, as a fallen network does."""
        self._cut = True
        self._exchange.status = None
        cycle: Any = getattr(self._send, "__self__")  # noqa: B009  uvicorn's RequestResponseCycle
        cycle.transport.abort()

    async def _send_slowly(self, message: Message, slow: Slow) -> None:
        body = message.get("body", b"")
        starts = range(0, len(body), slow.piece_bytes)
        for start in starts:
            piece = body[start : start + slow.piece_bytes]
            self._exchange.sent += len(piece)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(slow.pause_s)
        await self._send({**message, "body": b""})

    async def _send_until_cut(self, message: Message, cut: CutAnswer) -> None:
        body, last = message.get("body", b""), not message.get("more_body", False)
        room = cut.after_bytes - self._exchange.sent
        if last and room >= len(body):
            room = max(len(body) - 1, 0)
        piece = body[:room]
        self._exchange.sent += len(piece)
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        if last or room < len(body):
            self._cut = True
            self._exchange.status = None
            cycle: Any = getattr(self._send, "__self__")  # noqa: B009  uvicorn's RequestResponseCycle
            cycle.transport.close()


async def _nowhere(message: Message) -> None:
    """Where a lost answer goes."""
