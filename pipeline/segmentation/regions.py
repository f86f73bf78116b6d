"""Which pixels are background or shadow and which the object: edges, colour and light against the background model."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.segmentation.background import Background, Field

_DEEPEST_SHADOW = -1.1  # logarithm; a shadow keeps at least a third of the light
_SOFTEST_EDGE = 1.3  # an edge counts as sharp when it stands out this much more at fine scale than at coarse
_TINT_SLACK = 0.012  # departure in colour that background may have beside its noise
_TINT_OF_SHADOW = 0.08  # a shadow may take on this much colour per unit of darkness
_LEAST_PIECE = 0.04  # pieces of the object below this share of the largest are dust
_LEAST_LUMP_PX, _LARGEST_LUMP = 12, 0.12  # pixels; share of the object
_SOFT_LUMP_EDGE = 0.06


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence for background, shadow and object in every pixel: all (H, W)."""

    light: Field
    tint: Field  # size of the departure in colour, after what shadows alone do to it
    colour: Field  # (H, W, 3) signed
    edge: Field  # gradient over light and colour
    sharp: Field  # how much of the edge is sharp; at most 0 in soft shadow edges
    background: np.ndarray  # bool: equals the background model
    passable: np.ndarray  # bool: may be background in shadow: right colour, no sharp edge
    pale: np.ndarray  # bool: nearly the background's colour, whatever the edges


def gathered_evidence(background: Background) -> Evidence:
    """Collect evidence from departures; the colour of shadows is learned from the photo's own shadow."""
    first = _evidence(background.light, background.colour, background.known)
    shaded = _joined_to_border(opened(first.passable | first.background, 2)) & (background.light < -0.12)
    if shaded.sum() < 0.002 * shaded.size:
        return first
    drift = np.clip(np.median(background.colour[shaded] / background.light[shaded][:, None], 0), -0.2, 0.2)
    return _evidence(
        background.light, background.colour - background.light[..., None] * drift, background.known
    )


def _evidence(light: Field, colour: Field, known: np.ndarray) -> Evidence:
    calm_light = cv2.GaussianBlur(light, (0, 0), 0.8)
    calm_colour = cv2.GaussianBlur(colour, (0, 0), 1.2)
    tint = np.linalg.norm(calm_colour, axis=-1)
    features = np.dstack([light, 2 * colour])
    edge, coarse = _gradient(features, 0.7), _gradient(features, 2.2)
    sharp = edge - _SOFTEST_EDGE * coarse
    light_noise, tint_noise, edge_noise = (
        1.48 * float(np.median(np.abs(field[known]))) if known.any() else 0.02
        for field in (calm_light, tint, edge)
    )
    flat = (
        (np.abs(calm_light) < 3 * light_noise + 0.03)
        & (tint < 3 * tint_noise + 0.03)
        & (edge < 2 * edge_noise + 0.012)
    )
    passable = (
        (tint < 5 * tint_noise + _TINT_SLACK + _TINT_OF_SHADOW * np.clip(-calm_light, 0, 1))
        & (calm_light < 3 * light_noise + 0.03)
        & (calm_light > _DEEPEST_SHADOW)
        & (sharp < max(1.5 * edge_noise, 0.014))
        & (edge < 0.25)
    )
    pale = (
        (tint < 8 * tint_noise + 0.04 + 1.5 * _TINT_OF_SHADOW * np.clip(-light, 0, 1))
        & (light > _DEEPEST_SHADOW)
        & (light < 0.3)
    )
    return Evidence(light, tint, colour, edge, sharp, flat, passable | flat, pale)


def divided(evidence: Evidence) -> np.ndarray:
    """Find the object roughly, as (H, W) bool: what cannot be reached from the border without crossing a sharp edge.

    Holes through which the background is seen are left out.
    """
    size = evidence.light.size
    outside = _joined_to_border(opened(evidence.passable, 2))
    filled = _filled(_without_corners(without_islands(~outside, 0.0015 * size)))
    return filled & ~_holes(evidence, filled, smallest=max(20, round(0.0004 * size)))


