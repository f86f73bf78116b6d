"""From the runs of a tuning to its findings: the chosen settings, the arms with them, and whether their order holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.domain.arms import BASELINE
from pipeline.domain.studies import Network
from training.data.arm_data import ArmData, SkippedArm
from training.data.release import Release
from training.fit.fit import RunRecord
from training.fit.options import TrainingOptions
from training.study.options import StudyOptions
from training.study.outcome import comparison_result, runs_of, skipped_result, spread, uncertainty_of
from training.study.result import TunedArm, TuningFindings, TuningSetting
from training.study.statistics import order_agreement
from training.study.verdict import compared

_DECIMALS = 9  # to which scores are compared: the same answers summed in another order are equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The setting that was chosen for an arm."""

    data: ArmData  # with all images of the arm
    options: TrainingOptions
    scores: Mapping[TrainingOptions, float]  # balanced accuracy on the validation photos of all, 0 to 1

    @classmethod
    def of(cls, data: ArmData, scores: Mapping[TrainingOptions, float]) -> Choice:
        """Choose the setting with the best score; of equal ones the first, which the default is."""
        best = max(scores, key=lambda options: round(scores[options], _DECIMALS))
        return cls(data=data, options=best, scores=scores)


def tuning_findings(
    release: Release,
    choices: Sequence[Choice],
    tested: Sequence[RunRecord],
    primary: Sequence[RunRecord],
    *,
    skipped: Sequence[SkippedArm],
    validation_counts: dict[str, int],
    options: StudyOptions,
) -> TuningFindings:
    """Judge the arms with the settings chosen for them as the study judges them with the default.

    Args:
        choices: one for every arm that was tuned.
        tested: the runs of these arms with their settings, of all seeds.
        primary: the runs of the study, with the default.
        validation_counts: validation photos of each class.
    """
    runs = {choice.data.arm: runs_of(tested, choice.data.arm, options.seeds) for choice in choices}
    scores = {arm: [run.balanced_accuracy for run in of_arm] for arm, of_arm in runs.items()}
    resampled = options.training.network is Network.PROBE
    uncertainty = uncertainty_of(release, runs, resampled=resampled) if runs else None
    pairs = [(arm, BASELINE) for arm in scores if BASELINE in scores and arm != BASELINE]
    comparisons = compared(scores, pairs, uncertainty)
    default_means = [_mean(runs_of(primary, arm, options.seeds)) for arm in scores]
    agreement = order_agreement([_mean(of_arm) for of_arm in runs.values()], default_means)
    return {
        "sentence": _sentence(agreement, kept=all(choice.options == options.training for choice in choices)),
        "settings": [_setting(tried) for tried in choices[0].scores] if choices else [],
        "validation_counts": validation_counts,
        "arms": [_tuned_arm(choice, scores[choice.data.arm], default=options.training) for choice in choices],
        "skipped": [skipped_result(arm) for arm in skipped],
        "comparisons": [comparison_result(comparison, options.margin) for comparison in comparisons],
        "agreement": agreement,
    }


def _tuned_arm(choice: Choice, scores: list[float], *, default: TrainingOptions) -> TunedArm:
    return {
        **_setting(choice.options),
        "arm": str(choice.data.arm),
        "title": choice.data.arm.facts.title,
        "is_default": choice.options == default,
        "validation_accuracy": [round(score, 5) for score in choice.scores.values()],
        "balanced_accuracy": spread(scores),
    }


def _mean(runs: Sequence[RunRecord]) -> float:
    return float(np.mean([run.balanced_accuracy for run in runs]))


def _setting(options: TrainingOptions) -> TuningSetting:
    return {"lr": options.lr, "weight_decay": options.weight_decay}


def _sentence(agreement: float | None, *, kept: bool) -> str:
    """Say whether the arms are in the same order as with the default setting, which all may have kept."""
    if agreement is None:
        return (
            "With the same tuning budget for every arm, there is no order of the arms to compare: fewer than two were "
            "tuned, or all reach the same."
        )
    if kept:
        return (
            "With the same tuning budget, every arm keeps the default setting, so the order of the arms is the same "
            f"(Kendall's τ = {agreement:.2f})."
        )
    same = "the same as" if agreement == 1 else "not the same as"
    return (
        f"With the same tuning budget for every arm, the order of the arms is {same} with one setting for all "
        f"(Kendall's τ = {agreement:.2f})."
    )
