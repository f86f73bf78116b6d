"""One image of an export with its files, and names that are safe as parts of a path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict
from urllib.parse import quote

from pipeline.domain.placement import is_empty
from pipeline.domain.release import ReleaseDistractor, ReleaseRow
from pipeline.publish.credits import published_model, published_source

# characters that no file name may hold, and "%XX", which would otherwise read as an escaped character
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]|^\.{1,2}$|%(?=[0-9A-Fa-f]{2})")


class DistractorFacts(TypedDict):
    """What an export tells of a distractor, ready for JSON."""

    label: str  # its class; "" for a neutral shape
    shape: str  # the form of a neutral shape; "" for an object
    box: list[int]  # x0, y0, x1, y1 in pixels; x1 and y1 exclusive


class ImageFacts(TypedDict):
    """What an export tells of an image, ready for JSON."""

    label: str
    origin: str
    method: str
    prompt: str
    seed: int
    model: str
    source_ids: list[str]
    source: str
    boxes: list[list[int]]  # x0, y0, x1, y1 in pixels; x1 and y1 exclusive
    scores: dict[str, float]
    distractors: NotRequired[list[DistractorFacts]]  # where there are some


@dataclass(frozen=True, slots=True)
class ExportedImage:
    """One row of a release with its files."""

    row: ReleaseRow
    data: bytes  # WebP
    mask: bytes | None  # WebP
    size: tuple[int, int]  # height, width in pixels

    @property
    def name(self) -> str:
        """The file name without its extension."""
        return self.row.sample_id

    def facts(self) -> ImageFacts:
        """What is known of the image, ready for JSON."""
        row = self.row
        facts: ImageFacts = {
            "label": row.label,
            "origin": str(row.origin),
            "method": row.method,
            "prompt": row.prompt,
            "seed": row.seed,
            "model": published_model(row.model),
            "source_ids": list(row.source_ids),
            "source": published_source(row.source),
            "boxes": [list(box) for box in row.boxes],
            "scores": dict(row.scores),
        }
        seen = [each for each in row.distractors if not is_empty(each.box)]
        if seen:
            facts["distractors"] = [
                {"label": each.label, "shape": each.shape, "box": list(each.box)} for each in seen
            ]
        return facts

    def other_objects(self) -> list[ReleaseDistractor]:
        """Return the objects of other classes that are seen, which a detector must find, too."""
        return [each for each in self.row.distractors if each.label and not is_empty(each.box)]


class ClassNumbers:
    """Numbers of the classes of annotations: those of the release, then those that only distractors are of."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._numbers = {label: number for number, label in enumerate(labels)}

    def number(self, label: str) -> int:
        """Return the number of a class, from 0; a class that is not known yet gets the next one."""
        return self._numbers.setdefault(label, len(self._numbers))

    @property
    def labels(self) -> list[str]:
        """All classes, in the order of their numbers."""
        return list(self._numbers)


def safe_file_name(name: str) -> str:
    """A class or split as one part of a path; characters that would lead elsewhere are percent-encoded."""
    return _UNSAFE.sub(lambda match: quote(match[0], safe="").replace(".", "%2E"), name)


def write_file(path: Path, data: bytes) -> None:
    """Write a file; its folder is created where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
