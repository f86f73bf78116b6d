"""Embeddings are stored for an image and an embedder; a library of an earlier version gets the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.store import Library


def test_vectors_are_found_by_embedder_and_image_and_the_first_one_stays(tmp_path: Path) -> None:
    first, second = np.asarray([0.5, -2], np.float16), np.asarray([3, 4], np.float16)
    with Library.open(tmp_path / "library", create=True) as library:
        library.embeddings.add("net", {"a": first, "b": second})
        library.embeddings.add("net", {"a": second})
        library.embeddings.add("other", {})
    with Library.open(tmp_path / "library") as library:
        stored = library.embeddings.of("net", ["a", "b", "c"])
        assert {image_id: vector.tolist() for image_id, vector in stored.items()} == {
            "a": [0.5, -2],
            "b": [3, 4],
        }
        assert stored["a"].dtype == np.float16
        assert library.embeddings.of("other", ["a", "b"]) == {}
        assert library.verify() == []
