"""Tests which factors of the test photos go with the errors of an arm, and says it in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.arms import Arm
from training.diagnosis.association import holm, permutation_p, rank_correlation, relative_ranks
from training.diagnosis.factors import Factor, Values
from training.diagnosis.result import FactorFinding, LeftOutFactor
from training.study.statistics import ALPHA

LEAST_PHOTOS = 20  # of which a factor must be known
LEAST_OF_AN_END = 5  # photos with low, and with high values
LEAST_GAP = 0.05  # between the shares recognised at both ends; less is no explanation, however certain
_DECIMALS = 5
_LOWEST, _HIGHEST = 1 / 3, 2 / 3  # relative ranks that end the lowest third and begin the highest


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """How often each of N test photos is classified wrongly by an arm.

    `shares` is (N,): the share of the seeds; `labels` (N,) true classes; `groups` (N,): photos with one number are
    near-duplicates, and count as one.
    """

    arm: Arm
    shares: Values
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def vary(self) -> bool:
        """Whether some photos of a class are recognised more often than others."""
        return any(np.ptp(self.shares[self.labels == label]) > 0 for label in np.unique(self.labels))


def factor_findings(
    values: Mapping[Factor, Values], errors: Errors
) -> tuple[list[FactorFinding], list[LeftOutFactor]]:
    """Test every factor, and name those that cannot be tested. The strongest finding comes first.

    Args:
        values: (N,) by factor, NaN where it is not known.
    """
    merged = {factor: _merged(of_photos, errors) for factor, of_photos in values.items()}
    reasons = {factor: _reason_against(factor, *units) for factor, units in merged.items()}
    left_out: list[LeftOutFactor] = [
        {"factor": str(factor), "title": factor.facts.title, "reason": reason}
        for factor, reason in reasons.items()
        if reason
    ]
    tested = [factor for factor, reason in reasons.items() if not reason]
    alone = [permutation_p(*merged[factor]) for factor in tested]
    findings = [
        _finding(factor, merged[factor], errors.arm, p_alone, p)
        for factor, p_alone, p in zip(tested, alone, holm(alone), strict=True)
    ]
    return sorted(findings, key=lambda finding: (finding["p"], -abs(finding["effect"]))), left_out


def sentences_of(findings: Sequence[FactorFinding], errors: Errors) -> list[str]:
    """Say which factors explain the errors of an arm with certainty, or that none does."""
    title = errors.arm.facts.title
    certain = [finding["sentence"] for finding in findings if finding["certain"]]
    if certain:
        return [f"{title}: {sentence}" for sentence in certain]
    if not errors.shares.any():
        return [f"{title}: All test photos are recognised with every seed."]
    if not findings:
        return [f"{title}: No factor could be tested."]
    tested = "The factor that was" if len(findings) == 1 else f"None of the {len(findings)} factors that were"
    verb = "does not explain" if len(findings) == 1 else "explains"
    return [f"{title}: {tested} tested {verb} the errors with certainty."]


def ends(
    factor: Factor, values: Values, labels: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the photos with low and with high values of a factor, (N,) bool each: the outer thirds of each class."""
    split = factor.facts.split
    if split is not None:
        return values < split, values > split
    ranks = relative_ranks(values, labels)
    return ranks <= _LOWEST, ranks >= _HIGHEST


def _merged(of_photos: Values, errors: Errors) -> tuple[Values, Values, NDArray[np.int64]]:
    """Values, error shares and labels of the photos of which a factor is known; near-duplicates become their mean."""
    known = ~np.isnan(of_photos)
    groups, first, place = np.unique(errors.groups[known], return_index=True, return_inverse=True)
    counts = np.bincount(place, minlength=len(groups))
    means = [
        np.bincount(place, weights=column[known], minlength=len(groups)) / counts
        for column in (of_photos, errors.shares)
    ]
    return means[0], means[1], errors.labels[known][first]


def _reason_against(factor: Factor, values: Values, shares: Values, labels: NDArray[np.int64]) -> str:
    """Say why a factor cannot be tested; "" where it can."""
    if len(values) < LEAST_PHOTOS:
        known = "1 photo" if len(values) == 1 else f"{len(values)} photos"
        return f"known of {known}; at least {LEAST_PHOTOS} are needed"
    low, high = ends(factor, values, labels)
    if min(low.sum(), high.sum()) < LEAST_OF_AN_END:
        return "nearly all photos have the same value"
    if not np.intersect1d(labels[low], labels[high]).size:
        return "no class has photos with low and with high values"
    if rank_correlation(values, values, labels) == 0:
        return "the photos of each class have the same value"
    if rank_correlation(shares, shares, labels) == 0:
        return "the photos of a class are all recognised equally often"
    return ""


def _finding(
    factor: Factor, units: tuple[Values, Values, NDArray[np.int64]], arm: Arm, p_alone: float, p: float
) -> FactorFinding:
    values, shares, labels = units
    effect = rank_correlation(values, shares, labels)
    low, high = recognised_at_ends(ends(factor, values, labels), shares, labels)
    direction = "high" if effect > 0 else "low"
    gap = low - high if direction == "high" else high - low
    certain = p < ALPHA and gap >= LEAST_GAP
    return {
        "arm": str(arm),
        "arm_title": arm.facts.title,
        "factor": str(factor),
        "title": factor.facts.title,
        "direction": direction,
        "effect": round(effect, _DECIMALS),
        "p": round(p, _DECIMALS),
        "p_alone": round(p_alone, _DECIMALS),
        "photos": len(values),
        "low_recognised": round(low, _DECIMALS),
        "high_recognised": round(high, _DECIMALS),
        "certain": certain,
        "sentence": _sentence(factor, direction, low, high) if certain else "",
    }


def recognised_at_ends(
    marked: tuple[NDArray[np.bool_], NDArray[np.bool_]], shares: Values, labels: NDArray[np.int64]
) -> tuple[float, float]:
    """Return how often photos with low and with high values are recognised, 0 to 1 each.

    Means over the classes that have photos at both ends, as the correlation is within classes: were the classes pooled,
    one that is recognised seldom and lies at one end would stand for the factor.
    """
    low, high = marked
    both = [
        label for label in np.unique(labels) if low[labels == label].any() and high[labels == label].any()
    ]
    first, last = (
        float(np.mean([1 - shares[end & (labels == label)].mean() for label in both])) for end in (low, high)
    )
    return first, last


def _sentence(factor: Factor, direction: str, low: float, high: float) -> str:
    """Say at which end of a factor photos are recognised less often, that end first."""
    facts = factor.facts
    hard, rates = (
        (facts.low, ((low, facts.lowest), (high, facts.highest)))
        if direction == "low"
        else (facts.high, ((high, facts.highest), (low, facts.lowest)))
    )
    shares = ", ".join(f"{100 * rate:.0f} % of the {end}" for rate, end in rates)
    return f"Photos {hard} are recognised less often: {shares}."
