"""Puts the runs of a study together into what `study.json` says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pipeline.domain.spec import Method
from training.arms import Arm, ArmData, SkippedArm
from training.fit import RunRecord
from training.release import Release
from training.scores import per_class
from training.statistics import Interval, mean_interval, smallest_p
from training.verdict import Comparison, verdict

_DECIMALS = 5
_EMBEDDED = "nano"  # the model that comes with Backlot
_FIXED_NOTES = (
    "All arms share the network, the hyper-parameters, the number of optimiser steps, the batch size "
    "and, per seed, the first weights; batches show the classes in equal shares. Scores are taken after the "
    "last step.",
    "Intervals and p values speak of repeating the training with other seeds on these same pictures, not of "
    "other photographs.",
)


def outcome(
    release: Release,
    arms: Sequence[ArmData],
    skipped: Sequence[SkippedArm],
    records: Sequence[RunRecord],
    *,
    seeds: Sequence[int],
    settings: dict[str, Any],
) -> dict[str, Any]:
    """The verdict, the arms with intervals, confusion and curves, and the comparisons; rates are 0 to 1."""
    scores = {data.arm: [one.balanced_accuracy for one in _of(records, data, seeds)] for data in arms}
    judged = verdict(scores)
    return {
        "verdict": judged.sentence,
        "finding": str(judged.finding),
        "best": str(judged.best) if judged.best else None,
        "praise": judged.praise,
        "dataset": release.name,
        "test": release.test_name,
        "classes": list(release.classes),
        "seeds": list(seeds),
        "settings": settings,
        "arms": [_arm(release, data, _of(records, data, seeds)) for data in arms],
        "skipped": [{"arm": str(one.arm), "title": one.arm.heading, "reason": one.reason} for one in skipped],
        "comparisons": [_comparison(one) for one in judged.comparisons],
        "notes": [*release.notes, *_drawn_by(release), *_FIXED_NOTES],
        "test_counts": release.test_counts(),
    }


def _drawn_by(release: Release) -> list[str]:
    """Which model drew what; what `nano` draws from a prompt alone says nothing of SDXL."""
    if not release.models:
        return []
    listed = "; ".join(f"{method} by {', '.join(names)}" for method, names in release.models.items())
    notes = [f"Who drew the synthetic pictures: {listed}."]
    if _EMBEDDED in release.models.get(str(Method.TEXT_TO_IMAGE), ()):
        notes.append(
            f"{Arm.SDXL.heading}: drawn by {_EMBEDDED}, which draws backgrounds and no objects. This arm tells nothing "
            "of the published SDXL."
        )
    return notes


def _of(records: Sequence[RunRecord], data: ArmData, seeds: Sequence[int]) -> list[RunRecord]:
    by_seed = {one.seed: one for one in records if one.arm is data.arm}
    return [by_seed[seed] for seed in seeds]


def _arm(release: Release, data: ArmData, runs: Sequence[RunRecord]) -> dict[str, Any]:
    confusion = np.sum([one.confusion for one in runs], axis=0)
    return {
        "arm": str(data.arm),
        "title": data.arm.heading,
        "says": data.arm.says,
        "counts": data.counts,
        "class_counts": data.class_counts(release.classes),
        "balanced_accuracy": _spread([one.balanced_accuracy for one in runs]),
        "accuracy": _spread([one.accuracy for one in runs]),
        "per_class": {
            name: round(rate, _DECIMALS) for name, rate in per_class(confusion, release.classes).items()
        },
        "confusion": confusion.tolist(),
        "curve": _mean_curve(runs),
        "seconds": round(float(np.mean([one.seconds for one in runs])), 1),
    }


def _mean_curve(runs: Sequence[RunRecord]) -> list[dict[str, float]]:
    points = zip(*(one.curve for one in runs), strict=True)
    return [
        {
            "step": at[0].step,
            "balanced_accuracy": round(float(np.mean([one.balanced_accuracy for one in at])), _DECIMALS),
            "loss": round(float(np.mean([one.loss for one in at])), _DECIMALS),
        }
        for at in points
    ]


def _spread(values: list[float]) -> dict[str, Any]:
    return _rounded(_within_rates(mean_interval(values))) | {
        "values": [round(value, _DECIMALS) for value in values]
    }


def _within_rates(interval: Interval) -> Interval:
    """An interval of a rate, cut off at 0 and 1."""
    if interval.low is None or interval.high is None:
        return interval
    return Interval(interval.mean, max(0.0, interval.low), min(1.0, interval.high))


def _comparison(one: Comparison) -> dict[str, Any]:
    gain = _rounded(one.difference)
    return {
        "arm": str(one.arm),
        "title": one.arm.heading,
        "against": str(one.against),
        "difference": gain["mean"],
        "low": gain["low"],
        "high": gain["high"],
        "p": one.p,
        "p_adjusted": one.p_adjusted,
        "p_holm": one.p_holm,
        "smallest_p": smallest_p(one.of),
        "significant": one.significant,
        "better_in": one.better_in,
        "of": one.of,
    }


def _rounded(interval: Interval) -> dict[str, float | None]:
    return {
        name: None if value is None else round(value, _DECIMALS) for name, value in asdict(interval).items()
    }
