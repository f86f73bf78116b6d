"""What can go wrong in the world, each with one plain sentence for the person: what, the value, the mend.

Only the doors (the screen's seam and the command lines) catch `StudioError`. Our own mistakes are asserts.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class StudioError(Exception):
    """The world said no. `str(error)` is the sentence that the person reads."""


class InvalidRequest(StudioError):
    """A value lies outside what is allowed; the message names it and the allowed range."""


class UnknownName(StudioError):
    """A name out of a closed set was not found.

    Args:
        kind: what the name stands for, e.g. "model".
        name: what was given.
        known: the names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        by_spelling = {known_name.casefold(): known_name for known_name in self.known}
        near = get_close_matches(name.casefold(), by_spelling, n=1, cutoff=0.5)
        mend = (
            f"did you mean '{by_spelling[near[0]]}'?" if near else f"known: {', '.join(self.known) or 'none'}"
        )
        super().__init__(f"there is no {kind} '{name}'; {mend}")


class InvalidRecipe(StudioError):
    """A recipe does not parse or does not hold; the message names the key and the mend."""


class UnreadableImage(StudioError):
    """A file is not a readable picture."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name}: {reason}")


class SourceRefused(StudioError):
    """A source of photographs cannot be imported as a whole (missing, empty, unsafe archive …)."""


class NoUsablePhotos(StudioError):
    """Something needs subjects and the library has none that fit."""


class SizeMismatch(StudioError):
    """Arrays that must share one height and width do not."""

    def __init__(self, **sizes: tuple[int, ...]) -> None:
        said = ", ".join(f"{name} is {size[0]}x{size[1]}" for name, size in sizes.items())
        super().__init__(f"pictures differ in height x width: {said}; bring them to one size first")


class LibraryUnusable(StudioError):
    """A library cannot be opened or written (missing, read-only, disk full, newer version, damaged)."""


class DamagedPicture(LibraryUnusable):
    """The file of a stored picture does not hold its pixels any more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the picture file {path} was damaged or changed after it was stored; "
            "run `python -m pipeline verify --repair` on this library"
        )


class LibraryBusy(StudioError):
    """Another process does long work in this library."""

    def __init__(self, path: Path, holder: str) -> None:
        self.path, self.holder = path, holder
        super().__init__(
            f"library {path} is in use by {holder}; wait until it ends or stop it, then run this again"
        )


class NotFound(StudioError):
    """A subject, sample or release with this id does not exist."""

    def __init__(self, kind: str, identifier: str) -> None:
        self.kind, self.identifier = kind, identifier
        super().__init__(f"no {kind} '{identifier}' in this library; it may have been deleted")


class ModelUnavailable(StudioError):
    """A checkpoint cannot be loaded (unknown, not downloaded, broken, missing a part)."""


class ReleaseRefused(StudioError):
    """A release cannot be written or read; the message says why and what to do."""


class NotAllowed(StudioError):
    """A person's role does not allow what was asked."""

    def __init__(self, name: str, what: str, mend: str = "a lead can add the name to BACKLOT_PEOPLE") -> None:
        self.name = name
        super().__init__(f"'{name}' may not {what}; {mend}")


class Cancelled(StudioError):
    """The person stopped the work; what was finished is kept."""

    def __init__(self, done: int = 0) -> None:
        self.done = done
        super().__init__(f"stopped after {done}; run the same command again to go on")
