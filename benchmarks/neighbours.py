"""Novelty of one more sample at scale: `python -m benchmarks.neighbours [--samples N …]` prints one JSON line.

For classes of several sizes: CPU time of placing a sample (search and add, the database left out), of making the lists
at the start of a run and of reading descriptors from a library, their memory, and the recall against a comparison with
all. The descriptors are mixtures: each lies between those of two images that the recipe `surfaces` pastes onto drawn
backgrounds, and is scattered somewhat more than those are, which makes the nearest one harder to find.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.review import grow
from pipeline.domain.methods import Method
from pipeline.domain.nearest_rows import NearestRows
from pipeline.domain.recipe import parse_recipe
from pipeline.domain.spec import SampleSpec
from pipeline.rendering.runner import RenderedSample
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, planned
from pipeline.services.samples.neighbours import ALIKE, Neighbours
from pipeline.services.samples.runs import render
from pipeline.settings import Settings
from pipeline.store import Library
from pipeline.studio import Studio

_RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "surfaces.yaml"
_SIZES = (10_000, 100_000, 1_000_000)
_RENDERED = 300  # images that the mixtures are of
_PLACED = 2_000  # samples that are placed, one after the other
_STORED = 80_000
_AT_ONCE = 8_192
_SCATTER = 1_500.0  # of a mixture's shares: the smaller, the more
Rows = NDArray[np.float32]  # (N, 96), each of length 1


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neighbours", description=__doc__)
    parser.add_argument("--samples", type=int, nargs="+", default=list(_SIZES), help="of one class")
    parser.add_argument("--stored", type=int, default=_STORED, help="in the library that is read")
    parser.add_argument(
        "--rendered",
        type=int,
        default=_RENDERED,
        help="images that are drawn; the others are mixtures of them",
    )
    given = parser.parse_args(arguments)
    images = rendered_descriptors(given.rendered)
    figures: dict[str, object] = {
        "benchmark": "neighbours",
        "nearest_cosine_p50": {
            "rendered": median_nearest(images),
            "mixed": median_nearest(mixtures(images, len(images), seed=2)),
        },
        "place_ms_limit": 1.0,
    }
    for count in given.samples:
        figures[f"{count:,}"] = class_figures(
            mixtures(images, count, seed=0), mixtures(images, _PLACED, seed=1)
        )
    figures["stored"] = {"samples": given.stored, **reading_figures(images, given.stored)}
    print(json.dumps(figures))
    return 0


def rendered_descriptors(count: int) -> Rows:
    """Return the descriptors of images of one class of the starter set, pasted onto drawn backgrounds."""
    descriptors: list[Rows] = []

    def keep(_spec: SampleSpec, sample: RenderedSample) -> None:
        assert sample.facts.descriptor is not None
        descriptors.append(sample.facts.descriptor)

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(library=Path(folder) / "library", starter=False)
        with Studio(settings, access=FileAccess()) as studio:
            studio.photos.import_source("starter", split="train")
            recipe = parse_recipe(_RECIPE.read_text(encoding="utf-8"), _RECIPE.stem).of_method(Method.PASTE)
            label = min(studio.library.counts().classes)
            backdrops = recipe.backdrops.model_copy(update={"folder": "drawn"})
            changes = {"classes": {label: count}, "count": None, "backdrops": backdrops}
            specs = planned(studio.library, recipe.model_copy(update=changes), Overrides(), FileAccess())
            render(
                studio.library, list(specs), FileAccess(), 8, keep,
                lambda spec, sentence: sys.exit(f"{spec.id}: {sentence}"),
            )  # fmt: skip
    return np.stack(descriptors)


def mixtures(images: Rows, count: int, *, seed: int) -> Rows:
    """Return descriptors of as many images as one likes, each between two of some images and scattered."""
    rng = np.random.default_rng(seed)
    rows = np.empty((count, images.shape[1]), np.float32)
    for start in range(0, count, _AT_ONCE):
        number = min(_AT_ONCE, count - start)
        first, second = images[rng.integers(0, len(images), (2, number))]
        part = rng.uniform(0.0, 0.5, (number, 1)).astype(np.float32)
        shares = (1 - part) * first**2 + part * second**2
        mixed = np.sqrt(rng.standard_gamma(_SCATTER * shares, dtype=np.float32))
        rows[start : start + number] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return rows


def class_figures(rows: Rows, new: Rows) -> dict[str, object]:
    """Measure a class of so many samples, and compare its answers with those of a comparison with all.

    Args:
        new: those that are placed in it.
    """
    cosines = greatest_cosines(rows, new)
    started = time.process_time()
    nearest = NearestRows(rows)
    nearest.add(rows[0])
    nearest.nearest(rows[0])  # makes the lists
    build_s = time.process_time() - started
    found = np.array([nearest.nearest(row) for row in new])[:, 0]
    started = time.process_time()
    for row in new:
        nearest.nearest(row)
        nearest.add(row)
    place_s = time.process_time() - started
    near = cosines >= ALIKE
    return {
        "place_ms": round(place_s * 1000 / len(new), 3),
        "build_s": round(build_s, 2),
        "mb": round(nearest.nbytes / 2**20),
        "recall_nearest": round(float(np.mean(found >= cosines - 1e-6)), 4),
        "recall_near_duplicates": round(float(np.mean(found[near] >= ALIKE)), 4) if near.any() else None,
        "near_duplicates": round(float(np.mean(near)), 4),
        "novelty_error_mean": round(float(np.mean(cosines - found)), 6),
        "novelty_error_max": round(float(np.max(cosines - found)), 6),
    }


def greatest_cosines(rows: Rows, new: Rows) -> Rows:
    """Return the cosine of each new row to the most similar one of all rows, (N,)."""
    greatest = np.full(len(new), -1.0, np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        np.maximum(greatest, (new @ rows[start : start + _AT_ONCE].T).max(axis=1), out=greatest)
    return greatest


def median_nearest(rows: Rows) -> float:
    """Return the median cosine of a row to the most similar other one."""
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -1.0)
    return round(float(np.median(cosines.max(axis=1))), 3)


def reading_figures(images: Rows, count: int) -> dict[str, object]:
    """Measure reading the descriptors of all classes of a library, as at the start of a run, and their memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library"
        grow(path, count)
        give_descriptors(path, images)
        with Library.open(path) as library:
            labels = sorted(library.counts().classes)
            neighbours, before = Neighbours(library), memory_mb()
            started = time.process_time()
            for label in labels:
                neighbours.place(f"new {label}", label, images[0])
            return {
                "classes": len(labels),
                "read_s": round(time.process_time() - started, 1),
                "peak_memory_mb": round(memory_mb() - before),
            }


def give_descriptors(path: Path, images: Rows) -> None:
    """Give each sample of a library a descriptor and a cluster of its own."""
    with closing(sqlite3.connect(path / "backlot.sqlite")) as database:
        seqs = [row[0] for row in database.execute("SELECT seq FROM samples ORDER BY seq")]
        for start in range(0, len(seqs), _AT_ONCE):
            chunk = seqs[start : start + _AT_ONCE]
            rows = mixtures(images, len(chunk), seed=start)
            values = [(row.astype("<f4").tobytes(), seq) for row, seq in zip(rows, chunk, strict=True)]
            database.executemany("UPDATE samples SET descriptor = ?, cluster = id WHERE seq = ?", values)
        database.commit()


def memory_mb() -> float:
    """Return the largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
