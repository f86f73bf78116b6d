"""Embeddings are stored for an image and an embedder; a library of an earlier version gets the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.domain.review import Verdict
from pipeline.domain.spec import Method
from pipeline.store import EmbeddedSample, Library
from tests.toy_library import add_subject, decision, filled, render, spec


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


def test_samples_with_and_without_a_vector_are_listed_as_they_were_planned(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        ids = filled(library, samples=5)
        image_ids = [library.samples.get(sample_id).image_id or "" for sample_id in ids]
        vector = np.asarray([1, 0], np.float16)
        library.embeddings.add("net", {image_ids[3]: vector, image_ids[1]: vector, "a photo": vector})
        library.embeddings.add("other", {image_ids[0]: vector})
        library.samples.set_groups({ids[3]: ids[1]})
        assert library.embeddings.count("net") == 3
        embedded, missing = library.embeddings.newest_samples("net", limit=9)
        assert embedded == [
            EmbeddedSample(id=ids[1], image_id=image_ids[1], label="bolt", group=ids[1]),
            EmbeddedSample(id=ids[3], image_id=image_ids[3], label="bolt", group=ids[1]),
        ]
        assert [each.id for each in missing] == [ids[0], ids[2], ids[4]]
        embedded, missing = library.embeddings.newest_samples("net", limit=3)
        assert [each.id for each in embedded] == [ids[3]]
        assert [each.id for each in missing] == [ids[2], ids[4]]


def test_samples_that_are_not_rejected_are_listed_by_plan_method_and_class(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        ids = filled(library, samples=4)
        nut = spec(add_subject(library, 9, label="nut"), seed=9, method=Method.CONTROLNET)
        library.plans.add("other", "", [nut])
        render(library, nut)
        images = [library.samples.get(sample_id).image_id or "" for sample_id in (*ids, nut.id)]
        library.embeddings.add("net", {images[2]: np.asarray([1, 0], np.float16)})
        library.review.record(decision(ids[1], Verdict.REJECT))
        first, second = library.embeddings.sets("net", each=2)
        assert (first.plan, first.method, first.label, first.total) == ("toy", "inpaint", "bolt", 3)
        assert first.images == ((images[0], False), (images[2], True))
        assert (second.plan, second.method, second.label, second.total) == ("other", "controlnet", "nut", 1)
        assert library.embeddings.sets("other net", each=2)[0].images == (
            (images[0], False),
            (images[2], False),
        )
