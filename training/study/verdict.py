"""From the scores of all arms and seeds to the verdict. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.arms import BASELINE, Arm
from pipeline.domain.studies import SEEDS_FOR_A_CLAIM
from training.study.statistics import (
    ALPHA,
    Interval,
    sign_flip_adjusted,
    sign_flip_interval,
    sign_flip_p,
    smallest_p,
)

Scores = Mapping[Arm, Sequence[float]]  # arm → balanced accuracy of each seed, the seeds in the same order


class Finding(StrEnum):
    """What a study shows."""

    BETTER = "better"  # at least one use of the data beats the real photos
    NO_DIFFERENCE = "no_difference"
    WORSE = "worse"  # nothing beats them, and something is worse
    TOO_FEW_SEEDS = "too_few_seeds"
    NOTHING_TO_COMPARE = "nothing_to_compare"


class Praise(StrEnum):
    """How sure the choice of the best arm is."""

    BEST = "best"  # ahead of every other arm beyond chance, corrected for their number
    LEADS = "leads"  # ahead beyond chance of the real photos, not of every other arm
    SUREST_GAIN = "surest gain"  # the same, and another arm has a higher mean, whose gain is not certain


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One arm compared with the baseline over the same seeds."""

    arm: Arm
    against: Arm
    difference: Interval  # of balanced accuracy, arm minus baseline
    p: float  # exact sign-flip, this comparison alone
    p_adjusted: float  # corrected for all comparisons (step-down max-T); claims rest on this one
    better_in: int  # seeds in which the arm is ahead
    of: int

    @property
    def significant(self) -> bool:
        """Whether a claim may be made."""
        return self.of >= SEEDS_FOR_A_CLAIM and self.p_adjusted < ALPHA


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """How far the chosen arm is ahead of one other arm."""

    over: Arm
    mean: float  # of balanced accuracy, chosen arm minus the other
    p_adjusted: float  # exact sign-flip, corrected for the number of other arms (step-down max-T)

    @property
    def significant(self) -> bool:
        """Whether the chosen arm is ahead beyond chance."""
        return self.mean > 0 and self.p_adjusted < ALPHA


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The finding as a value and in sentences."""

    finding: Finding
    sentence: str
    best: Arm | None = None  # the arm to use; None where none can be recommended
    praise: Praise | None = None
    comparisons: tuple[Comparison, ...] = ()


def comparisons(scores: Scores) -> tuple[Comparison, ...]:
    """Compare every arm with the real photos; empty where these, or any other arm, are missing."""
    others = [arm for arm in scores if arm is not BASELINE]
    if BASELINE not in scores or not others:
        return ()
    differences = _columns(scores, others) - _columns(scores, [BASELINE])
    adjusted = sign_flip_adjusted(differences)
    return tuple(
        Comparison(
            arm=arm,
            against=BASELINE,
            difference=sign_flip_interval(gains.tolist()),
            p=sign_flip_p(gains.tolist()),
            p_adjusted=float(p_adjusted),
            better_in=int((gains > 0).sum()),
            of=len(gains),
        )
        for arm, gains, p_adjusted in zip(others, differences.T, adjusted, strict=True)
    )


def leads_over_others(scores: Scores, chosen: Arm) -> list[Lead]:
    """Compare one arm with every other arm, with p values corrected for the number of these comparisons (max-T).

    The chosen arm is called the best only where all of these are significant. That is safe although the same scores
    chose it: the best of several equal arms has to beat the second best too.
    """
    others = [arm for arm in scores if arm is not chosen]
    differences = _columns(scores, [chosen]) - _columns(scores, others)
    adjusted = sign_flip_adjusted(differences)
    return [
        Lead(over=arm, mean=float(leads.mean()), p_adjusted=float(p_adjusted))
        for arm, leads, p_adjusted in zip(others, differences.T, adjusted, strict=True)
    ]


def verdict(scores: Scores) -> Verdict:
    """Conclude what these scores show, and no more.

    Args:
        scores: balanced accuracy, 0 to 1, of every arm; all arms have the same seeds, at least one.
    """
    compared = comparisons(scores)
    seeds = len(next(iter(scores.values())))
    if not compared:
        return _nothing_to_compare(scores)
    if seeds < SEEDS_FOR_A_CLAIM:
        return _too_few_seeds(scores, compared, seeds)
    if any(comparison.significant and comparison.difference.mean > 0 for comparison in compared):
        return _better(scores, compared)
    if any(comparison.significant for comparison in compared):
        return _nothing_better(compared)
    return _no_difference(scores, compared, seeds)


def _better(scores: Scores, compared: tuple[Comparison, ...]) -> Verdict:
    better = [
        comparison for comparison in compared if comparison.significant and comparison.difference.mean > 0
    ]
    chosen = max(better, key=lambda comparison: comparison.difference.mean)
    leads = leads_over_others(scores, chosen.arm)
    praise = _praise(leads)
    predicate = {Praise.BEST: "is best", Praise.LEADS: "leads", Praise.SUREST_GAIN: "is the surest gain"}[
        praise
    ]
    also_better = [comparison for comparison in better if comparison is not chosen]
    sentences = [
        f"{chosen.arm.facts.title} {predicate}: {_percent(_mean(scores[chosen.arm]))} balanced accuracy "
        f"on the test photos against {_percent(_mean(scores[BASELINE]))} with real photos alone, {_gain(chosen)}.",
        *_against_others(scores, leads),
        f"Also better than real photos: {_listed(also_better)}." if also_better else "",
        _worse(compared),
    ]
    return Verdict(
        finding=Finding.BETTER,
        sentence=" ".join(filter(None, sentences)),
        best=chosen.arm,
        praise=praise,
        comparisons=compared,
    )


def _praise(leads: Sequence[Lead]) -> Praise:
    if all(lead.significant for lead in leads):
        return Praise.BEST
    return Praise.SUREST_GAIN if any(lead.mean < 0 for lead in leads) else Praise.LEADS


def _against_others(scores: Scores, leads: Sequence[Lead]) -> list[str]:
    """Tell which of the other arms the chosen one is ahead of, behind, or not shown to differ from."""
    others = [lead for lead in leads if lead.over is not BASELINE]
    undecided = [lead for lead in others if lead.p_adjusted >= ALPHA]
    behind = [lead for lead in others if lead.p_adjusted < ALPHA and not lead.significant]
    ahead = [lead for lead in others if lead.significant]
    every = "every other use of the data: " if len(ahead) == len(others) else ""

    def listed(leads: Sequence[Lead]) -> str:
        return ", ".join(
            f"{lead.over.facts.title} ({_percent(_mean(scores[lead.over]))}, p = {_p(lead.p_adjusted)})"
            for lead in leads
        )

    return [
        f"It is not shown to differ from {listed(undecided)}." if undecided else "",
        f"It is behind {listed(behind)}, whose gain over real photos is not certain." if behind else "",
        f"It is also ahead of {every}{listed(ahead)}." if ahead else "",
    ]


def _nothing_better(compared: tuple[Comparison, ...]) -> Verdict:
    open_questions = [comparison for comparison in compared if not comparison.significant]
    sentences = ["No use of generated or augmented data is better than the real photos.", _worse(compared)]
    if not open_questions:
        return Verdict(
            finding=Finding.WORSE,
            sentence=" ".join(sentences),
            best=BASELINE,
            praise=Praise.BEST,
            comparisons=compared,
        )
    titles = ", ".join(comparison.arm.facts.title for comparison in open_questions)
    sentences.append(f"No significant difference was found for {titles}; {_nearest(open_questions)}.")
    return Verdict(finding=Finding.WORSE, sentence=" ".join(sentences), comparisons=compared)


def _no_difference(scores: Scores, compared: tuple[Comparison, ...], seeds: int) -> Verdict:
    nearest = _nearest(compared)
    sentence = (
        f"No significant difference: over {seeds} seeds no use of the data differs from real photos "
        f"alone ({_percent(_mean(scores[BASELINE]))} balanced accuracy). {nearest[0].upper()}{nearest[1:]}."
    )
    return Verdict(finding=Finding.NO_DIFFERENCE, sentence=sentence, comparisons=compared)


def _too_few_seeds(scores: Scores, compared: tuple[Comparison, ...], seeds: int) -> Verdict:
    leader = max(scores, key=lambda arm: _mean(scores[arm]))
    lead = f"real photos lead with {_percent(_mean(scores[BASELINE]))} balanced accuracy"
    if leader is not BASELINE:
        comparison = next(comparison for comparison in compared if comparison.arm is leader)
        lead = (
            f"{leader.facts.title} leads with {_percent(_mean(scores[leader]))} balanced accuracy against "
            f"{_percent(_mean(scores[BASELINE]))} with real photos (ahead in {comparison.better_in} of {comparison.of})"
        )
    runs = "1 seed was run" if seeds == 1 else f"{seeds} seeds were run"
    sentence = (
        f"Too few seeds for a conclusion: {runs}, and fewer than six seeds can never reach p < 0.05 "
        f"(the smallest possible p here is {_p(smallest_p(seeds))}). So far {lead}. "
        f"Run the study again with {SEEDS_FOR_A_CLAIM} seeds or more: finished runs are kept."
    )
    return Verdict(finding=Finding.TOO_FEW_SEEDS, sentence=sentence, comparisons=compared)


def _nothing_to_compare(scores: Scores) -> Verdict:
    reason = (
        "no other use of the data could be trained"
        if BASELINE in scores
        else "real photos are not among the arms"
    )
    rates = ", ".join(f"{arm.facts.title} {_percent(_mean(values))}" for arm, values in scores.items())
    sentence = f"Nothing to compare: {reason}. Balanced accuracy on the test photos: {rates}."
    return Verdict(finding=Finding.NOTHING_TO_COMPARE, sentence=sentence)


def _columns(scores: Scores, arms: Sequence[Arm]) -> NDArray[np.float64]:
    """Arrange the scores of some arms as (n seeds, k arms)."""
    return np.array([scores[arm] for arm in arms], dtype=float).T


def _worse(compared: Sequence[Comparison]) -> str:
    worse = [
        comparison for comparison in compared if comparison.significant and comparison.difference.mean < 0
    ]
    return f"Worse than real photos: {_listed(worse)}." if worse else ""


def _nearest(compared: Sequence[Comparison]) -> str:
    nearest = max(compared, key=lambda comparison: comparison.difference.mean)
    return f"nearest to a gain: {nearest.arm.facts.title}, {_gain(nearest)}"


def _gain(comparison: Comparison) -> str:
    mean, low, high = comparison.difference.mean, comparison.difference.low, comparison.difference.high
    interval = (
        f", 95 % interval {_points(low)} to {_points(high)}" if low is not None and high is not None else ""
    )
    return f"{_points(mean)} points{interval}, p = {_p(comparison.p_adjusted)}"


def _listed(compared: Sequence[Comparison]) -> str:
    return ", ".join(f"{comparison.arm.facts.title} ({_gain(comparison)})" for comparison in compared)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
