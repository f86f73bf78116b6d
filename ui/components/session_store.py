"""What a page keeps in memory for each browser session: images are too large for the page's own state."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import gradio as gr

from pipeline.errors import InvalidRequest

Item = TypeVar("Item")


def session_of(request: gr.Request | None) -> str:
    """The browser session of a request.

    Raises:
        InvalidRequest: the request names none, as a call of the HTTP API may.
    """
    session = getattr(request, "session_hash", None)
    if not session:
        raise InvalidRequest("the request belongs to no session; send a session_hash of your own")
    return str(session)


@dataclass(slots=True)
class SessionStore(Generic[Item]):
    """Items by session and id. A session reads its own items only, and its new ones replace its own oldest ones.

    Only when all sessions together hold more than `most_bytes`, the session that has been idle for longest is
    emptied; what visitors may have drawn in an hour (`visitor_total`) stays far below that.
    """

    per_session: int
    most_bytes: int
    size_of: Callable[[Item], int]  # bytes of an item
    _sessions: OrderedDict[str, OrderedDict[str, Item]] = field(
        default_factory=OrderedDict
    )  # idle ones first
    _bytes: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, session: str, item_id: str, item: Item) -> None:
        """Keep an item for its session."""
        with self._lock:
            self.remove(session, item_id)
            items = self._sessions.setdefault(session, OrderedDict())
            items[item_id] = item
            self._bytes += self.size_of(item)
            self._sessions.move_to_end(session)
            while len(items) > self.per_session:
                self.remove(session, next(iter(items)))
            while self._bytes > self.most_bytes and len(self._sessions) > 1:
                self.forget(next(iter(self._sessions)))

    def get(self, session: str, item_id: str) -> Item | None:
        """An item of a session; None where it has no such item."""
        with self._lock:
            if session in self._sessions:
                self._sessions.move_to_end(session)
            return self._sessions.get(session, OrderedDict[str, Item]()).get(item_id)

    def remove(self, session: str, item_id: str) -> None:
        """Forget an item, where the session has it."""
        with self._lock:
            items = self._sessions.get(session)
            if items is None or item_id not in items:
                return
            self._bytes -= self.size_of(items.pop(item_id))
            if not items:
                del self._sessions[session]

    def forget(self, session: str) -> None:
        """Forget everything that a session has."""
        with self._lock:
            for item in self._sessions.pop(session, OrderedDict[str, Item]()).values():
                self._bytes -= self.size_of(item)
