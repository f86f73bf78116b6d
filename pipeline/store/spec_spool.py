"""Specs on their way into the database: decided before the transaction begins, in a file instead of in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from pipeline.domain.spec import SampleSpec

_IN_MEMORY_BYTES = 4_000_000  # of a plan that needs no file


@dataclass(frozen=True, slots=True)
class SpooledSpec:
    """What the database stores of a spec."""

    id: str
    label: str
    method: str
    photo_ids: tuple[str, ...]  # back to front
    text: str  # canonical JSON


class SpecSpool:
    """Specs in order, each once, that can be read several times.

    Args:
        file: empty, of text.
    """

    def __init__(self, file: SpooledTemporaryFile[str]) -> None:
        self._file = file
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, spec: SampleSpec) -> None:
        """Add a spec behind the others, unless it is among them."""
        if spec.id in self._ids:
            return
        self._ids.add(spec.id)
        photo_ids = [placed.photo_id for placed in spec.objects]
        self._file.write(json.dumps([spec.id, spec.label, spec.method, photo_ids, spec.to_json()]) + "\n")

    def __iter__(self) -> Iterator[SpooledSpec]:
        self._file.seek(0)
        for line in self._file:
            spec_id, label, method, photo_ids, text = json.loads(line)
            yield SpooledSpec(spec_id, label, method, tuple(photo_ids), text)


@contextmanager
def spooled(specs: Iterable[SampleSpec]) -> Iterator[SpecSpool]:
    """Read specs to their end; yield them."""
    with SpooledTemporaryFile(_IN_MEMORY_BYTES, "w+", encoding="utf-8") as file:
        spool = SpecSpool(file)
        for spec in specs:
            spool.add(spec)
        yield spool
