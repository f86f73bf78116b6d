"""Join two masks: keep what both find, and decide every region that only one of them finds.

The network finds an object whatever its ground, at 320 px; the background model draws exact outlines and holes, but
takes a soft shadow for a part of the object. Each region on which they differ is decided by boosted decision trees over
what is seen of it and of the photo. They were fitted by `python -m benchmarks.calibration`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from pipeline.segmentation.background import Field
from pipeline.segmentation.boosted_trees import BoostedTrees
from pipeline.segmentation.outline import agreement
from pipeline.segmentation.regions import Evidence, opened

_KERNEL = np.ones((3, 3), np.uint8)
_LEAST_REGION_PX = 6  # smaller differences of the two masks are decided together
_MARGIN_PX = 3
_THICK_PX = (
    2  # radius: a region that keeps a disc of it is decided apart from the thin belts along the outline
)

FEATURES = (
    "found by the network",
    "probability",
    "off the border's colour",
    "tint",
    "light",
    "departure of light",
    "like background in shadow",
    "like background",
    "edge towards the background",
    "edge towards the object",
    "contact with the object",
    "contact with the background",
    "area",
    "thick",
    "plain border",
    "area by outline",
    "photo: network and background model agree",
    "photo: background model and hue agree",
    "photo: network and hue agree",
    "photo: uncertain",
    "photo: area by the network",
    "photo: area by the background model",
    "photo: only in the network's mask",
    "photo: only in the background model's mask",
)
TREES = Path(__file__).with_name("region_trees.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """Two masks of one object, and what they rest on; all (H, W)."""

    probability: Field  # of the network
    network: np.ndarray  # bool
    background: np.ndarray  # bool: the mask found with the background model
    chroma: np.ndarray  # bool: what departs from the border's hue
    evidence: Evidence
    border_share: float  # share of the border that fits the background model


@dataclass(frozen=True, slots=True)
class Region:
    """A region that only one mask has."""

    window: tuple[slice, slice]
    inside: np.ndarray  # bool, of the window's size
    features: np.ndarray  # (len(FEATURES),)


def fused(proposals: Proposals) -> tuple[np.ndarray, float]:
    """Join two proposals.

    Returns:
        The mask, (H, W) bool, and the intersection over union that the certainty of the decisions lets expect, 0 to 1.
    """
    regions = list(differences(proposals))
    probabilities = _trees().probabilities(np.array([region.features for region in regions]))
    return joined(proposals, regions, probabilities)


def joined(
    proposals: Proposals, regions: Sequence[Region], probabilities: Sequence[float] | np.ndarray
) -> tuple[np.ndarray, float]:
    """Join two proposals by the probability of each region to belong to the object; returns as `fused`."""
    mask = proposals.network & proposals.background
    expected_error = 0.0
    for region, probability in zip(regions, probabilities, strict=True):
        if probability > 0.5:
            mask[region.window] |= region.inside
        expected_error += float(region.inside.sum()) * min(probability, 1 - probability)
    return mask, max(1 - expected_error / max(float(mask.sum()), 1.0), 0.0)


@cache
def _trees() -> BoostedTrees:
    return BoostedTrees.read(TREES)


def differences(proposals: Proposals) -> Iterator[Region]:
    """Yield every region on which the two masks differ: thick ones, the belts along the outline, and the specks.

    The specks of one mask, regions of a few pixels, are one region: together they are a part of its outline.
    """
    of_photo = _photo_features(proposals)
    different = proposals.network ^ proposals.background
    thick = (cv2.dilate(opened(different, _THICK_PX).astype(np.uint8), _KERNEL) > 0) & different
    specks = np.zeros(different.shape, bool)
    for part in (thick, different & ~thick):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(part.astype(np.uint8), connectivity=8)
        for label in range(1, count):
            left, top, width, height, area = stats[label]
            window = (
                slice(max(top - _MARGIN_PX, 0), top + height + _MARGIN_PX),
                slice(max(left - _MARGIN_PX, 0), left + width + _MARGIN_PX),
            )
            inside = labels[window] == label
            if area < _LEAST_REGION_PX:
                specks[window] |= inside
                continue
            of_region = _region_features(proposals, window, inside, is_thick=part is thick)
            yield Region(window, inside, np.concatenate([of_region, of_photo]))
    whole = (slice(None), slice(None))
    for inside in (specks & proposals.network, specks & proposals.background):
        if inside.any():
            of_region = _region_features(proposals, whole, inside, is_thick=False)
            yield Region(whole, inside, np.concatenate([of_region, of_photo]))


def _photo_features(proposals: Proposals) -> np.ndarray:
    network, background, chroma = proposals.network, proposals.background, proposals.chroma
    unclear = (proposals.probability > 0.1) & (proposals.probability < 0.9)
    return np.array([
        agreement(network, background),
        agreement(background, chroma),
        agreement(network, chroma),
        unclear.sum() / max((proposals.probability > 0.5).sum(), 1),
        network.mean(),
        background.mean(),
        (network & ~background).sum() / max(network.sum(), 1),
        (background & ~network).sum() / max(background.sum(), 1),
    ])  # fmt: skip


def _region_features(
    proposals: Proposals, window: tuple[slice, slice], inside: np.ndarray, *, is_thick: bool
) -> np.ndarray:
    evidence, union = proposals.evidence, proposals.network | proposals.background
    ring = (cv2.dilate(inside.astype(np.uint8), _KERNEL, iterations=2) > 0) & ~inside
    towards_object = ring & (proposals.network & proposals.background)[window]
    towards_background = ring & ~union[window]
    outline = max(ring.sum() / 2, 1)
    from_network = float(proposals.network[window][inside].mean())
    return np.array([
        from_network,
        _mean(proposals.probability[window], inside),
        _mean(proposals.chroma[window], inside),
        min(10 * _mean(evidence.tint[window], inside), 4),
        _mean(evidence.light[window], inside),
        abs(_mean(evidence.light[window], inside)),
        _mean(evidence.passable[window], inside),
        _mean(evidence.background[window], inside),
        min(10 * _mean(evidence.edge[window], towards_background), 4),
        min(10 * _mean(evidence.edge[window], towards_object), 4),
        towards_object.sum() / outline / 2,
        towards_background.sum() / outline / 2,
        np.log(inside.sum() / max(union.sum(), 1)),
        float(is_thick),
        proposals.border_share,
        np.log(inside.sum() / outline),
    ])  # fmt: skip


def _mean(field: np.ndarray, place: np.ndarray) -> float:
    return float(field[place].mean()) if place.any() else 0.0
