"""What every source yields: labelled image files, refusals, a note."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MAX_FILE_BYTES = 100 * 2**20  # a larger "photo" is refused unread
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
_SAID_CHARACTERS = 60
_NO_LABEL = re.compile(r"[/\\\x00-\x1f\x7f]")


def label_fault(label: str) -> str:
    """Why a class cannot be called so (classes become folders); "" where nothing speaks against it."""
    if label.strip() in ("", ".", "..") or _NO_LABEL.search(label):
        said = label if len(label) <= _SAID_CHARACTERS else f"{label[:_SAID_CHARACTERS]}…"
        return f"its class {said!r} cannot be the name of a folder; rename it in the source"
    return ""


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One labelled image file, still encoded.

    `name` is the path inside the source, e.g. "bolt/01.jpg"; `mask` the encoded file of its mask, if any.
    """

    label: str
    name: str
    data: bytes
    mask: bytes | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was left out, and why, in words for the person."""

    name: str
    reason: str


class Source(Protocol):
    """A source that was opened. `refused` is complete once `items` has run to its end."""

    refused: list[Refusal]
    note: str  # what was guessed, in one sentence; "" when nothing was
    count: int | None  # how many items there will be, where that is known beforehand
    address: str | None  # of exactly what is read, where the name that the person gave may move

    def items(self) -> Iterator[SourceItem]:
        """Every image of the source, in a fixed order; files that cannot be read go to `refused`."""
        ...
