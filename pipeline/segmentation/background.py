"""A model of the plain background around an object: smooth light and colour, fitted from the border inwards.

Everything is in logarithms of brightness, where light and shadow add: a pixel departs from the background in `light`
(the same in all channels: lamp or shadow) plus `colour` (the rest).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

Field = np.ndarray  # of float32

_FIT_PX = 112  # side at which the model is fitted
_BORDER_SHARE = 0.04
_CLEAR_SHARE = 0.6  # a background that fills less of the border is compared with the next likely one
_SHELF = 8.0  # added before the logarithm, so that noise in the dark stays small
# (polynomial order, how far from the model a pixel may be to take part); the first two rounds see the border only
_ROUNDS = ((1, 0.30), (2, 0.22), (2, 0.16), (2, 0.12), (3, 0.10), (3, 0.08))
_BORDER_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Background:
    """How far every pixel departs from the background."""

    light: Field  # (H, W): below 0 darker than the background, above 0 brighter; logarithm
    colour: Field  # (H, W, 3): departure at equal light; sums to 0 over channels
    known: np.ndarray  # (H, W) bool: pixels that the model was fitted to
    border_share: float  # share of the border that is background


def logarithm(rgb: np.ndarray) -> Field:
    """Return the logarithm of brightness: (H, W, 3) float32, from about -3.5 (black) to 0 (white)."""
    return np.log((rgb.astype(np.float32) + _SHELF) / (255 + _SHELF))


def fitted_background(rgb: np.ndarray) -> Background:
    """Fit the background of a photo (H, W, 3) uint8 and measure how far every pixel departs from it."""
    height, width = rgb.shape[:2]
    scale = min(_FIT_PX / max(height, width), 1.0)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    seen = cv2.GaussianBlur(logarithm(small), (0, 0), 0.7)
    border = _border(seen.shape[:2])
    coefficients, order, known = _model(seen, border, unexplained=border)
    share = float(known[border].mean())
    if share < _CLEAR_SHARE and (border & ~known).any():  # perhaps that was a large object of one colour
        other = _model(seen, border, unexplained=border & ~known)
        if float(other[2][border].mean()) > share:
            coefficients, order, known = other
    departure = logarithm(rgb) - (polynomial_terms((height, width), order) @ coefficients).astype(np.float32)
    light = departure.mean(-1)
    enlarged = cv2.resize(known.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return Background(light, departure - light[..., None], enlarged, float(known[border].mean()))


def _model(seen: Field, border: np.ndarray, *, unexplained: np.ndarray) -> tuple[Field, int, np.ndarray]:
    """(coefficients, order, known): a smooth model grown from the commonest colour of a part of the border."""
    known = border & (np.abs(seen - _commonest(seen[unexplained])).max(-1) < 0.35)
    coefficients, order = np.zeros((1, 3), np.float32), 0
    for number, (next_order, limit) in enumerate(_ROUNDS):
        terms = polynomial_terms(seen.shape[:2], next_order)
        if known.sum() < 4 * terms.shape[-1]:
            break
        coefficients, order = robust_fit(terms[known], seen[known]), next_order
        near = _near(seen - terms @ coefficients, limit)
        known = near & border if number < _BORDER_ROUNDS else _joined(near, border)
    return coefficients, order, known


def _border(size: tuple[int, int]) -> np.ndarray:
    band = max(2, round(min(size) * _BORDER_SHARE))
    border = np.ones(size, bool)
    border[band:-band, band:-band] = False
    return border


def _commonest(colours: Field) -> Field:
    """The densest place among colours (N, 3)."""
    step = max(len(colours) // 300, 1)
    samples = colours[::step]
    near = np.abs(colours[None, ::3] - samples[:, None]).max(-1) < 0.15
    centre = samples[near.mean(1).argmax()]
    for _ in range(8):
        centre = colours[np.abs(colours - centre).max(-1) < 0.25].mean(0)
    return centre


def polynomial_terms(size: tuple[int, int], order: int) -> Field:
    """Return the monomials of x and y in -1..1 up to an order, (H, W, terms)."""
    y = np.linspace(-1, 1, size[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, size[1], dtype=np.float32)[None, :]
    powers = [(i, j) for i in range(order + 1) for j in range(order + 1 - i)]
    return np.stack([np.broadcast_to(x**i * y**j, size) for i, j in powers], -1)


def robust_fit(terms: Field, colours: Field) -> Field:
    """Fit colours (N, 3) by terms (N, terms): (terms, 3) coefficients, by reweighted least squares (Cauchy weights)."""
    weights = np.ones((len(terms), 1), np.float32)
    ridge = 1e-4 * len(terms) * np.eye(terms.shape[1], dtype=np.float32)
    coefficients = np.zeros((terms.shape[1], 3), np.float32)
    for _ in range(4):
        weighted = terms * weights
        coefficients = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ colours)
        miss = np.abs(colours - terms @ coefficients).mean(-1, keepdims=True)
        weights = 1 / (1 + (miss / (2 * np.median(miss) + 1e-4)) ** 2)
    return coefficients


def _near(departure: Field, limit: float) -> np.ndarray:
    light = departure.mean(-1)
    colour = np.abs(departure - light[..., None]).max(-1)
    return (np.abs(light) < limit) & (colour < max(limit / 2, 0.05))


def _joined(near: np.ndarray, border: np.ndarray) -> np.ndarray:
    """The part of `near` that is joined to the border."""
    _, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=4)
    return near & np.isin(labels, np.unique(labels[border & near]))
