"""Toy releases: small noisy images of three colours, as parquet that `datasets.load_dataset` reads."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from datasets import ClassLabel, Features, Value
from datasets import Image as ImageFeature
from PIL import Image

from pipeline.domain.images import RGB, Mask
from pipeline.embedding import Embedder
from pipeline.segmentation import CutoutOrigin, CutoutResult

COLOURS = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200)}
Plan = dict[tuple[str, str, str], int]  # (configuration, split, method) -> images of each class


def encoded(colour: tuple[int, int, int], *, seed: int, size: tuple[int, int] = (24, 32)) -> bytes:
    """A lossless WebP of one colour with noise that differs from seed to seed."""
    noise = np.random.default_rng(seed).integers(-40, 41, (*size, 3))
    data = io.BytesIO()
    Image.fromarray(np.clip(noise + colour, 0, 255).astype(np.uint8)).save(data, "WEBP", lossless=True)
    return data.getvalue()


def write_release(
    folder: Path, plan: Plan, *, classes: tuple[str, ...] = tuple(COLOURS), seed: int = 0
) -> Path:
    """A release with the given number of images of each class."""
    features = Features(
        {
            "image": ImageFeature(),
            "label": ClassLabel(names=list(COLOURS)),
            "origin": Value("string"),
            "method": Value("string"),
            "sample_id": Value("string"),
        }
    )
    files: dict[tuple[str, str], list[dict[str, object]]] = {}
    for (config, split, method), count in plan.items():
        for label in classes:
            for _ in range(count):
                seed += 1
                row = {
                    "image": {"bytes": encoded(COLOURS[label], seed=seed), "path": None},
                    "label": list(COLOURS).index(label),
                    "origin": "real" if method == "photo" else "synthetic",
                    "method": method,
                    "sample_id": f"{method}-{seed}",
                }
                files.setdefault((config, split), []).append(row)
    for (config, split), rows in files.items():
        place = folder / "data" / config / f"{split}-00000-of-00001.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=features.arrow_schema), place)
    (folder / "README.md").write_text(_card(sorted(files)))
    return folder


def _card(files: list[tuple[str, str]]) -> str:
    lines = ["---", "configs:"]
    for config in dict.fromkeys(config for config, _split in files):
        lines += [f"- config_name: {config}", "  data_files:"]
        for split in [split for held, split in files if held == config]:
            lines += [f"  - split: {split}", f"    path: data/{config}/{split}-*"]
    return "\n".join([*lines, "---", ""])


def _noise(images: np.ndarray) -> np.ndarray:
    """What toy images differ in, their noise, and their colour: two of either in common make them half alike."""
    means = images.mean(axis=(1, 2), dtype=np.float32)
    noise = (images - means[:, None, None]).reshape(len(images), -1)
    classes = np.eye(3, dtype=np.float32)[means.argmax(axis=1)]
    return np.concatenate([noise / np.linalg.norm(noise, axis=1, keepdims=True), classes], axis=1)


def colours(images: np.ndarray) -> np.ndarray:
    """What all toy images of a class have in common."""
    return images.mean(axis=(1, 2), dtype=np.float32)


def embed_by(
    monkeypatch: pytest.MonkeyPatch, features: Callable[[np.ndarray], np.ndarray], size: int
) -> None:
    """Let releases be checked for near-duplicates by these features of 16 px squares."""
    embedder = Embedder(
        name="toy",
        side_px=16,
        size=size,
        near_duplicate=0.9,
        near_duplicate_sample=0.9,
        is_network=True,
        features=features,
    )
    monkeypatch.setattr("training.data.release.load_embedder", lambda: embedder)


@pytest.fixture(autouse=True)
def toy_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedder that tells all toy images apart; the real one sees noise as noise."""
    embed_by(monkeypatch, _noise, 16 * 16 * 3 + 3)


@pytest.fixture(autouse=True)
def toy_cutouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toy photos show no objects; the real network would look for them in every test that runs a study."""

    def cut_out(rgb: RGB, *, alpha: Mask | None = None) -> CutoutResult:
        origin = CutoutOrigin.BACKGROUND if alpha is None else CutoutOrigin.GIVEN
        mask = np.zeros(rgb.shape[:2], np.uint8) if alpha is None else alpha
        return CutoutResult(rgb, mask, float(mask.any()), (), origin)

    monkeypatch.setattr("training.diagnosis.cutouts.cut_out", cut_out)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Toy networks gain nothing from more threads, and lose much where other work keeps the cores busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def release_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes a toy release: `release_of({("real", "train", "photo"): 4}, name="a")` is its folder."""

    def write(plan: Plan, *, name: str = "release", **options: object) -> Path:
        return write_release(tmp_path / name, plan, **options)  # type: ignore[arg-type]

    return write


@pytest.fixture
def full_release(release_of: Callable[..., Path]) -> Path:
    """Real photos with a test split, and samples of `inpaint` and `paste`, but none of text_to_image."""
    return release_of(
        {
            ("real", "train", "photo"): 6,
            ("real", "test", "photo"): 5,
            ("synthetic", "train", "inpaint"): 4,
            ("synthetic", "train", "paste"): 3,
        }
    )
