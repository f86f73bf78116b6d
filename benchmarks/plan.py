"""The preview of a plan must not take longer for larger counts: `python -m benchmarks.plan` prints one JSON line."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from pipeline.domain.recipe import MOST_SAMPLES
from pipeline.services import Studio
from pipeline.settings import Settings

LIMIT_MS = 200.0
_COUNTS = (20, 1_000, MOST_SAMPLES)
_TIMES = 7


def preview_ms(studio: Studio, recipe: str, count: int) -> float:
    """The median time of a preview in milliseconds, after a first one that fills the caches."""
    times = []
    for _ in range(_TIMES + 1):
        started = time.perf_counter()
        studio.preview_plan(recipe, count=count)
        times.append((time.perf_counter() - started) * 1_000)
    return round(statistics.median(times[1:]), 1)


def main() -> None:
    """Preview every example recipe over the starter set, for small and large counts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Studio(Settings(library=Path(folder) / "library")) as studio,
    ):
        studio.fill_with_starter()
        times = {
            name: {str(count): preview_ms(studio, text, count) for count in _COUNTS}
            for name, text in studio.recipes().items()
        }
    slowest = max(ms for counts in times.values() for ms in counts.values())
    print(json.dumps({"benchmark": "plan preview", "ms": times, "slowest_ms": slowest, "limit_ms": LIMIT_MS}))


if __name__ == "__main__":
    main()
