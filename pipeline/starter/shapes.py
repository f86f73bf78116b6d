"""Signed distances in the plane (negative inside) and the edges that turn them into height fields.

Coordinates and distances share one unit: 1 is half of a part's longest side. Arrays are float32.
"""

from __future__ import annotations

import numpy as np

Field = np.ndarray  # of float32


def disc(x: Field, y: Field, radius: float) -> Field:
    """Return the distance to a disc around the origin."""
    return np.hypot(x, y) - np.float32(radius)


def box(x: Field, y: Field, half_width: float, half_height: float) -> Field:
    """Return the distance to an upright box around the origin."""
    across, along = np.abs(x) - half_width, np.abs(y) - half_height
    outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
    return outside + np.minimum(np.maximum(across, along), 0)


def polygon(x: Field, y: Field, apothem: float, sides: int) -> Field:
    """Return the distance to a regular polygon around the origin (a lower bound outside the corners)."""
    sector = np.float32(2 * np.pi / sides)
    angle = np.arctan2(y, x)
    folded = angle - sector * np.round(angle / sector)
    return np.hypot(x, y) * np.cos(folded) - np.float32(apothem)


def toothed(x: Field, y: Field, *, root: float, tip: float, teeth: int, thickness: float) -> Field:
    """Return the distance to a toothed disc.

    Args:
        root: radius between the teeth.
        tip: radius at the tips.
        thickness: share of the pitch that a tooth takes at half its height; 0.5 is usual.
    """
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    pitch = np.float32(2 * np.pi / teeth)
    folded = np.abs(angle - pitch * np.round(angle / pitch))
    climb = np.clip((radius - root) / (tip - root), 0, 1)
    half_width = pitch * thickness * (0.66 - 0.34 * climb)
    tooth = np.maximum(radius - tip, (folded - half_width) * radius)
    return np.minimum(radius - root, tooth)


def rounded(distance: Field, height: float, edge: float) -> Field:
    """Return the height of a plate with a quarter-round edge: `height` inside, 0 outside, the edge `edge` wide."""
    inward = np.clip(-distance / edge, 0, 1)
    lowered = edge * (1 - np.sqrt(1 - (1 - inward) ** 2))
    return np.where(distance < 0, np.maximum(height - lowered, 0.01), 0).astype(np.float32)


def smoothstep(low: float, high: float, value: Field) -> Field:
    """Return 0 below `low`, 1 above `high`, and a smooth rise between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
