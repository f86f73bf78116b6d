"""From the scores of all arms and seeds to the verdict. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.arms import BASELINE, PLANNED_COMPARISONS, Arm
from pipeline.domain.studies import SEEDS_FOR_A_CLAIM
from training.study.options import DEFAULT_MARGIN
from training.study.statistics import (
    ALPHA,
    Interval,
    sign_flip_adjusted,
    sign_flip_interval,
    sign_flip_p,
    smallest_p,
)
from training.study.uncertainty import Uncertainty

Pair = tuple[Arm, Arm]  # an arm and the one it is compared with
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
    """One arm compared with another over the same seeds and test photos."""

    arm: Arm
    against: Arm
    difference: Interval  # of balanced accuracy, the arm minus the other
    p: float  # exact sign-flip over the seeds, this comparison alone
    p_adjusted: float  # the same, corrected for all comparisons of its family (step-down max-T)
    p_photos: float | None = (
        None  # over seeds and test photos, corrected likewise; None where these are not known
    )
    equivalence: Interval | None = None  # 90 % interval: within ± margin, the two count as equal (TOST)
    effect: float | None = (
        None  # mean over the standard deviation of the differences (Cohen's d of paired values)
    )
    better_in: int  # seeds in which the arm is ahead
    of: int

    @property
    def p_claim(self) -> float:
        """The p value that a claim rests on: the larger of the two corrected ones."""
        return max(self.p_adjusted, self.p_photos or 0.0)

    @property
    def significant(self) -> bool:
        """Whether a claim may be made."""
        return self.of >= SEEDS_FOR_A_CLAIM and self.p_claim < ALPHA

    @property
    def ahead(self) -> bool:
        """Whether the arm is shown to be better than the other."""
        return self.significant and self.difference.mean > 0

    def equivalent(self, margin: float) -> bool:
        """Whether the two are shown to differ by less than `margin` of balanced accuracy, either way.

        Source: D. J. Schuirmann, two one-sided tests, 1987; both at 5 %, so the 90 % interval decides.
        """
        interval = self.equivalence
        if interval is None or interval.low is None or interval.high is None:
            return False
        return self.of >= SEEDS_FOR_A_CLAIM and -margin < interval.low and interval.high < margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The finding as a value and in sentences."""

    finding: Finding
    sentence: str
    best: Arm | None = None  # the arm to use; None where none can be recommended
    praise: Praise | None = None
    comparisons: tuple[Comparison, ...] = ()


def compared(
    scores: Scores, pairs: Sequence[Pair], uncertainty: Uncertainty | None = None
) -> tuple[Comparison, ...]:
    """Compare pairs of arms as one family: p values are corrected for their number.

    Args:
        scores: balanced accuracy, 0 to 1, of every arm; all arms have the same seeds, at least one.
        uncertainty: of the same arms; None: claims and intervals rest on the seeds alone.
    """
    if not pairs:
        return ()
    differences = _columns(scores, [arm for arm, _ in pairs]) - _columns(
        scores, [other for _, other in pairs]
    )
    adjusted = sign_flip_adjusted(differences)
    means = differences.mean(axis=0).tolist()
    over_photos = uncertainty.adjusted_p(pairs, means).tolist() if uncertainty else [None] * len(pairs)
    return tuple(
        Comparison(
            arm=pair[0],
            against=pair[1],
            difference=uncertainty.interval(pair, mean)
            if uncertainty
            else sign_flip_interval(gains.tolist()),
            p=sign_flip_p(gains.tolist()),
            p_adjusted=float(p_adjusted),
            p_photos=p_photos,
            equivalence=uncertainty.interval(pair, mean, confidence=1 - 2 * ALPHA) if uncertainty else None,
            effect=_effect(gains),
            better_in=int((gains > 0).sum()),
            of=len(gains),
        )
        for pair, gains, mean, p_adjusted, p_photos in zip(
            pairs, differences.T, means, adjusted, over_photos, strict=True
        )
    )


def planned_comparisons(scores: Scores, uncertainty: Uncertainty | None = None) -> tuple[Comparison, ...]:
    """Make the comparisons that were fixed beforehand, as far as their arms are there: a family of their own."""
    pairs = [(arm, other) for arm, other in PLANNED_COMPARISONS if arm in scores and other in scores]
    return compared(scores, pairs, uncertainty)


def _effect(gains: NDArray[np.float64]) -> float | None:
    spread = float(gains.std(ddof=1)) if len(gains) > 1 else 0.0
    return float(gains.mean()) / spread if spread > 0 else None


def verdict(
    scores: Scores, uncertainty: Uncertainty | None = None, *, margin: float = DEFAULT_MARGIN
) -> Verdict:
    """Conclude what these scores show, and no more.

    Args:
        scores: balanced accuracy, 0 to 1, of every arm; all arms have the same seeds, at least one.
        uncertainty: of the same arms; None: the verdict speaks of the seeds alone.
        margin: smallest difference of balanced accuracy that matters.
    """
    others = [arm for arm in scores if arm != BASELINE]
    if BASELINE not in scores or not others:
        return _nothing_to_compare(scores)
    against_real = compared(scores, [(arm, BASELINE) for arm in others], uncertainty)
    seeds = len(scores[BASELINE])
    if seeds < SEEDS_FOR_A_CLAIM:
        return _too_few_seeds(scores, against_real, seeds)
    if any(comparison.ahead for comparison in against_real):
        return _better(scores, against_real, uncertainty)
    if any(comparison.significant for comparison in against_real):
        return _nothing_better(against_real)
    return _no_difference(scores, against_real, seeds, margin)