def without_lumps(evidence: Evidence, mask: np.ndarray) -> np.ndarray:
    """Remove from a mask (H, W) bool what clings to the object from outside.

    That is: small places of nearly the background's colour, with a clear edge towards the object and none towards the
    background (a tinted shadow, a bright spot of the lamp).
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        opened(evidence.pale & mask, 1).astype(np.uint8), connectivity=4
    )
    near_edge = cv2.dilate(evidence.edge, np.ones((3, 3), np.uint8))
    kept = mask.copy()
    for label in range(1, count):
        if not _LEAST_LUMP_PX <= stats[label, cv2.CC_STAT_AREA] <= _LARGEST_LUMP * mask.sum():
            continue
        place = labels == label
        around = (cv2.dilate(place.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~place
        outward, inward = around & ~mask, around & mask
        if outward.sum() < 0.25 * around.sum() or not inward.any():
            continue
        outer, inner = float(np.median(near_edge[outward])), float(np.median(near_edge[inward]))
        if outer < _SOFT_LUMP_EDGE and outer < 0.3 * inner:
            kept &= ~place
    return without_islands(kept, 0)


def _holes(evidence: Evidence, filled: np.ndarray, smallest: int) -> np.ndarray:
    """Places inside the outline that look like the background, in light or shadow, as a whole."""
    inner = cv2.erode(filled.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    holes = np.zeros_like(filled)
    for radius in (1, 3):  # the wider one parts a hole from faces that it leaks into
        candidates = opened(evidence.passable & inner & ~holes, radius)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            candidates.astype(np.uint8), connectivity=4
        )
        for label in range(1, count):
            if stats[label, cv2.CC_STAT_AREA] >= smallest and _is_hole(evidence, labels == label):
                holes |= labels == label
    return holes


def _is_hole(evidence: Evidence, place: np.ndarray) -> bool:
    """Whether a region inside the outline is background: of its colour, not in full shadow, and compact."""
    off_colour = float(np.abs(evidence.colour[place].mean(0)).max())
    contours, _ = cv2.findContours(place.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    around = cv2.arcLength(max(contours, key=len), True)
    compactness = 4 * np.pi * float(place.sum()) / max(around, 1.0) ** 2
    brightest = float(np.percentile(evidence.light[place], 95))
    if off_colour < 0.004 and brightest > -0.08 and evidence.background[place].mean() > 0.3:
        return compactness > 0.45
    return off_colour < 0.010 and compactness > 0.6 and brightest > -0.5


def _gradient(features: Field, sigma: float) -> Field:
    calm = cv2.GaussianBlur(features, (0, 0), sigma)
    across = cv2.Sobel(calm, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(calm, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.sqrt((across**2 + down**2).sum(-1))


def opened(mask: np.ndarray, radius: int) -> np.ndarray:
    """Morphological opening of a mask (H, W) bool with a disc of a radius in pixels; the border counts as repeated."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    result = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)
    return result[radius:-radius, radius:-radius] > 0


def _joined_to_border(mask: np.ndarray) -> np.ndarray:
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return mask & np.isin(labels, np.unique(rim[rim > 0]))


def without_islands(mask: np.ndarray, smallest: float) -> np.ndarray:
    """Remove from a mask (H, W) bool the pieces under `smallest` pixels, or far smaller than the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count == 1:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    keep = 1 + np.flatnonzero(areas >= max(smallest, _LEAST_PIECE * areas.max()))
    return np.isin(labels, keep)


def _without_corners(mask: np.ndarray) -> np.ndarray:
    """A mask less what lies at the image's border and is small beside the largest piece: dark corners."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    rim = set(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]).tolist())
    largest = stats[1:, cv2.CC_STAT_AREA].max()
    keep = [k for k in range(1, count) if k not in rim or stats[k, cv2.CC_STAT_AREA] > 0.4 * largest]
    return np.isin(labels, keep)


def _filled(mask: np.ndarray) -> np.ndarray:
    return ~_joined_to_border(~mask)
