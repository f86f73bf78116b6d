"""Finished toy studies: the files that `python -m training study` leaves, without training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

CLASSES = ["bolt", "<nut>"]
LABELS = [CLASSES[number % 2] for number in range(40)]
PHOTOS = [f"{number:016x}" for number in range(len(LABELS))]
TITLES = {
    "real": "Real photos",
    "mixed": "Real + synthetic",
    "paste": "Pasted",
    "mixed%50": "Real + synthetic, 50 %",
}


def right(*rates: float) -> np.ndarray:
    """Which of the toy photos each seed classifies correctly: the first of each class, up to its rate; (S, 40)."""
    places = np.arange(len(LABELS)) // 2 / (len(LABELS) / 2)
    return np.array([places < rate - 1e-9 for rate in rates])


def write_study(
    folder: Path,
    arms: Mapping[str, np.ndarray],
    *,
    photos: Sequence[str] = PHOTOS,
    order: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    **fields: object,
) -> Path:
    """Write a study with its runs.

    Args:
        arms: arm → (S, N) bool, whether the run of a seed classifies a photo correctly.
        photos: fingerprints of the N test photos.
        order: places of the photos in the order in which this study reads them.
        fields: of study.json, instead of the toy's own.
    """
    places = np.arange(len(photos)) if order is None else np.asarray(order)
    labels = np.array(LABELS)[places]
    seeds = range(len(next(iter(arms.values())))) if seeds is None else seeds
    (folder / "runs").mkdir(parents=True)
    for arm, correct in arms.items():
        for seed, of_run in zip(seeds, correct, strict=True):
            answers = np.where(of_run[places], labels, [CLASSES[label == CLASSES[0]] for label in labels])
            probabilities = (answers[:, None] == np.array(CLASSES)).astype(np.float32)
            np.savez_compressed(folder / "runs" / f"{arm}-{seed}.npz", probabilities=probabilities)
    tested = {"photos": np.array(photos)[places].tolist(), "labels": labels.tolist()}
    tested |= {"groups": list(range(len(places)))}
    (folder / "test_photos.json").write_text(json.dumps(tested))
    result = {
        "verdict": "Mixed is best: 80.0 % against 70.0 %. Also better: nothing.",
        "best": "mixed",
        "dataset": "/releases/first",
        "test": "/releases/first (its own test split)",
        "classes": CLASSES,
        "seeds": list(seeds),
        "settings": {"network": "small", "steps": 300, "lr": 0.002},
        "arms": [_arm(arm, correct) for arm, correct in arms.items()],
        "test_counts": {name: LABELS.count(name) for name in CLASSES},
    }
    (folder / "study.json").write_text(json.dumps({**result, **fields}))
    return folder


def _arm(arm: str, correct: np.ndarray) -> dict[str, object]:
    rates = correct.mean(axis=1).tolist()
    rate = {"mean": float(np.mean(rates)), "low": None, "high": None, "values": rates}
    return {
        "arm": arm,
        "title": TITLES[arm],
        "counts": {"real": 8, "synthetic": 0},
        "balanced_accuracy": rate,
    }
