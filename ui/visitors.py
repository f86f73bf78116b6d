"""What visitors of a Space may generate: with the embedded model, a few images at once and per hour."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipeline.domain.people import Role
from pipeline.errors import NotAllowed, StudioError
from ui.session import VISITOR, reviewer_of

if TYPE_CHECKING:
    from pipeline.studio import Studio

MODEL = "nano"
_HOUR_S = 3600.0
_ADDED = "a lead can add the name to BACKLOT_PEOPLE"


def refusal(name: str, what: str) -> NotAllowed:
    """Return the refusal "NAME may not WHAT here" with its remedy."""
    return NotAllowed(name, f"{what} here", _remedy(name))


def _remedy(name: str) -> str:
    return f"sign in with Hugging Face; {_ADDED}" if name == VISITOR else _ADDED


class TooMany(StudioError):
    """A visitor, or all visitors together, have used up the images of an hour."""

    def __init__(self, name: str, allowed: int, wait_s: float, *, all_visitors: bool = False) -> None:
        who = "all visitors together" if all_visitors else "a visitor"
        minutes = max(1, math.ceil(wait_s / 60))
        super().__init__(
            f"{who} may generate {allowed} images an hour here; try again in {minutes} min, or {_remedy(name)}"
        )


class _Use(NamedTuple):
    """Images that were generated for a visitor."""

    at: float
    session: str
    images: int


@dataclass(slots=True)
class Visitors:
    """Counts the images that visitors generate. At home, and for reviewers and leads, there is no limit.

    A visitor who is not signed in can open a new session at any time; the limit of all visitors together still holds.
    """

    studio: Studio
    clock: Callable[[], float] = time.monotonic
    _uses: deque[_Use] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def limited(self, request: object) -> bool:
        """Whether the request is a visitor's."""
        studio = self.studio
        return (
            studio.settings.hosted and studio.review.roles.role(reviewer_of(studio, request)) is Role.READER
        )

    @contextmanager
    def drawing(self, request: object, *, model: str, count: int) -> Iterator[int]:
        """Give the number of images that may be generated, at most `count`; failed attempts are not counted.

        Raises:
            NotAllowed: a visitor asks for another model than the embedded one, or visitors may generate nothing.
            TooMany: the images of this hour are used up.
        """
        if not self.limited(request):
            yield count
            return
        name, settings = reviewer_of(self.studio, request), self.studio.settings
        if model != MODEL:
            raise refusal(name, f"use another model than {MODEL}")
        count = min(count, settings.visitor_variants, settings.visitor_pictures, settings.visitor_total)
        if not count:
            raise refusal(name, "generate images")
        use = self._counted(name, _session(request, name), count)
        try:
            yield count
        except BaseException:
            with self._lock:
                self._uses.remove(use)
            raise

    def _counted(self, name: str, session: str, count: int) -> _Use:
        settings, now = self.studio.settings, self.clock()
        with self._lock:
            while self._uses and self._uses[0].at <= now - _HOUR_S:
                self._uses.popleft()
            own = [use for use in self._uses if use.session == session]
            if wait_s := _wait_s(own, count, settings.visitor_pictures, now):
                raise TooMany(name, settings.visitor_pictures, wait_s)
            if wait_s := _wait_s(self._uses, count, settings.visitor_total, now):
                raise TooMany(name, settings.visitor_total, wait_s, all_visitors=True)
            use = _Use(now, session, count)
            self._uses.append(use)
        return use


def _wait_s(uses: Iterable[_Use], count: int, allowed: int, now: float) -> float:
    """Return the seconds until `count` more images are allowed, i.e. until enough uses are an hour old; 0 for now."""
    uses = list(uses)
    excess = sum(use.images for use in uses) + count - allowed
    if excess <= 0:
        return 0.0
    for use in uses:
        excess -= use.images
        if excess <= 0:
            return use.at + _HOUR_S - now
    return _HOUR_S


def _session(request: object, name: str) -> str:
    return name if name != VISITOR else str(getattr(request, "session_hash", ""))
