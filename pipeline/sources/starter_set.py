"""The rendered starter set and its test set as sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2

from pipeline.domain.images import Pixels
from pipeline.sources.item import Refusal, SourceItem
from pipeline.starter import FIELD_COUNT, PER_KIND, Kind, StarterPart, field, subjects

STARTER, STARTER_FIELD = "starter", "starter:field"


class StarterSource:
    """Rendered machine parts with their exact masks."""

    def __init__(self, parts: Callable[[], Iterator[StarterPart]], count: int, note: str) -> None:
        self._parts = parts
        self.count: int | None = count
        self.note = note
        self.address: str | None = None
        self.refused: list[Refusal] = []

    def items(self) -> Iterator[SourceItem]:
        """Yield every part: kind by kind (the set) or in turns (the test set)."""
        for part in self._parts():
            photo, mask = _png(part.rgb[..., ::-1]), _png(part.mask)
            yield SourceItem(part.label, f"{part.label}/{part.name}", photo, mask)


def open_starter_set(source: str) -> StarterSource:
    """Open `starter` or `starter:field`."""
    if source == STARTER_FIELD:
        note = (
            "rendered by this project: a test set of the same machine parts elsewhere, with their exact masks"
        )
        return StarterSource(field, FIELD_COUNT, note)
    note = "rendered by this project: machine parts on one grey bench, with their exact masks"
    return StarterSource(subjects, PER_KIND * len(Kind), note)


def _png(pixels: Pixels) -> bytes:
    _, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return data.tobytes()
