"""How different pictures are from one another, without a network: hashes, descriptors, and measures over sets."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB

Descriptors = NDArray[np.float32]  # (N, d), one row of length 1 a picture

_SIDE_PX = 64  # pictures are compared at this size
_COLOUR_BINS = 4  # per channel
_CELLS = 2  # per side, for gradients
_DIRECTIONS = 8


def dhash64(rgb: RGB) -> int:
    """64-bit difference hash: whether brightness rises from left to right, on an 8 x 8 grid (first bit top left)."""
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def hamming(first: int, second: int) -> int:
    """Number of bits in which two hashes differ, 0 to 64."""
    return (first ^ second).bit_count()


def descriptor(rgb: RGB) -> NDArray[np.float32]:
    """(96,) float32 of length 1: colours (4 x 4 x 4 histogram) and edge directions (8 in each of 2 x 2 cells).

    Square roots of shares, so that the dot product of two is a Bhattacharyya coefficient; half of the weight lies on
    colours, half on edges. A picture without any edge is described by its colours alone.
    """
    small = cv2.resize(np.ascontiguousarray(rgb), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    parts = [_colours(np.asarray(small, np.uint8)), _edges(np.asarray(small, np.uint8))]
    found = np.sqrt(np.concatenate([part / max(float(part.sum()), 1e-9) for part in parts]))
    return (found / np.linalg.norm(found)).astype(np.float32)


def _colours(small: RGB) -> NDArray[np.float64]:
    level = small.astype(np.int64) * _COLOUR_BINS // 256
    index = (level[..., 0] * _COLOUR_BINS + level[..., 1]) * _COLOUR_BINS + level[..., 2]
    return np.bincount(index.ravel(), minlength=_COLOUR_BINS**3).astype(np.float64)


def _edges(small: RGB) -> NDArray[np.float64]:
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    angle = np.mod(np.arctan2(down, across), np.pi)  # an edge and its opposite are alike
    direction = np.minimum((angle / np.pi * _DIRECTIONS).astype(np.int64), _DIRECTIONS - 1)
    cell = np.arange(_SIDE_PX) * _CELLS // _SIDE_PX
    index = (cell[:, None] * _CELLS + cell) * _DIRECTIONS + direction
    strength = np.hypot(across, down).ravel()
    shares = np.bincount(index.ravel(), weights=strength, minlength=_CELLS**2 * _DIRECTIONS)
    return shares.astype(np.float64)


def mean_pairwise_cosine(descriptors: Descriptors) -> float:
    """Mean cosine over all pairs of different rows, by |sum of rows|² in O(N d); 0.0 for fewer than two rows.

    Args:
        descriptors: (N, d), rows of length 1.
    """
    number = len(descriptors)
    if number < 2:
        return 0.0
    total = np.asarray(descriptors, np.float64).sum(axis=0)
    return float((total @ total - number) / (number * (number - 1)))


def vendi(descriptors: Descriptors) -> float:
    """Vendi score (Friedman & Dieng 2023) with the cosine kernel: the effective number of different rows, 1 to N.

    The eigenvalues of the N x N kernel are those of the (d, d) second moment, so it costs O(N d²). Compare scores at
    equal N only. 0.0 for no rows.
    """
    number = len(descriptors)
    if not number:
        return 0.0
    rows = np.asarray(descriptors, np.float64)
    moment = rows.T @ rows / number
    shares = np.linalg.eigvalsh(moment)
    shares = shares[shares > 1e-12]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def novelty(one: NDArray[np.float32], others: Descriptors) -> float:
    """1 - the greatest cosine to any of the others; 1.0 when there are none."""
    if not len(others):
        return 1.0
    return float(1.0 - np.max(np.asarray(others, np.float64) @ np.asarray(one, np.float64)))
