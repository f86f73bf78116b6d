"""Scores of a finished sample, each a small function over arrays, and the gates that they must pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask

_DARK, _LIGHT = 2, 253
_LAPLACIAN_SCALE = 400.0  # variance of the Laplacian at which a picture counts as half sharp
_HALO_SCALE = 96.0  # grey levels between rim and ground that count as a full halo
_RIM_PX = 2
_NEAR_PX = (4, 9)


class Direction(StrEnum):
    """Which side of its limit a score must lie on."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on a score."""

    name: str
    limit: float
    direction: Direction


@dataclass(frozen=True, slots=True)
class GateFailure:
    """A score beyond its limit; as text: "seam 0.41, limit 0.30"."""

    name: str
    value: float
    limit: float

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f}, limit {self.limit:.2f}"


DEFAULT_GATES = (
    Gate("seam", 0.55, Direction.AT_MOST),
    Gate("halo", 0.75, Direction.AT_MOST),
    Gate("clipped", 0.60, Direction.AT_MOST),
    Gate("contrast", 0.02, Direction.AT_LEAST),
    Gate("object_share", 0.01, Direction.AT_LEAST),
)


def scores(rgb: RGB, alpha: Mask) -> dict[str, float]:
    """All scores of a sample by name.

    Args:
        rgb: (H, W, 3) the finished picture.
        alpha: (H, W) alpha of the placed objects; all 0 where there are none (plain SDXL), which leaves out the
            scores that speak of an object.
    """
    found = {"sharpness": sharpness(rgb), "clipped": clipped(rgb), "contrast": contrast(rgb)}
    if alpha.any():
        found |= {"seam": seam(rgb, alpha), "halo": halo(rgb, alpha), "object_share": object_share(alpha)}
    return found


def gates_failed(found: Mapping[str, float], gates: Sequence[Gate] = DEFAULT_GATES) -> list[GateFailure]:
    """The gates that scores do not pass; a score that is not there fails nothing."""
    return [
        GateFailure(gate.name, found[gate.name], gate.limit)
        for gate in gates
        if gate.name in found and not _passes(found[gate.name], gate)
    ]


def _passes(value: float, gate: Gate) -> bool:
    return value <= gate.limit if gate.direction is Direction.AT_MOST else value >= gate.limit


def sharpness(rgb: RGB) -> float:
    """0 (flat) to 1 (crisp): v / (v + 400) for v the variance of the Laplacian (Pech-Pacheco et al. 2000)."""
    variance = float(cv2.Laplacian(_grey(rgb), cv2.CV_32F).var())
    return variance / (variance + _LAPLACIAN_SCALE)


def clipped(rgb: RGB) -> float:
    """Share of the pixels that are quite black or quite white, 0 to 1."""
    grey = _grey(rgb)
    return float(((grey <= _DARK) | (grey >= _LIGHT)).mean())


def contrast(rgb: RGB) -> float:
    """Standard deviation of the grey levels, 0 to 0.5."""
    return float(_grey(rgb).std() / 255)


def object_share(alpha: Mask) -> float:
    """Share of the canvas that objects cover, 0 to 1."""
    return float(alpha.mean() / 255)


def seam(rgb: RGB, alpha: Mask) -> float:
    """How much steeper the ground is right along the object than a little further off, 0 (not) to 1.

    (r - n) / (r + n), not below 0, for r the mean gradient of the ground in a rim of 2 px round the object and n that
    at 4 to 9 px. The step from object to ground itself does not count: objects have edges.
    """
    ground = alpha == 0
    rim, near = _rings(alpha)
    grey = _grey(rgb).astype(np.float32)
    across = np.abs(np.diff(grey, axis=1)) * (ground[:, 1:] & ground[:, :-1])
    down = np.abs(np.diff(grey, axis=0)) * (ground[1:] & ground[:-1])
    slope = np.zeros(grey.shape, np.float32)
    slope[:, 1:] += across
    slope[1:] += down
    if not rim.any() or not near.any():
        return 0.0
    at_rim, nearby = float(slope[rim].mean()), float(slope[near].mean())
    return max(0.0, (at_rim - nearby) / (at_rim + nearby + 1.0))


def halo(rgb: RGB, alpha: Mask) -> float:
    """How much lighter or darker the ground is right along the object than a little further off, 0 to 1.

    The difference of the mean grey levels over 96, at most 1. A contact shadow counts too, so the limit is wide.
    """
    rim, near = _rings(alpha)
    if not rim.any() or not near.any():
        return 0.0
    grey = _grey(rgb).astype(np.float32)
    return float(min(1.0, abs(grey[rim].mean() - grey[near].mean()) / _HALO_SCALE))


def _rings(alpha: Mask) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Ground pixels within 2 px of any object pixel, and those 4 to 9 px off."""
    distance = cv2.distanceTransform((alpha == 0).astype(np.uint8), cv2.DIST_L2, 5)
    return (distance > 0) & (distance <= _RIM_PX), (distance >= _NEAR_PX[0]) & (distance <= _NEAR_PX[1])


def _grey(rgb: RGB) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
