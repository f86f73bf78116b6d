"""The preview of a plan must not take longer for larger counts: `python -m benchmarks.plan` prints one JSON line.

Every example recipe is previewed over a small library, for small and large counts; this takes about half a minute.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.recipe import MOST_SAMPLES
from pipeline.services.plans.planning import Overrides
from pipeline.settings import Settings
from pipeline.starter import subjects
from pipeline.studio import Studio

LIMIT_MS = 200.0
_PHOTOS_PER_KIND = 2  # the time of a preview hardly depends on the number of photos
_COUNTS = (20, 1_000, MOST_SAMPLES)
_TIMES = 5


def write_photos(folder: Path) -> None:
    """Write a few starter photos into class folders, each with its exact mask as alpha channel."""
    for part in subjects(per_kind=_PHOTOS_PER_KIND):
        file = folder / part.label / f"{part.name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.dstack([part.rgb[..., ::-1], part.mask]))


def preview_ms(studio: Studio, recipe: str, count: int) -> float:
    """Return the shortest time of a preview in milliseconds: the others waited for other programs."""
    times = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        studio.plans.preview(recipe, Overrides(count=count))
        times.append((time.perf_counter() - started) * 1_000)
    return round(min(times), 1)


def main() -> None:
    """Preview every example recipe and print the times."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Studio(Settings(library=Path(folder) / "library", starter=False)) as studio,
    ):
        write_photos(Path(folder) / "photos")
        studio.photos.import_source(str(Path(folder) / "photos"))
        times = {
            name: {str(count): preview_ms(studio, text, count) for count in _COUNTS}
            for name, text in studio.plans.recipes().items()
        }
    slowest = max(milliseconds for counts in times.values() for milliseconds in counts.values())
    print(json.dumps({"benchmark": "plan preview", "ms": times, "slowest_ms": slowest, "limit_ms": LIMIT_MS}))


if __name__ == "__main__":
    main()
