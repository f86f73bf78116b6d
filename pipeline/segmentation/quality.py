"""How far a mask can be trusted: a score of 0 to 1, and the reasons for doubt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from pipeline.segmentation.boosted_trees import BoostedTrees
from pipeline.segmentation.fusion import Proposals
from pipeline.segmentation.outline import agreement, depth
from pipeline.segmentation.regions import Evidence

USABLE_SCORE = 0.5  # below it a person should check the mask before it is used
_DOUBT_BELOW = 0.8  # a measure that is trusted less than this is reported
_FILLS = "The object fills the photo; there is no outline to cut"
_UNSURE = "The outline is uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What is measured of a mask; every share is 0 to 1."""

    area: float  # of the image
    border: float  # of the image's border that the object touches
    background_border: float  # of the image's border that fits the background model
    components: int
    like_background: float  # of the object's inside that looks like the background, in light or shadow
    rim_left_over: float  # of the rim just inside the outline that looks like the background
    loose_outline: float  # of the outline that follows no sharp edge
    left_out: float  # of all sharp edges that lie outside the object
    agreement: float  # intersection over union with a second method


def measured(border_share: float, evidence: Evidence, mask: np.ndarray, second: np.ndarray) -> Measures:
    """Measure a mask (H, W) bool against the evidence and a second method's mask."""
    inward = depth(mask)
    rim = (inward > 1.5) & (inward < 4.0)
    core = inward > 3.0
    outline = mask & (inward <= 1.5) & _away_from_border(mask.shape)
    near_edge = cv2.dilate(evidence.sharp, np.ones((5, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    sizes = stats[1:, cv2.CC_STAT_AREA]
    return Measures(
        area=float(mask.mean()),
        border=float(_border_values(mask).mean()),
        background_border=border_share,
        components=int((sizes > 0.03 * sizes.max()).sum()) if count > 1 else 0,
        like_background=_share(evidence.passable, core),
        rim_left_over=_share(evidence.passable, rim),
        loose_outline=_share(near_edge < 0.02, outline),
        left_out=_share(
            cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0, evidence.sharp > 0.015
        ),
        agreement=agreement(mask, second),
    )


def scored(measures: Measures) -> tuple[float, tuple[str, ...]]:
    """Return (score, doubts): the product of how far each measure can be trusted, 0 to 1; the worst doubt first."""
    score = float(np.prod([trust for trust, _ in _trusts(measures)]))
    return score, doubts_of(measures) if score < USABLE_SCORE else ()


def doubts_of(measures: Measures) -> tuple[str, ...]:
    """Return why a mask should be checked, worst first, each reason once; at least one."""
    ranked = sorted(_trusts(measures), key=lambda pair: pair[0])
    doubts = [doubt for trust, doubt in ranked if trust < _DOUBT_BELOW]
    return tuple(dict.fromkeys(doubts)) or (_UNSURE,)


def _trusts(measures: Measures) -> tuple[tuple[float, str], ...]:
    m = measures
    return (
        (_falling(m.area, 0.78, 0.95), _FILLS),
        (_rising(m.area, 0.001, 0.006), "The object is very small in the photo"),
        (_falling(m.border, 0.10, 0.36), "The photo may show only a part of the object"),
        (_rising(m.background_border, 0.35, 0.60), "The background is not plain"),
        (_falling(m.components - 1, 1, 6), "The outline falls into several pieces"),
        (_falling(m.like_background, 0.55, 1.10), "Parts of the object look like the background"),
        (_falling(m.rim_left_over, 0.50, 1.10), "Background or shadow may be left along the outline"),
        (_falling(m.loose_outline, 0.15, 0.42), "Parts of the outline follow no clear edge"),
        (_falling(m.left_out, 0.06, 0.40), "The outline may miss a part of the object"),
        (_rising(m.agreement, 0.70, 0.95), "Two methods disagree about the outline"),
    )


FEATURES = (
    "expected overlap",
    "overlap with the network",
    "overlap with the background model",
    "overlap with the hue",
    "probability inside",
    "probable outside",
    "uncertain",
    "area",
    "border",
    "plain border",
    "components",
    "like background",
    "rim left over",
    "loose outline",
    "left out",
)
TREES = Path(__file__).with_name("score_trees.json")
_NEEDED = 0.84  # probability of an intersection over union of 0.9 at which a mask is used without a check


def scored_with_network(
    proposals: Proposals, mask: np.ndarray, expected_overlap: float
) -> tuple[float, tuple[str, ...]]:
    """Score a mask (H, W) bool that was joined from two proposals.

    The score is 0 to 1 and reaches `USABLE_SCORE` where boosted decision trees give an intersection over union of 0.9
    with the right mask a probability of at least 0.84. Fitted by `python -m benchmarks.calibration`.

    Returns:
        The score, and the doubts, worst first.
    """
    if not mask.any():
        return 0.0, ()
    measures = measured(proposals.border_share, proposals.evidence, mask, proposals.background)
    logit = _trees().log_odds(features(proposals, mask, expected_overlap, measures))
    score = 1 / (1 + np.exp(-(logit - np.log(_NEEDED / (1 - _NEEDED)))))
    return float(score), doubts_of(measures) if score < USABLE_SCORE else ()


@cache
def _trees() -> BoostedTrees:
    return BoostedTrees.read(TREES)


def features(
    proposals: Proposals, mask: np.ndarray, expected_overlap: float, measures: Measures
) -> np.ndarray:
    """Return what the score of a joined mask (H, W) bool rests on, in the order of `FEATURES`."""
    likely = proposals.probability > 0.5
    unclear = (proposals.probability > 0.1) & (proposals.probability < 0.9)
    size = max(float(mask.sum()), 1.0)
    return np.array([
        np.log(max(1 - expected_overlap, 0.002)),
        agreement(mask, likely),
        agreement(mask, proposals.background),
        agreement(mask, proposals.chroma),
        float(proposals.probability[mask].mean()),
        min((likely & ~mask).sum() / size, 1),
        min(unclear.sum() / max(likely.sum(), 1), 1),
        np.log(max(measures.area, 1e-4)),
        measures.border,
        measures.background_border,
        min(measures.components, 6),
        measures.like_background,
        measures.rim_left_over,
        measures.loose_outline,
        measures.left_out,
    ])  # fmt: skip


def _falling(value: float, good: float, bad: float) -> float:
    return float(np.clip((bad - value) / (bad - good), 0, 1))


def _rising(value: float, bad: float, good: float) -> float:
    return float(np.clip((value - bad) / (good - bad), 0, 1))


def _share(condition: np.ndarray, place: np.ndarray) -> float:
    return float(condition[place].mean()) if place.any() else 0.0


def _border_values(mask: np.ndarray) -> np.ndarray:
    return np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])


def _away_from_border(size: tuple[int, ...]) -> np.ndarray:
    inner = np.zeros(size, bool)
    inner[3:-3, 3:-3] = True
    return inner
