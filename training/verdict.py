"""From the scores of all arms and seeds to the sentence that a person takes home. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.arms import BASELINE, Arm
from training.statistics import (
    ALPHA,
    SEEDS_FOR_A_CLAIM,
    Interval,
    holm,
    sign_flip_adjusted,
    sign_flip_interval,
    sign_flip_p,
    smallest_p,
)

Scores = Mapping[Arm, Sequence[float]]  # arm -> balanced accuracy of each seed, the seeds in the same order


class Finding(StrEnum):
    """What a study found."""

    BETTER = "better"  # at least one use of the data beats the real photographs
    NO_DIFFERENCE = "no_difference"
    WORSE = "worse"  # nothing beats them and something falls behind
    TOO_FEW_SEEDS = "too_few_seeds"
    NOTHING_TO_COMPARE = "nothing_to_compare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One arm held against the baseline over the same seeds."""

    arm: Arm
    against: Arm
    difference: Interval  # of balanced accuracy, arm minus baseline
    p: float  # exact sign-flip, this comparison alone
    p_adjusted: float  # corrected for all comparisons (step-down max-T); claims rest on this one
    p_holm: float  # Holm's correction, for comparison: it ignores that the comparisons share their seeds
    better_in: int  # seeds in which the arm is ahead
    of: int

    @property
    def significant(self) -> bool:
        """Whether a claim may be made."""
        return self.of >= SEEDS_FOR_A_CLAIM and self.p_adjusted < ALPHA


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """How far the first arm is ahead of one other arm."""

    over: Arm
    mean: float  # of balanced accuracy, first arm minus the other
    p_adjusted: float  # exact sign-flip, corrected for the number of other arms (step-down max-T)

    @property
    def significant(self) -> bool:
        """Whether the first arm is ahead beyond chance."""
        return self.mean > 0 and self.p_adjusted < ALPHA


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The finding in a word and in sentences.

    `best` is the arm to use, None where nothing can be told. `praise` says how sure that is: "best" where the arm is
    ahead of every other arm beyond chance (corrected for their number), "leads" where it is ahead beyond chance of the
    real photographs only, "surest gain" where another arm reached more, but not beyond chance.
    """

    finding: Finding
    sentence: str
    best: Arm | None
    praise: str = ""
    comparisons: tuple[Comparison, ...]


def comparisons(scores: Scores) -> tuple[Comparison, ...]:
    """Every arm against the real photographs; empty where these or any other arm are missing."""
    others = [arm for arm in scores if arm is not BASELINE]
    if BASELINE not in scores or not others:
        return ()
    base = np.asarray(scores[BASELINE], dtype=float)
    differences = np.stack([np.asarray(scores[arm], dtype=float) - base for arm in others], axis=1)  # (n, k)
    alone = [sign_flip_p(column) for column in differences.T]
    adjusted, by_holm = sign_flip_adjusted(differences), holm(alone)
    return tuple(
        Comparison(
            arm=arm,
            against=BASELINE,
            difference=sign_flip_interval(differences[:, place].tolist()),
            p=alone[place],
            p_adjusted=float(adjusted[place]),
            p_holm=by_holm[place],
            better_in=int((differences[:, place] > 0).sum()),
            of=len(base),
        )
        for place, arm in enumerate(others)
    )


def verdict(scores: Scores) -> Verdict:
    """What these scores allow to say, and no more.

    Args:
        scores: balanced accuracy, 0 to 1, of every arm; all arms have the same seeds, at least one.
    """
    found = comparisons(scores)
    seeds = len(next(iter(scores.values())))
    if not found:
        return _nothing_to_compare(scores)
    if seeds < SEEDS_FOR_A_CLAIM:
        return _too_few(scores, found, seeds)
    better = [one for one in found if one.significant and one.difference.mean > 0]
    worse = [one for one in found if one.significant and one.difference.mean < 0]
    behind = f" Worse than real photos: {_listed(worse)}." if worse else ""
    if better:
        return _better(scores, found, better, behind)
    if worse:
        return _nothing_beat_them(found, behind)
    return _no_difference(scores, found, seeds)


def _nothing_beat_them(found: tuple[Comparison, ...], behind: str) -> Verdict:
    rest = [one for one in found if not one.significant]
    sentence = f"No use of generated or augmented data beat the real photos.{behind}"
    if not rest:
        return Verdict(
            finding=Finding.WORSE, sentence=sentence, best=BASELINE, praise="best", comparisons=found
        )
    first = max(rest, key=lambda one: one.difference.mean)
    sentence += (
        f" For {_titles(rest)} no significant difference was found; nearest to a gain: "
        f"{first.arm.heading}, {_gain(first)}."
    )
    return Verdict(finding=Finding.WORSE, sentence=sentence, best=None, comparisons=found)


def _better(scores: Scores, found: tuple[Comparison, ...], better: list[Comparison], behind: str) -> Verdict:
    first = max(better, key=lambda one: one.difference.mean)
    leads = leads_over_others(scores, first.arm)
    praise = _praise(leads)
    said = {"best": "is best", "leads": "leads", "surest gain": "is the surest gain"}[praise]
    sentence = (
        f"{first.arm.heading} {said}: {_percent(_mean(scores[first.arm]))} balanced accuracy on the test "
        f"photos against {_percent(_mean(scores[BASELINE]))} with real photos alone, {_gain(first)}."
    )
    sentence += _against_others(scores, leads)
    also = [one for one in better if one is not first]
    if also:
        sentence += f" Also better than real photos: {_listed(also)}."
    return Verdict(
        finding=Finding.BETTER,
        sentence=sentence + behind,
        best=first.arm,
        praise=praise,
        comparisons=found,
    )


def leads_over_others(scores: Scores, first: Arm) -> list[Lead]:
    """Compare one arm with every other arm, with p values corrected for the number of these comparisons (max-T)."""
    others = [arm for arm in scores if arm is not first]
    ahead = np.stack(
        [np.asarray(scores[first]) - np.asarray(scores[arm]) for arm in others], axis=1
    )  # (n, k)
    adjusted = sign_flip_adjusted(ahead)
    return [
        Lead(over=arm, mean=float(ahead[:, place].mean()), p_adjusted=float(adjusted[place]))
        for place, arm in enumerate(others)
    ]


def _praise(leads: Sequence[Lead]) -> str:
    if all(lead.significant for lead in leads):
        return "best"
    return "surest gain" if any(lead.mean < 0 for lead in leads) else "leads"


def _against_others(scores: Scores, leads: Sequence[Lead]) -> str:
    """Which of the other arms the first one is ahead of, behind, or not told apart from; "" without other arms."""
    others = [lead for lead in leads if lead.over is not BASELINE]
    ahead = [_lead(scores, lead) for lead in others if lead.significant]
    behind = [_lead(scores, lead) for lead in others if lead.p_adjusted < ALPHA and not lead.significant]
    undecided = [_lead(scores, lead) for lead in others if lead.p_adjusted >= ALPHA]
    every = "every other use of the data: " if len(ahead) == len(others) else ""
    sentences = [
        f"It is not shown to differ from {', '.join(undecided)}." if undecided else "",
        f"It is behind {', '.join(behind)}, whose gain over real photos is not certain." if behind else "",
        f"It is also ahead of {every}{', '.join(ahead)}." if ahead else "",
    ]
    return "".join(f" {sentence}" for sentence in sentences if sentence)


def _lead(scores: Scores, lead: Lead) -> str:
    return f"{lead.over.heading} ({_percent(_mean(scores[lead.over]))}, p = {_p(lead.p_adjusted)})"


def _no_difference(scores: Scores, found: tuple[Comparison, ...], seeds: int) -> Verdict:
    first = max(found, key=lambda one: one.difference.mean)
    sentence = (
        f"No significant difference: over {seeds} seeds no use of the data is told apart from real photos "
        f"alone ({_percent(_mean(scores[BASELINE]))} balanced accuracy). "
        f"Nearest to a gain: {first.arm.heading}, {_gain(first)}."
    )
    return Verdict(finding=Finding.NO_DIFFERENCE, sentence=sentence, best=None, comparisons=found)


def _too_few(scores: Scores, found: tuple[Comparison, ...], seeds: int) -> Verdict:
    leader = max(scores, key=lambda arm: _mean(scores[arm]))
    plural = "1 seed was" if seeds == 1 else f"{seeds} seeds were"
    lead = f"real photos lead with {_percent(_mean(scores[BASELINE]))} balanced accuracy"
    if leader is not BASELINE:
        one = next(one for one in found if one.arm is leader)
        lead = (
            f"{leader.heading} leads with {_percent(_mean(scores[leader]))} balanced accuracy against "
            f"{_percent(_mean(scores[BASELINE]))} with real photos (ahead in {one.better_in} of {one.of})"
        )
    sentence = (
        f"Too few seeds to tell: {plural} run, and fewer than six seeds can never reach p < 0.05 "
        f"(the smallest p here is {_p(smallest_p(seeds))}). So far {lead}. "
        "Run it again with 6 seeds or more: what is done is kept."
    )
    return Verdict(finding=Finding.TOO_FEW_SEEDS, sentence=sentence, best=None, comparisons=found)


def _nothing_to_compare(scores: Scores) -> Verdict:
    reached = ", ".join(f"{arm.heading} {_percent(_mean(values))}" for arm, values in scores.items())
    missing = (
        "no other use of the data could be trained"
        if BASELINE in scores
        else "real photos were not trained on"
    )
    sentence = f"Nothing to compare: {missing}. Reached on the test photos (balanced accuracy): {reached}."
    return Verdict(finding=Finding.NOTHING_TO_COMPARE, sentence=sentence, best=None, comparisons=())


def _gain(one: Comparison) -> str:
    mean, low, high = one.difference.mean, one.difference.low, one.difference.high
    between = (
        f", 95 % interval {_points(low)} to {_points(high)}" if low is not None and high is not None else ""
    )
    return f"{_points(mean)} points{between}, p = {_p(one.p_adjusted)}"


def _listed(found: Sequence[Comparison]) -> str:
    return ", ".join(f"{one.arm.heading} ({_gain(one)})" for one in found)


def _titles(found: Sequence[Comparison]) -> str:
    return ", ".join(one.arm.heading for one in found)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