def _better(scores: Scores, against_real: tuple[Comparison, ...], uncertainty: Uncertainty | None) -> Verdict:
    better = [comparison for comparison in against_real if comparison.ahead]
    chosen = max(better, key=lambda comparison: comparison.difference.mean)
    # The best of several equal arms has to beat the second best too, so it is safe that these scores chose it.
    leads = compared(scores, [(chosen.arm, arm) for arm in scores if arm != chosen.arm], uncertainty)
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
        _worse(against_real),
    ]
    return Verdict(
        finding=Finding.BETTER,
        sentence=" ".join(filter(None, sentences)),
        best=chosen.arm,
        praise=praise,
        comparisons=against_real,
    )


def _praise(leads: Sequence[Comparison]) -> Praise:
    if all(lead.ahead for lead in leads):
        return Praise.BEST
    return Praise.SUREST_GAIN if any(lead.difference.mean < 0 for lead in leads) else Praise.LEADS


def _against_others(scores: Scores, leads: Sequence[Comparison]) -> list[str]:
    """Tell which of the other arms the chosen one is ahead of, behind, or not shown to differ from."""
    others = [lead for lead in leads if lead.against != BASELINE]
    undecided = [lead for lead in others if not lead.significant]
    behind = [lead for lead in others if lead.significant and not lead.ahead]
    ahead = [lead for lead in others if lead.ahead]
    every = "every other use of the data: " if len(ahead) == len(others) else ""

    def listed(leads: Sequence[Comparison]) -> str:
        return ", ".join(
            f"{lead.against.facts.title} ({_percent(_mean(scores[lead.against]))}, p = {_p(lead.p_claim)})"
            for lead in leads
        )

    return [
        f"It is not shown to differ from {listed(undecided)}." if undecided else "",
        f"It is behind {listed(behind)}, whose gain over real photos is not certain." if behind else "",
        f"It is also ahead of {every}{listed(ahead)}." if ahead else "",
    ]


def _nothing_better(against_real: tuple[Comparison, ...]) -> Verdict:
    open_questions = [comparison for comparison in against_real if not comparison.significant]
    sentences = [
        "No use of generated or augmented data is better than the real photos.",
        _worse(against_real),
    ]
    if not open_questions:
        return Verdict(
            finding=Finding.WORSE,
            sentence=" ".join(sentences),
            best=BASELINE,
            praise=Praise.BEST,
            comparisons=against_real,
        )
    titles = ", ".join(comparison.arm.facts.title for comparison in open_questions)
    sentences.append(f"No significant difference was found for {titles}; {_nearest(open_questions)}.")
    return Verdict(finding=Finding.WORSE, sentence=" ".join(sentences), comparisons=against_real)


def _no_difference(
    scores: Scores, against_real: tuple[Comparison, ...], seeds: int, margin: float
) -> Verdict:
    nearest = _nearest(against_real)
    sentences = [
        f"No significant difference: over {seeds} seeds no use of the data differs from real photos "
        f"alone ({_percent(_mean(scores[BASELINE]))} balanced accuracy). {nearest[0].upper()}{nearest[1:]}.",
        _equivalences(against_real, margin),
    ]
    return Verdict(
        finding=Finding.NO_DIFFERENCE, sentence=" ".join(filter(None, sentences)), comparisons=against_real
    )


def _equivalences(against_real: Sequence[Comparison], margin: float) -> str:
    """Tell which arms are shown to equal the real photos; "" where the data do not say."""
    if all(comparison.equivalence is None for comparison in against_real):
        return ""
    within = f"within ±{100 * margin:g} points"
    equal = [comparison for comparison in against_real if comparison.equivalent(margin)]
    titles = ", ".join(comparison.arm.facts.title for comparison in equal)
    if len(equal) == len(against_real):
        return f"All are shown to equal them {within}."
    if equal:
        return f"Shown to equal them {within}: {titles}; for the others a difference is neither shown nor excluded."
    return f"None is shown to equal them {within} either: a difference is neither shown nor excluded."


def _too_few_seeds(scores: Scores, against_real: tuple[Comparison, ...], seeds: int) -> Verdict:
    leader = max(scores, key=lambda arm: _mean(scores[arm]))
    lead = f"real photos lead with {_percent(_mean(scores[BASELINE]))} balanced accuracy"
    if leader != BASELINE:
        comparison = next(comparison for comparison in against_real if comparison.arm == leader)
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
    return Verdict(finding=Finding.TOO_FEW_SEEDS, sentence=sentence, comparisons=against_real)


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


def _worse(comparisons: Sequence[Comparison]) -> str:
    worse = [
        comparison for comparison in comparisons if comparison.significant and comparison.difference.mean < 0
    ]
    return f"Worse than real photos: {_listed(worse)}." if worse else ""


def _nearest(comparisons: Sequence[Comparison]) -> str:
    nearest = max(comparisons, key=lambda comparison: comparison.difference.mean)
    return f"nearest to a gain: {nearest.arm.facts.title}, {_gain(nearest)}"


def _gain(comparison: Comparison) -> str:
    mean, low, high = comparison.difference.mean, comparison.difference.low, comparison.difference.high
    interval = (
        f", 95 % interval {_points(low)} to {_points(high)}" if low is not None and high is not None else ""
    )
    return f"{_points(mean)} points{interval}, p = {_p(comparison.p_claim)}"


def _listed(comparisons: Sequence[Comparison]) -> str:
    return ", ".join(f"{comparison.arm.facts.title} ({_gain(comparison)})" for comparison in comparisons)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
