"""One run kept in a folder: checkpoint, metrics and the training curve."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import TypedDict, cast

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from pipeline.errors import ReleaseRefused
from training.data.arm_data import ArmData, SkippedArm, arm_data
from training.data.release import Release
from training.data.share_notes import share_notes
from training.data.shares import SHARE_RULE, depends_on_share_rule
from training.fit.classifier import Point
from training.fit.disk import SMALL_FILES, feature_bytes, refuse_full_disk
from training.fit.features import FeatureCache
from training.fit.fit import RunRecord, fit
from training.fit.machine import Machine, Settings, machine_facts, run_settings
from training.fit.options import Augmentation, TrainingOptions
from training.fit.run_folder import CONFIG, claim, data_fingerprint, read_json, write_json, write_text
from training.fit.trackers import Tracker
from training.fit.tracking import Tracking
from training.fit.trainer import checkpoint_path, curve_so_far

_METRICS = "metrics.json"
_CURVES = "curves.csv"


class RunMetrics(TypedDict):
    """What `metrics.json` holds; rates are 0 to 1."""

    arm: str
    seed: int
    accuracy: float
    balanced_accuracy: float
    per_class: dict[str, float]  # recall
    confusion: list[list[int]]  # rows true, columns predicted
    seconds: float
    classes: list[str]
    counts: dict[str, int]  # training images by origin
    test: str
    test_counts: dict[str, int]
    settings: Settings
    machine: Machine
    notes: list[str]
    checkpoint: str


def fit_to_folder(
    release: Release,
    arm: Arm,
    options: TrainingOptions,
    *,
    seed: int,
    out: Path,
    trackers: Sequence[Tracker] = (),
    config: str = "",
    on_point: Callable[[Point], None] | None = None,
) -> RunMetrics:
    """Train one arm and write `checkpoint.ckpt`, `metrics.json` and `curves.csv` to `out`.

    A run that was stopped resumes from its last checkpoint; of a finished one only the metrics are read.

    Args:
        trackers: what logs the training curve in `out/logs`, too.
        config: the text of `config.yaml`; "" writes none.

    Raises:
        ReleaseRefused: the release has no data for this arm.
        InvalidRequest: `out` holds a run with other settings, or its disk is full; or the loss is no longer finite.
        KeyboardInterrupt: stopped by the user.
    """
    data = arm_data(release, arm)
    if isinstance(data, SkippedArm):
        raise ReleaseRefused(
            f"{release.name} has no data for the arm '{arm}': {data.reason}; choose another arm"
        )
    if not (out / _METRICS).is_file():
        refuse_full_disk(out, SMALL_FILES + _feature_bytes(out, release, data, options))
    facts = {"arm": str(arm), "seed": seed, "data": data_fingerprint(release)}
    claim(out, {**run_settings(options), **facts, **_rule(arm)})
    if config:
        write_text(out / CONFIG, config)
    earlier = curve_so_far(out) if trackers else []
    with Tracking(trackers, out, options).run(arm, seed, earlier=earlier) as track:
        return _kept(out) or _trained(
            release, data, options, seed, out, [track, *([on_point] if on_point else [])]
        )


def _rule(arm: Arm) -> dict[str, int]:
    """The rule that decides on the images of a share, so that a run by an earlier one is not taken for this run."""
    return {"share_rule": SHARE_RULE} if depends_on_share_rule(arm) else {}


def _kept(out: Path) -> RunMetrics | None:
    return cast(RunMetrics | None, read_json(out / _METRICS))


def _trained(
    release: Release,
    data: ArmData,
    options: TrainingOptions,
    seed: int,
    out: Path,
    listeners: Sequence[Callable[[Point], None]],
) -> RunMetrics:
    def on_point(point: Point) -> None:
        for listener in listeners:
            listener(point)

    record = fit(
        release, data, options, seed=seed, checkpoints=out, cache=FeatureCache(out), on_point=on_point
    )
    write_text(out / _CURVES, _curve_csv(record))
    metrics = _metrics(release, data, record, run_settings(options), checkpoint_path(out))
    write_json(out / _METRICS, metrics)
    return metrics


def _feature_bytes(out: Path, release: Release, data: ArmData, options: TrainingOptions) -> int:
    if options.network is not Network.PROBE:
        return 0
    return feature_bytes(out, release, [data], strong=options.augmentation is Augmentation.STRONG)


def _metrics(
    release: Release, data: ArmData, record: RunRecord, settings: Settings, checkpoint: Path
) -> RunMetrics:
    return {
        "arm": str(record.arm),
        "seed": record.seed,
        "accuracy": record.accuracy,
        "balanced_accuracy": record.balanced_accuracy,
        "per_class": record.per_class,
        "confusion": record.confusion,
        "seconds": record.seconds,
        "classes": list(release.classes),
        "counts": data.counts,
        "test": release.test_name,
        "test_counts": release.test_counts(),
        "settings": settings,
        "machine": machine_facts(),
        "notes": [*share_notes(release, [data]), *release.notes],
        "checkpoint": str(checkpoint),
    }


def _curve_csv(record: RunRecord) -> str:
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["step", "loss", "accuracy", "balanced_accuracy"])
    for point in record.curve:
        rates = (point.loss, point.accuracy, point.balanced_accuracy)
        rows.writerow([point.step, *(f"{rate:.6f}" for rate in rates)])
    return text.getvalue()
