"""Similar samples at scale: `python -m benchmarks.similarity [--samples N]` prints one JSON line.

What embedding a sample costs beside reading its file, the first and a later search among N samples whose embeddings are
stored, the memory that they take, and grouping one more batch.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.review import grow, texture
from pipeline.embedding import load_embedder, shrunk
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.services.samples.similarity_index import SimilarityIndex
from pipeline.store import EmbeddedSample, Library, SampleFilter

_LABELS = 10
_SEARCHES = 20
_EMBEDDED = 64
_STORED_AT_ONCE = 5_000


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.similarity", description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000, help="in the library (default: %(default)s)")
    count = parser.parse_args(arguments).samples
    figures: dict[str, object] = {"benchmark": "similar samples", "samples": count}
    figures |= embedding_figures()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library"
        grow(path, count)
        give_each_its_own_image(path)
        figures |= search_figures(path)
    figures |= grouping_figures(count)
    print(json.dumps(figures))
    return 0


def embedding_figures() -> dict[str, object]:
    """Measure embedding images that are in memory, in batches, at two sizes."""
    embedder = load_embedder()
    large = [texture(number) for number in range(_EMBEDDED)]
    small = [shrunk(rgb, 128) for rgb in large]
    embedder.embed(small[:1])  # loads the network
    return {
        "embedder": embedder.name,
        "embed_128_px_ms": round(_milliseconds(lambda: embedder.embed(small)) / _EMBEDDED, 1),
        "embed_512_px_ms": round(_milliseconds(lambda: embedder.embed(large)) / _EMBEDDED, 1),
    }


def give_each_its_own_image(path: Path) -> None:
    """Give every sample an image id of its own, and most of them a random embedding; no file is needed."""
    embedder = load_embedder()
    rng = np.random.default_rng(0)
    with closing(sqlite3.connect(path / "backlot.sqlite")) as database:
        database.execute("UPDATE samples SET image_id = id")
        ids = [row[0] for row in database.execute("SELECT id FROM samples ORDER BY seq")]
        for start in range(0, len(ids), _STORED_AT_ONCE):
            chunk = ids[start : start + _STORED_AT_ONCE]
            vectors = rng.random((len(chunk), embedder.size), np.float32).astype("<f2")
            database.executemany(
                "INSERT INTO embeddings VALUES (?, ?, ?)",
                [
                    (image_id, embedder.name, vector.tobytes())
                    for image_id, vector in zip(chunk, vectors, strict=True)
                ],
            )
        database.commit()


def search_figures(path: Path) -> dict[str, object]:
    """Measure the first search, which reads all embeddings, and later ones."""
    with Library.open(path) as library:
        before = _memory_mb()
        embeddings = SampleEmbeddings(library)
        image_ids = library.samples.ids(SampleFilter(), limit=_SEARCHES)
        first = _milliseconds(lambda: embeddings.similar(image_ids[0], count=24, but=None))
        later = [
            _milliseconds(partial(embeddings.similar, image_id, count=24, but=None)) for image_id in image_ids
        ]
    return {
        "first_search_ms": round(first),
        "search_ms_p50": round(statistics.median(later)),
        "search_ms_max": round(max(later)),
        "search_ms_limit": 500,
        "memory_mb": round(_memory_mb() - before),
    }


def grouping_figures(count: int) -> dict[str, object]:
    """Measure finding the groups of one more batch among samples that are all alone in theirs."""
    size = load_embedder().size
    rng = np.random.default_rng(0)
    index = SimilarityIndex(size)
    samples = [
        EmbeddedSample(id=str(number), image_id=str(number), label=str(number % _LABELS), group=str(number))
        for number in range(count)
    ]
    for start in range(0, count, _STORED_AT_ONCE):
        chunk = samples[start : start + _STORED_AT_ONCE]
        index.add(chunk, rng.random((len(chunk), size), np.float32).astype(np.float16))
    new = [
        EmbeddedSample(id=f"new {number}", image_id="", label=str(number % _LABELS), group="")
        for number in range(_EMBEDDED)
    ]
    vectors = rng.random((_EMBEDDED, size), np.float32).astype(np.float16)
    took = _milliseconds(lambda: index.grouped(new, vectors, 0.9))
    return {"classes": _LABELS, "group_a_sample_ms": round(took / _EMBEDDED, 1)}


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
