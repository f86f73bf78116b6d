"""The errors that a person can cause or meet. `str(error)` is one sentence: what is wrong, the value, the remedy.

Each kind has a type for the program; those with data keep it in attributes. Only the error boundary of the pages and
the entry points of the command line catch `StudioError`. Faults of the program itself are asserts.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class StudioError(Exception):
    """Base of all errors that are told to a person. `str(error)` is the sentence that they read."""


class InvalidRequest(StudioError):
    """A value is outside what is allowed; the message names the value and the allowed range."""


class UnknownName(StudioError):
    """A name is not one of a closed set.

    Args:
        kind: what the name stands for, e.g. "model".
        name: what was given.
        known: the names that exist.
        if_none: what to do where none exists, as a clause.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, if_none: str = "known: none") -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        by_spelling = {known_name.casefold(): known_name for known_name in self.known}
        near = get_close_matches(name.casefold(), by_spelling, n=1, cutoff=0.5)
        if near:
            remedy = f"did you mean '{by_spelling[near[0]]}'?"
        else:
            remedy = f"known: {', '.join(self.known)}" if self.known else if_none
        super().__init__(f"there is no {kind} '{name}'; {remedy}")


class InvalidRecipe(StudioError):
    """A recipe cannot be parsed or contradicts itself; the message names the key and the remedy."""


class UnreadableImage(StudioError):
    """A file is not a readable image.

    Args:
        name: the file, as the person knows it.
        reason: what is wrong with it, as a clause.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name}: {reason}")


class SourceRefused(StudioError):
    """A source of photos cannot be imported as a whole: it is missing, empty, an unsafe archive …"""


class NoUsablePhotos(StudioError):
    """The library has no photo that can be used for what was asked."""


class SizeMismatch(StudioError):
    """Images that must have the same height and width differ.

    Args:
        sizes: name of each image → (height, width) in pixels.
    """

    def __init__(self, **sizes: tuple[int, ...]) -> None:
        self.sizes = sizes
        listed = ", ".join(f"{name} is {size[0]}x{size[1]}" for name, size in sizes.items())
        super().__init__(f"images differ in height x width: {listed}; bring them to one size first")


class LibraryUnusable(StudioError):
    """A library cannot be opened or written, e.g. missing, read-only, damaged, of a newer version, or the disk full."""


class DamagedPicture(LibraryUnusable):
    """The file of a stored image no longer holds the pixels that its id stands for.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the image file {path} was damaged or changed after it was stored; "
            "run `python -m pipeline verify --repair` on this library"
        )


class LibraryBusy(StudioError):
    """Another process holds the library for a long operation.

    Args:
        path: folder of the library.
        task: the operation, e.g. "generate".
        holder: a phrase that names its process, the task and its start.
    """

    def __init__(self, path: Path, task: str, holder: str) -> None:
        self.path, self.task = path, task
        super().__init__(
            f"the library is in use by {holder}; wait until it ends or stop it, then run this again"
        )


class NotFound(StudioError):
    """There is no photo, sample or other item with this id.

    Args:
        kind: what was asked for, e.g. "sample".
        identifier: the id that was given.
    """

    def __init__(self, kind: str, identifier: str) -> None:
        self.kind, self.identifier = kind, identifier
        super().__init__(f"no {kind} '{identifier}' in this library; it may have been deleted")


class ModelUnavailable(StudioError):
    """A checkpoint cannot be loaded: it is not downloaded, broken, or lacks a part."""


class ReleaseRefused(StudioError):
    """A release cannot be written or read."""


class NotAllowed(StudioError):
    """A person's role does not allow what was asked.

    Args:
        name: the person.
        what: what they may not do, as a verb phrase.
        remedy: what they can do instead.
    """

    def __init__(
        self, name: str, what: str, remedy: str = "a lead can add the name to BACKLOT_PEOPLE"
    ) -> None:
        self.name, self.what, self.remedy = name, what, remedy
        super().__init__(f"'{name}' may not {what}; {remedy}")


class Cancelled(StudioError):
    """The person stopped an operation; what was finished is kept.

    Args:
        done: how many items were finished.
    """

    def __init__(self, done: int = 0) -> None:
        self.done = done
        super().__init__(f"stopped after {done}; run the same command again to continue")
