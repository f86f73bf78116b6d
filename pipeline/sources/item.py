"""What every source yields: labelled image files, refusals and a note."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MAX_FILE_BYTES = 100 * 2**20  # a larger "photo" is refused unread
_SHOWN_CHARACTERS = 60
_NOT_IN_LABELS = re.compile(r"[/\\\x00-\x1f\x7f]")


def label_fault(label: str) -> str:
    """Return why a class cannot have this name (classes become folders); "" where it can."""
    if label.strip() in ("", ".", "..") or _NOT_IN_LABELS.search(label):
        shown = label if len(label) <= _SHOWN_CHARACTERS else f"{label[:_SHOWN_CHARACTERS]}…"
        return f"its class {shown!r} cannot be the name of a folder; rename it in the source"
    return ""


@dataclass(frozen=True, slots=True)
class AnnotatedBox:
    """The box that an annotation draws round an object."""

    corners: tuple[float, float, float, float]  # x0, y0, x1, y1 as shares of the image's width and height
    alone: bool  # whether it is the only object of its image; the photo of one among several is a part of the image


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One labelled image file, still encoded."""

    label: str
    name: str  # the path inside the source, e.g. "bolt/01.jpg"
    data: bytes
    mask: bytes | None = None  # the encoded file of its mask
    box: AnnotatedBox | None = None
    split: str | None = None  # train or test, where the source says so
    image: str = (
        ""  # what the photos of the several objects of one image have in common; "" for a whole image
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was left out, and why."""

    name: str
    reason: str


class Source(Protocol):
    """An open source. `refused` is complete once `items` is exhausted."""

    refused: list[Refusal]
    note: str  # what was guessed, in one sentence; "" where nothing was guessed
    count: int | None  # how many items there are, where that is known beforehand
    address: str | None  # of exactly what is read, where the given name may refer to something else later

    def items(self) -> Iterator[SourceItem]:
        """Yield every image of the source in a fixed order; files that cannot be read go to `refused`."""
        ...
