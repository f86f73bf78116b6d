"""The screen of a studio, served on a free port of this machine, and plain HTTP requests to it."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ui.app import launch
from ui.origin import TOKEN_HEADER, TOKEN_PATH

if TYPE_CHECKING:
    import gradio as gr

    from pipeline.studio import Studio

_TIMEOUT_S = 300  # reached only where the app hangs
_MOST_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Site:
    """A served app."""

    app: gr.Blocks
    port: int

    @property
    def origin(self) -> str:
        """The origin of its pages."""
        return f"http://127.0.0.1:{self.port}"

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request; `headers` may name another host than the one that is asked."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            return Answer(answer.status, text, {k.lower(): v for k, v in answer.getheaders()})
        finally:
            connection.close()

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Send JSON to the API as the studio's own page would, but for the `headers` that are given."""
        own = {"Content-Type": "application/json", "Origin": self.origin}
        own |= {TOKEN_HEADER: self.token} if "component_server" in path else {}
        return self.request(
            "POST", f"/gradio_api/{path}", json.dumps(body).encode(), {**own, **(headers or {})}
        )

    def queued(self, number: int, data: list[Any], session: str, event: object = None) -> list[Any]:
        """Call an endpoint through the queue, as a page does; the messages of its event, the last one its answer."""
        body = {"fn_index": number, "data": data, "session_hash": session, "event_data": event}
        assert self.post("queue/join", body).status == 200
        stream = self.request("GET", f"/gradio_api/queue/data?session_hash={session}")
        lines = (
            line.removeprefix("data: ") for line in stream.text.splitlines() if line.startswith("data: ")
        )
        return [
            message for message in map(json.loads, lines) if message["msg"] in ("log", "process_completed")
        ]

    def endpoint(self, name: str) -> int:
        """The number of the only endpoint whose handler has a name, or a qualified name."""
        (number,) = [
            number
            for number, block_fn in self.app.fns.items()
            if name in (getattr(block_fn.fn, "__name__", ""), getattr(block_fn.fn, "__qualname__", ""))
        ]
        return int(number)

    def values(self, number: int) -> list[Any]:
        """What the inputs of an endpoint hold when the page is opened."""
        values = [getattr(component, "value", None) for component in self.app.fns[number].inputs]
        return [value if isinstance(value, str | int | float | list) else None for value in values]

    @property
    def token(self) -> str:
        """The token of its pages."""
        return self.request("GET", TOKEN_PATH).text

    def component(self, function: str) -> int:
        """The id of the component that has a server function."""
        return next(
            number
            for number, block in self.app.blocks.items()
            if hasattr(getattr(block, function, None), "_is_server_fn")
        )


@contextmanager
def served(studio: Studio) -> Iterator[Site]:
    """Serve a studio until the block ends."""
    port = free_port()
    app = launch(studio, block=False, quiet=True, server_port=port)
    try:
        yield Site(app, port)
    finally:
        app.close()


def free_port() -> int:
    """A port that nobody listens on, and that no other process of this test session is given.

    Between this and the moment in which a server listens there pass many seconds.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port // 2 % _MOST_WORKERS == worker % _MOST_WORKERS:  # halved: a system may give odd ones only
            return port
