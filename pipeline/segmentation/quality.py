"""How far a mask can be trusted: a score of 0 to 1, and the reasons for doubt."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.segmentation.background import Background
from pipeline.segmentation.outline import agreement, depth
from pipeline.segmentation.regions import Evidence

USABLE_SCORE = 0.5  # below it a person should check the mask before it is used
_DOUBT_BELOW = 0.8  # a measure that is trusted less than this is reported


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


def measured(background: Background, evidence: Evidence, mask: np.ndarray, second: np.ndarray) -> Measures:
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
        background_border=background.border_share,
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
    m = measures
    trusts = (
        (_falling(m.area, 0.78, 0.95), f"it covers {m.area:.0%} of the image"),
        (_rising(m.area, 0.001, 0.006), f"it covers only {m.area:.1%} of the image"),
        (_falling(m.border, 0.10, 0.36), f"it touches {m.border:.0%} of the image's border"),
        (
            _rising(m.background_border, 0.35, 0.60),
            f"only {m.background_border:.0%} of the border is plain background",
        ),
        (_falling(m.components - 1, 1, 6), f"it falls into {m.components} pieces"),
        (
            _falling(m.like_background, 0.55, 1.10),
            f"{m.like_background:.0%} of its inside looks like the background",
        ),
        (
            _falling(m.rim_left_over, 0.50, 1.10),
            f"background or shadow may be left along {m.rim_left_over:.0%} of the rim",
        ),
        (
            _falling(m.loose_outline, 0.15, 0.42),
            f"{m.loose_outline:.0%} of the outline follows no clear edge",
        ),
        (_falling(m.left_out, 0.06, 0.40), f"{m.left_out:.0%} of the sharp edges lie outside it"),
        (_rising(m.agreement, 0.70, 0.95), f"two methods agree on only {m.agreement:.0%}"),
    )
    score = float(np.prod([trust for trust, _ in trusts]))
    doubts = tuple(doubt for trust, doubt in sorted(trusts, key=lambda pair: pair[0]) if trust < _DOUBT_BELOW)
    return score, doubts


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
