"""One run kept in a folder: checkpoint, metrics and the learning curve."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from pipeline.errors import ReleaseRefused
from training.arms import Arm, SkippedArm, arm_data
from training.classifier import Point
from training.fit import RunRecord, checkpoint_path, fit
from training.folder import claim, data_fingerprint, read_json, write_json, write_text
from training.machine import machine_facts
from training.networks import precision_for
from training.options import TrainingOptions
from training.release import Release


def fit_to_folder(
    release: Release,
    arm: Arm,
    options: TrainingOptions,
    *,
    seed: int,
    out: Path,
    on_point: Callable[[Point], None] | None = None,
) -> dict[str, Any]:
    """Train one arm and write `checkpoint.ckpt`, `metrics.json` and `curves.csv` to `out`.

    A run that was stopped goes on from its last checkpoint; a finished one is only told again.

    Returns:
        What `metrics.json` holds.

    Raises:
        ReleaseRefused: the release cannot fill this arm.
        InvalidRequest: `out` holds a run with other settings.
        KeyboardInterrupt: stopped by the person.
    """
    data = arm_data(release, arm)
    if isinstance(data, SkippedArm):
        raise ReleaseRefused(f"{release.name} cannot fill the arm '{arm}': {data.reason}")
    settings = options.facts() | {
        "precision": precision_for(options.network),
        "device": machine_facts()["device"],
    }
    claim(out, settings | {"arm": str(arm), "seed": seed, "data": data_fingerprint(release)})
    finished = read_json(out / "metrics.json")
    if finished is not None:
        return finished
    record = fit(release, data, options, seed=seed, checkpoints=out, on_point=on_point)
    found = {name: value for name, value in record.to_json().items() if name != "curve"} | {
        "classes": list(release.classes),
        "counts": data.counts,
        "test": release.test_name,
        "test_counts": release.test_counts(),
        "settings": settings,
        "machine": machine_facts(),
        "notes": list(release.notes),
        "checkpoint": str(checkpoint_path(out)),
    }
    write_text(out / "curves.csv", _curve_csv(record))
    write_json(out / "metrics.json", found)
    return found


def _curve_csv(record: RunRecord) -> str:
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["step", "loss", "accuracy", "balanced_accuracy"])
    rows.writerows(
        [p.step, f"{p.loss:.6f}", f"{p.accuracy:.6f}", f"{p.balanced_accuracy:.6f}"] for p in record.curve
    )
    return text.getvalue()
