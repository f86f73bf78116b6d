"""What the arms reach on the counterfactual test sets, and how far they rely on background, place and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pipeline.domain.arms import Arm
from pipeline.domain.studies import SEEDS_FOR_A_CLAIM
from training.diagnosis.counterfactual import SET_TITLES, CounterfactualSets, SetName
from training.diagnosis.result import CounterfactualArm, CounterfactualFindings, RateInterval
from training.fit.fit import RunRecord
from training.fit.prediction import ExtraPredictions, image_hash
from training.study.statistics import mean_interval

_DECIMALS = 5


class Reliance(StrEnum):
    """A difference of two sets; the value is its key in `study.json`."""

    BACKGROUND = "background_reliance"
    BACKGROUND_CLASS = "background_class"
    CENTRE = "centre_bias"
    SMALL = "size_bias_small"
    LARGE = "size_bias_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelianceFacts:
    """One row of the table of differences: the rate on one set minus that on another."""

    title: str
    unchanged: SetName
    changed: SetName
    phrase: str  # continues "… points lower"


RELIANCES: dict[Reliance, RelianceFacts] = {
    Reliance.BACKGROUND: RelianceFacts(
        title="background reliance",
        unchanged=SetName.OWN,
        changed=SetName.OTHER_CLASS,
        phrase="in front of the background of another class than in front of the object's own",
    ),
    Reliance.BACKGROUND_CLASS: RelianceFacts(
        title="class of the background",
        unchanged=SetName.SAME_CLASS,
        changed=SetName.OTHER_CLASS,
        phrase="in front of the background of another class than in front of another one of its class",
    ),
    Reliance.CENTRE: RelianceFacts(
        title="centre bias",
        unchanged=SetName.CENTRED,
        changed=SetName.CORNERS,
        phrase="in the corners than at the centre",
    ),
    Reliance.SMALL: RelianceFacts(
        title="size bias, smaller", unchanged=SetName.CENTRED, changed=SetName.HALF, phrase="at half the size"
    ),
    Reliance.LARGE: RelianceFacts(
        title="size bias, larger",
        unchanged=SetName.CENTRED,
        changed=SetName.DOUBLE,
        phrase="at twice the size",
    ),
}


def counterfactual_findings(
    sets: CounterfactualSets | str, records: Sequence[RunRecord]
) -> CounterfactualFindings:
    """Summarise the predictions of the runs for the sets, arm by arm, over the seeds.

    Runs without predictions for these very images, as those of earlier versions, are counted and left out.

    Args:
        sets: or why there are none.
    """
    if isinstance(sets, str):
        return {"skipped": sets, "objects": {}, "left_out": [], "sets": [], "arms": [], "missing_runs": 0}
    expected = image_hash(sets.images)
    by_arm: dict[Arm, list[ExtraPredictions]] = {}
    for run in records:
        if run.extra is not None and run.extra.images == expected:
            by_arm.setdefault(run.arm, []).append(run.extra)
    return {
        "skipped": "",
        "objects": sets.objects,
        "left_out": list(sets.left_out),
        "sets": [
            {"set": str(name), "title": SET_TITLES[name], "images": int((sets.sets == name).sum())}
            for name in SetName
        ],
        "arms": [_arm_result(arm, of_arm, sets) for arm, of_arm in by_arm.items()],
        "missing_runs": len(records) - sum(map(len, by_arm.values())),
    }


def set_accuracy(predictions: ExtraPredictions, sets: CounterfactualSets, name: SetName) -> float:
    """Return the balanced accuracy of a run on one set: the mean recall of its classes."""
    of_set = sets.sets == name
    labels = sets.labels[of_set]
    correct = predictions.probabilities[of_set].argmax(axis=1) == labels
    return float(np.mean([correct[labels == label].mean() for label in np.unique(labels)]))


def _arm_result(arm: Arm, runs: Sequence[ExtraPredictions], sets: CounterfactualSets) -> CounterfactualArm:
    rates = {name: [set_accuracy(run, sets, name) for run in runs] for name in SetName}
    differences = {
        reliance: _interval(
            [a - b for a, b in zip(rates[facts.unchanged], rates[facts.changed], strict=True)]
        )
        for reliance, facts in RELIANCES.items()
    }
    return {
        "arm": str(arm),
        "title": arm.facts.title,
        "seeds": len(runs),
        "accuracy": {str(name): _within(_interval(values)) for name, values in rates.items()},
        "differences": {str(reliance): interval for reliance, interval in differences.items()},
        "sentence": _sentence(arm, differences, seeds=len(runs)),
    }


def _sentence(arm: Arm, differences: dict[Reliance, RateInterval], *, seeds: int) -> str:
    """Say on which sets an arm reaches less or more, where the interval over enough seeds leaves out 0."""
    if seeds < SEEDS_FOR_A_CLAIM:
        return f"{arm.facts.title}: too few seeds to tell the sets apart; at least {SEEDS_FOR_A_CLAIM} are needed."
    parts = [
        f"{100 * abs(interval['mean']):.1f} points {'lower' if interval['mean'] > 0 else 'higher'} "
        f"{RELIANCES[reliance].phrase}"
        for reliance, interval in differences.items()
        if interval["low"] is not None and interval["high"] is not None
        and not interval["low"] <= 0 <= interval["high"]
    ]  # fmt: skip
    told = (
        f"balanced accuracy is {'; '.join(parts)}"
        if parts
        else "no certain difference between the sets over the seeds"
    )
    return f"{arm.facts.title}: {told}."


def _interval(values: list[float]) -> RateInterval:
    interval = mean_interval(values)
    low, high = (None if end is None else round(end, _DECIMALS) for end in (interval.low, interval.high))
    return {"mean": round(interval.mean, _DECIMALS), "low": low, "high": high}


def _within(interval: RateInterval) -> RateInterval:
    """Cut off the interval of a rate at 0 and 1."""
    low, high = interval["low"], interval["high"]
    return {
        "mean": interval["mean"],
        "low": None if low is None else max(0.0, low),
        "high": None if high is None else min(1.0, high),
    }
