"""The learning curve of real photos: a power law that is fitted to accuracies, and its inverse. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST_POINTS = 3  # as many as the power law has parameters
_EXPONENTS = 2.0 ** np.linspace(-6, 2, 401)  # tried for c, in steps of 1.4 %


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurves:
    """D power laws: balanced accuracy = plateau - scale * n ** -exponent for n real training photos.

    They rise or are flat, and their plateau is at most 1.
    """

    plateaus: NDArray[np.float64]  # (D,) a, 0 to 1
    scales: NDArray[np.float64]  # (D,) b, at least 0; 0 is a flat curve
    exponents: NDArray[np.float64]  # (D,) c, 1/64 to 4

    @classmethod
    def fitted(cls, photos: ArrayLike, accuracies: ArrayLike) -> LearningCurves:
        """Fit a curve to each row of accuracies by least squares with the constraints a <= 1 and b >= 0.

        For a fixed exponent the problem is linear with two unknowns; all exponents of a grid are tried.

        Args:
            photos: (P,) different numbers of real training photos, at least 1; P at least `FEWEST_POINTS`.
            accuracies: (D, P) balanced accuracies, 0 to 1.

        Source: the form is that of J. Hestness et al., Deep Learning Scaling is Predictable, Empirically, 2017; that it
        describes most learning curves well, and where it does not, T. Viering and M. Loog, The Shape of Learning
        Curves: A Review, 2022.
        """
        n, y = np.asarray(photos, float), np.atleast_2d(np.asarray(accuracies, float))
        assert len(np.unique(n)) == len(n) >= FEWEST_POINTS, f"{n} are not {FEWEST_POINTS} different numbers"
        best = cls(plateaus=y.mean(axis=1), scales=np.zeros(len(y)), exponents=np.ones(len(y)))
        least = np.full(len(y), np.inf)
        for exponent in _EXPONENTS:
            x = n**-exponent
            plateaus, scales = _lines(x, y)
            errors = ((plateaus[:, None] - scales[:, None] * x - y) ** 2).sum(axis=1)
            better = errors < least
            least = np.where(better, errors, least)
            best = cls(
                plateaus=np.where(better, plateaus, best.plateaus),
                scales=np.where(better, scales, best.scales),
                exponents=np.where(better, exponent, best.exponents),
            )
        return best

    def accuracies(self, photos: ArrayLike) -> NDArray[np.float64]:
        """Return the (D, P) balanced accuracies at P numbers of photos."""
        n = np.asarray(photos, float)
        return self.plateaus[:, None] - self.scales[:, None] * n ** -self.exponents[:, None]

    def photos(self, accuracies: ArrayLike, *, fewest: float, most: float) -> NDArray[np.float64]:
        """Return the numbers of photos at which the curves reach accuracies, cut off at `fewest` and `most`.

        Args:
            accuracies: (D,) one for each curve.

        Returns:
            (D,) numbers of photos; `most` where a curve does not reach the accuracy, also because it is flat.
        """
        left = self.plateaus - np.asarray(accuracies, float)  # how far below the plateau
        is_reached = left > 0
        with np.errstate(over="ignore"):
            ratio = np.divide(self.scales, left, out=np.full_like(left, np.inf), where=is_reached)
            count = ratio ** (1 / self.exponents)
        return np.asarray(np.clip(count, fewest, most), float)


def _lines(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit y = a - b x to each row by least squares with a <= 1 and b >= 0.

    The minimum is the unconstrained one if that is feasible, else on the edge a = 1 or b = 0 (the problem is convex).

    Args:
        x: (P,); y: (D, P).

    Returns:
        a and b, (D,) each.
    """
    middle, means = x.mean(), y.mean(axis=1)
    scales = -((y - means[:, None]) @ (x - middle)) / ((x - middle) ** 2).sum()
    plateaus = means + scales * middle
    at_one = np.maximum(0.0, (1 - y) @ x / (x**2).sum())  # b where a is 1
    is_flat, is_high = scales <= 0, plateaus > 1
    plateaus = np.where(is_flat, np.minimum(1.0, means), np.where(is_high, 1.0, plateaus))
    return plateaus, np.where(is_flat, 0.0, np.where(is_high, at_one, scales))
