"""Previews must not take longer for larger counts, and a large plan needs little time and memory.

`python -m benchmarks.plan` prints one JSON line. Every example recipe is previewed over a small library, for small and
large counts, and planned; this takes about two minutes.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.recipe import MOST_SAMPLES, parse_recipe
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, PlannedRecipe, planned, planned_specs_of
from pipeline.services.samples.plan_parts import PlanParts
from pipeline.services.samples.run_requests import RunRequest
from pipeline.settings import Settings
from pipeline.starter import subjects
from pipeline.studio import Studio

LIMIT_MS = 200.0
LIMIT_CPU_S = 25.0  # for 100,000 specs of the default recipe
LIMIT_GROWTH_MB = 20.0
_PHOTOS_PER_KIND = 2  # the time of a preview hardly depends on the number of photos
_COUNTS = (20, 1_000, MOST_SAMPLES)
_TIMES = 5
_FEW = 5_000  # specs of the other recipes, whose time is scaled
_KIB = 1024


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


def planning_s(studio: Studio, recipe: str, count: int) -> float:
    """Return the CPU seconds that planning takes for each 100,000 specs, from a plan of `count`."""
    specs = planned(studio.library, parse_recipe(recipe), Overrides(count=count), FileAccess())
    started = time.process_time()
    for _ in specs:
        pass
    return round((time.process_time() - started) * MOST_SAMPLES / count, 1)


def storing_s(studio: Studio, recipe: str, count: int) -> tuple[float, float]:
    """Plan and store a recipe as a run does; CPU seconds before the first image can be rendered, and in all."""
    wanted = PlannedRecipe.of(studio.library, parse_recipe(recipe), Overrides(count=count))
    request = RunRequest(recipe=wanted.recipe, overrides=wanted.overrides)
    started = time.process_time()
    parts = PlanParts(studio.library, wanted, request)
    times = [
        time.process_time() - started
        for _ in parts.stored(planned_specs_of(studio.library, wanted, FileAccess()))
    ]
    return round(times[0], 1), round(time.process_time() - started, 1)


def peak_mb() -> float:
    """Return the peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB


def main() -> None:
    """Preview and plan every example recipe and print the times."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Studio(Settings(library=Path(folder) / "library", starter=False)) as studio,
    ):
        write_photos(Path(folder) / "photos")
        studio.photos.import_source(str(Path(folder) / "photos"))
        recipes = studio.plans.recipes()
        times = {
            name: {str(count): preview_ms(studio, text, count) for count in _COUNTS}
            for name, text in recipes.items()
        }
        seconds = {name: planning_s(studio, text, _FEW) for name, text in recipes.items()}
        default, before = next(iter(recipes)), peak_mb()
        seconds[default] = planning_s(studio, recipes[default], MOST_SAMPLES)
        first_s, stored_s = storing_s(studio, recipes[default], MOST_SAMPLES)
        growth = round(peak_mb() - before, 1)
    slowest = max(milliseconds for counts in times.values() for milliseconds in counts.values())
    print(
        json.dumps(
            {
                "benchmark": "plan preview",
                "ms": times,
                "slowest_ms": slowest,
                "limit_ms": LIMIT_MS,
                "cpu_s_100k": seconds,
                "limit_cpu_s_100k": LIMIT_CPU_S,
                "first_image_cpu_s": first_s,
                "planned_and_stored_cpu_s_100k": stored_s,
                "growth_mb": growth,
                "limit_growth_mb": LIMIT_GROWTH_MB,
            }
        )
    )


if __name__ == "__main__":
    main()
