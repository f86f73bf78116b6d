"""What who may only look at a Space may have drawn: the embedded model, a few pictures at once and an hour."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.domain.people import Role
from pipeline.errors import NotAllowed, StudioError
from ui.session import VISITOR, reviewer_of

if TYPE_CHECKING:
    from pipeline.studio import Studio

MODEL = "nano"
_HOUR_S = 3600.0
_ADDED = "a lead can add the name to BACKLOT_PEOPLE"


def refusal(name: str, what: str) -> NotAllowed:
    """The refusal "NAME may not WHAT here", with what helps who has not signed in, or who has."""
    return NotAllowed(name, f"{what} here", _way_in(name))


def _way_in(name: str) -> str:
    return f"sign in with Hugging Face; {_ADDED}" if name == VISITOR else _ADDED


class TooMany(StudioError):
    """A visitor has had as many pictures drawn as an hour allows."""

    def __init__(self, name: str, allowed: int, wait_s: float, *, all_visitors: bool = False) -> None:
        whose = "all visitors together" if all_visitors else "a visitor"
        minutes = max(1, math.ceil(wait_s / 60))
        super().__init__(
            f"{whose} may have {allowed} pictures an hour drawn here; try in {minutes} min, or {_way_in(name)}"
        )


@dataclass(slots=True)
class Visitors:
    """Counts what is drawn for visitors. At home, and for reviewers and leads, there is no limit.

    Who does not sign in can begin a new session at any time; the limit of all visitors together holds all the same.
    """

    studio: Studio
    clock: Callable[[], float] = time.monotonic
    _drawn: deque[tuple[float, str, int]] = field(default_factory=deque)  # (when, session, pictures)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def limited(self, request: Any) -> bool:
        """Whether who asks is a visitor."""
        studio = self.studio
        return (
            studio.settings.hosted and studio.review.roles.role(reviewer_of(studio, request)) is Role.READER
        )

    @contextmanager
    def drawing(self, request: Any, *, model: str, count: int) -> Iterator[int]:
        """Draw so many pictures, or as many as a visitor may have at once; what fails is not counted.

        Raises:
            NotAllowed: a visitor, and another model than the embedded one, or none may be drawn at all.
            TooMany: the hour's pictures are used up.
        """
        if not self.limited(request):
            yield count
            return
        name, settings = reviewer_of(self.studio, request), self.studio.settings
        if model != MODEL:
            raise refusal(name, f"use another model than {MODEL}")
        count = min(count, settings.visitor_variants, settings.visitor_pictures, settings.visitor_total)
        if not count:
            raise refusal(name, "have pictures drawn")
        entry = self._counted(name, _session(request, name), count)
        try:
            yield count
        except BaseException:
            with self._lock:
                self._drawn.remove(entry)
            raise

    def _counted(self, name: str, session: str, count: int) -> tuple[float, str, int]:
        settings, now = self.studio.settings, self.clock()
        with self._lock:
            while self._drawn and self._drawn[0][0] <= now - _HOUR_S:
                self._drawn.popleft()
            own = [entry for entry in self._drawn if entry[1] == session]
            for_one = _wait_s(own, count, settings.visitor_pictures, now)
            if for_one:
                raise TooMany(name, settings.visitor_pictures, for_one)
            for_all = _wait_s(self._drawn, count, settings.visitor_total, now)
            if for_all:
                raise TooMany(name, settings.visitor_total, for_all, all_visitors=True)
            entry = (now, session, count)
            self._drawn.append(entry)
        return entry


def _wait_s(entries: Iterable[tuple[float, str, int]], count: int, allowed: int, now: float) -> float:
    """Seconds until `count` more may be drawn: until enough of the oldest are an hour old; 0 for at once."""
    entries = list(entries)
    over = sum(pictures for *_, pictures in entries) + count - allowed
    if over <= 0:
        return 0.0
    for when, _, pictures in entries:
        over -= pictures
        if over <= 0:
            return when + _HOUR_S - now
    return _HOUR_S


def _session(request: Any, name: str) -> str:
    return name if name != VISITOR else str(getattr(request, "session_hash", ""))
