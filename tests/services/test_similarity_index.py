"""The index in memory: the most similar samples, and groups of near-duplicates around a first one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.services.samples import similarity_index
from pipeline.services.samples.similarity_index import SimilarityIndex
from pipeline.store import EmbeddedSample


def sample(name: str, *, label: str = "bolt", group: str = "") -> EmbeddedSample:
    return EmbeddedSample(id=name, image_id=f"image of {name}", label=label, group=group or name)


def at_angles(*degrees: float) -> np.ndarray:
    """(N, 2) float16: directions in the plane, each of its own length."""
    radians = np.radians(degrees)
    lengths = 1 + np.arange(len(degrees))
    return (np.stack([np.cos(radians), np.sin(radians)], axis=1) * lengths[:, None]).astype(np.float16)


def index_of(*named: tuple[str, float]) -> SimilarityIndex:
    index = SimilarityIndex(2)
    index.add([sample(name) for name, _ in named], at_angles(*(angle for _, angle in named)))
    return index


def test_the_most_similar_come_first_whatever_their_length_and_one_is_left_out() -> None:
    index = index_of(("a", 0), ("b", 50), ("c", 10), ("d", 180))
    (query,) = at_angles(4)
    pairs = index.most_similar(query, 3, but="a")
    assert [name for name, _ in pairs] == ["c", "b", "d"]
    expected = np.cos(np.radians([6, 46, 176]))
    np.testing.assert_allclose([cosine for _, cosine in pairs], expected, atol=2e-3)
    assert [name for name, _ in index.most_similar(query, 1, but=None)] == ["a"]
    assert SimilarityIndex(2).most_similar(query, 3, but=None) == []


def test_it_grows_and_keeps_what_is_still_wanted() -> None:
    index = SimilarityIndex(2)
    samples = [sample(str(number)) for number in range(200)]
    for sample_number, each in enumerate(samples):
        index.add([each], at_angles(sample_number))
    assert index.vectors.shape == (200, 2)
    new = sample("new")
    changed = EmbeddedSample(id="7", image_id="another image", label="bolt", group="7")
    assert index.keep([*samples[5:7], changed, new]) == [changed, new]
    assert [each.id for each in index.samples] == ["5", "6"]
    np.testing.assert_allclose(index.vectors[1], at_angles(6)[0], atol=1e-3)


def groups(index: SimilarityIndex, *named: tuple[str, float], label: str = "bolt") -> dict[str, str]:
    """The groups that new samples get at a limit of 20 degrees."""
    samples = [sample(name, label=label) for name, _ in named]
    grouped = index.grouped(samples, at_angles(*(angle for _, angle in named)), np.cos(np.radians(20)))
    assert [each.id for each in grouped] == [name for name, _ in named]
    return {each.id: each.group for each in grouped}


def test_a_new_sample_joins_the_most_similar_first_sample_of_a_group() -> None:
    index = index_of(("a", 0), ("b", 30))
    assert groups(index, ("c", 12), ("d", 17), ("e", 60)) == {"c": "a", "d": "b", "e": "e"}


def test_new_samples_are_grouped_among_themselves_around_the_first_one_without_a_chain() -> None:
    empty = SimilarityIndex(2)
    assert groups(empty, ("a", 0), ("b", 15), ("c", 30), ("d", 44)) == {
        "a": "a",
        "b": "a",
        "c": "c",  # 15 degrees from b, which is not the first of its group
        "d": "c",
    }


def test_only_samples_of_one_class_are_near_duplicates() -> None:
    index = index_of(("a", 0))
    assert groups(index, ("b", 1), ("c", 2), label="nut") == {"b": "b", "c": "b"}


def test_a_sample_that_is_not_the_first_of_its_group_draws_no_others() -> None:
    index = index_of(("a", 0))
    index.add([sample("b", group="a")], at_angles(15))
    assert groups(index, ("c", 30)) == {"c": "c"}


def test_more_first_samples_than_one_block_holds_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity_index, "_ROWS", 2)
    index = index_of(("a", 0), ("b", 40), ("c", 80), ("d", 120), ("e", 160))
    assert groups(index, ("f", 118), ("g", 161), ("h", 1)) == {"f": "d", "g": "e", "h": "a"}
