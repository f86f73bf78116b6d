from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.domain.review import Verdict
from pipeline.store import Library
from tests.toy_library import add_subject, decision, render, spec


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


@pytest.fixture
def decided(library: Library) -> Library:
    """3 bolts (one in test) and 2 gears (one in test); one accepted and one rejected sample of each photo."""
    photos = [
        add_subject(library, 1),
        add_subject(library, 2),
        add_subject(library, 3, split="test"),
        add_subject(library, 4, label="gear"),
        add_subject(library, 5, label="gear", split="test", doubts=("shadow left",)),
    ]
    specs = [spec(photo, seed=10 * number + take) for number, photo in enumerate(photos) for take in (0, 1)]
    library.plans.add("floors", "name: floors\nseed: 0\n", specs)
    for number, planned in enumerate(specs):
        render(library, planned)
        verdict = Verdict.REJECT if number % 2 else Verdict.ACCEPT
        library.review.record(decision(planned.id, verdict, reason="seam" if number % 2 else None))
    return library
