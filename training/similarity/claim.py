"""The claim in words: does similarity grow more slowly for our images than for the baselines?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from training.similarity.draws import difference_band
from training.similarity.groups import BASELINES, OURS, ImageGroup
from training.similarity.result import Band, Growth, Measure, SimilarityClaim

Sets = Mapping[int, Mapping[Measure, NDArray[np.float64]]]  # set size → values of the draws


def similarity_claims(groups: Sequence[ImageGroup], measured: Mapping[str, Sets]) -> list[SimilarityClaim]:
    """Compare the cosine-Vendi score of our images with that of each baseline, at the largest n that all of them have.

    Args:
        groups: those that were measured.
        measured: name of a group → its sets.
    """
    titles = {group.name: group.title for group in groups}
    baselines = [str(method) for method in BASELINES if str(method) in titles]
    if OURS not in titles or not baselines:
        return []
    n = min(max(measured[name]) for name in (OURS, *baselines))
    ours = measured[OURS][n][Measure.VENDI]
    claims: list[SimilarityClaim] = []
    for name in baselines:
        baseline = measured[name][n][Measure.VENDI]
        difference = difference_band(ours, baseline)
        claims.append(
            {
                "against": name,
                "title": titles[name],
                "n": n,
                "ours": float(ours.mean()),
                "baseline": float(baseline.mean()),
                "difference": difference,
                "growth": str(_growth(difference)),
            }
        )
    return claims


def _growth(difference: Band) -> Growth:
    if difference["low"] > 0:
        return Growth.SLOWER
    return Growth.FASTER if difference["high"] < 0 else Growth.UNCLEAR


def similarity_sentence(claims: Sequence[SimilarityClaim]) -> str:
    """Say in one sentence whether the similarity of our images grows more slowly, with the numbers."""
    if not claims:
        return (
            "Whether similarity grows more slowly than with plain text to image or pasting is not known: "
            "the release has too few images of our methods, or of both baselines."
        )
    slower = [claim["title"] for claim in claims if claim["growth"] == Growth.SLOWER]
    others = [claim["title"] for claim in claims if claim["growth"] != Growth.SLOWER]
    if not slower:
        answer = f"does not grow more slowly with Backlot than with {' or '.join(others)}"
    else:
        but = f", but not more slowly than with {' or '.join(others)}" if others else ""
        answer = f"grows more slowly with Backlot than with {' and '.join(slower)}{but}"
    numbers = " and ".join(_numbers(claim) for claim in claims)
    first = claims[0]
    return (
        f"Similarity {answer}: {first['n']:,} images of Backlot count as {first['ours']:.1f} different ones "
        f"(cosine-Vendi), against {numbers}."
    )


def _numbers(claim: SimilarityClaim) -> str:
    """Write a baseline as '8.7 with paste (difference +3.1, 95 % of draws +2.0 to +4.2)'."""
    mean, low, high = (claim["difference"][end] for end in ("mean", "low", "high"))
    unclear = "; no clear difference" if claim["growth"] == Growth.UNCLEAR else ""
    return (
        f"{claim['baseline']:.1f} with {claim['title']} "
        f"(difference {mean:+.1f}, 95 % of draws {low:+.1f} to {high:+.1f}{unclear})"
    )
