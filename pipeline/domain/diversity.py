"""How alike pictures are: hashes, a small descriptor, and set scores in their exact O(N d²) forms."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB

_CELLS = 4  # the picture is described in 4 x 4 cells
_ORIENTATIONS = 8
_SIDE_PX = 64


def dhash64(rgb: RGB) -> int:
    """64-bit difference hash: neighbours compared on a 9 x 8 grey thumbnail (Krawetz 2013)."""
    grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    bits = (grey[:, 1:] > grey[:, :-1]).ravel()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def hamming(first: int, second: int) -> int:
    """Bits in which two hashes differ, 0 to 64."""
    return (first ^ second).bit_count()


def descriptor(rgb: RGB) -> NDArray[np.float32]:
    """(176,) float32 of length 1: mean colour and gradient orientations of 4 x 4 cells.

    Per cell 3 colour values (Lab, centred) and 8 orientation shares weighted by gradient (Dalal & Triggs 2005, without
    block normalisation). No network: a coarse but stable measure of likeness.
    """
    small = cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) / (100, 128, 128) - (0.5, 0, 0)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.hypot(dx, dy)
    sector = np.floor((np.arctan2(dy, dx) % np.pi) / np.pi * _ORIENTATIONS).astype(int) % _ORIENTATIONS
    planes = [strength * (sector == which) for which in range(_ORIENTATIONS)]
    cells = cv2.resize(
        np.dstack([lab, *planes]).astype(np.float32), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA
    )
    values = cells.reshape(-1).astype(np.float32)
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)


def mean_pairwise_cosine(rows: NDArray[np.float32]) -> float:
    """Mean cosine over all pairs of different rows: (|Σ x|² - N) / (N (N - 1)).

    Args:
        rows: (N, d) of length 1 each, N at least 2.
    """
    count = len(rows)
    assert count >= 2
    total = rows.astype(np.float64).sum(axis=0)
    return float((total @ total - count) / (count * (count - 1)))


def vendi(rows: NDArray[np.float32]) -> float:
    """Vendi score with the cosine kernel: the effective number of different rows, 1 to min(N, d).

    exp of the entropy of the eigenvalues of X Xᵀ / N (Friedman & Dieng 2023, eq. 2), which are those of the (d, d)
    matrix Xᵀ X / N. Compare sets of equal N only.

    Args:
        rows: (N, d) of length 1 each.
    """
    values = rows.astype(np.float64)
    spectrum = np.linalg.eigvalsh(values.T @ values / len(values))
    spectrum = spectrum[spectrum > 1e-12]
    return float(np.exp(-(spectrum * np.log(spectrum)).sum()))


def novelty(row: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """1 - the largest cosine between a row (d,) and the others (N, d); 1 where there are none."""
    return 1.0 if len(others) == 0 else float(1 - (others @ row).max())
