"""How many real photos the images of an arm are worth: read off the learning curve of real photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.arms import BASELINE, Arm, use_of
from pipeline.domain.release import Origin
from training.data.arm_data import ArmData
from training.study.learning_curve import FEWEST_POINTS, LearningCurves
from training.study.photo_worth import worth_sentence
from training.study.result import (
    CurveArm,
    DataEfficiency,
    EquivalentPhotos,
    PhotoCount,
    PhotoRange,
    RealCurve,
)
from training.study.statistics import ALPHA, mean_interval
from training.study.uncertainty import Uncertainty
from training.study.verdict import Scores

_EXTRAPOLATED = 2  # times the largest measured number of photos: so far the curve is believed
_DECIMALS = 5
_TOO_FEW_POINTS = (
    "How many real photos the images are worth takes a learning curve of at least {least} different numbers of real "
    "photos, each at least two of a class; this study has {points}. Run it again with --learning-curve, or add arms "
    "yourself: --arms real real%25 real%50 …"
)
_FLAT = (
    "How many real photos the images are worth cannot be told: more real photos do not raise the accuracy between "
    "{fewest} and {most} photos."
)


def is_on_curve(arm: Arm) -> bool:
    """Whether an arm trains on real photos alone, all or a share of them, with the usual augmentation."""
    return use_of(arm) == BASELINE


def data_efficiency(
    arms: Sequence[ArmData], scores: Scores, uncertainty: Uncertainty | None
) -> DataEfficiency | None:
    """Fit the learning curve of real photos and read every other arm off it.

    The curve is fitted to the mean accuracies over the seeds. The intervals come from fitting it again to draws of all
    mean accuracies together, from their covariance over seeds and test photos.

    Args:
        arms: K arms.
        scores: balanced accuracy, 0 to 1, of every arm and seed.
        uncertainty: of the same arms in the same order; None: no intervals.

    Returns:
        None where every arm is on the curve.
    """
    judged = [place for place, data in enumerate(arms) if not is_on_curve(data.arm)]
    if not judged:
        return None
    places = _places_by_photos(arms)
    numbers = list(places)
    if len(numbers) < FEWEST_POINTS:
        sentence = _TOO_FEW_POINTS.format(least=FEWEST_POINTS, points=len(numbers))
        return {"curve": None, "arms": [], "skipped": sentence}
    curve = _Curve.fitted([float(np.mean(scores[data.arm])) for data in arms], uncertainty, places)
    if curve.mean.scales[0] == 0:
        sentence = _FLAT.format(fewest=numbers[0], most=numbers[-1])
        return {"curve": None, "arms": [], "skipped": sentence}
    results = [_arm_result(arms[place], curve, place) for place in judged]
    return {"curve": _curve_result(arms, scores, places, curve), "arms": results, "skipped": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """The learning curve of the mean accuracies, and those of D draws of them."""

    means: NDArray[np.float64]  # (1, K)
    mean: LearningCurves  # one
    drawn_means: NDArray[np.float64] | None  # (D, K); None without uncertainty
    drawn: LearningCurves | None  # D
    fewest: int  # photos between which it is read
    most: int

    @classmethod
    def fitted(
        cls, means: Sequence[float], uncertainty: Uncertainty | None, places: Mapping[int, list[int]]
    ) -> _Curve:
        numbers = list(places)
        observed = np.array([means])
        drawn = None if uncertainty is None else uncertainty.drawn_means(means)
        return cls(
            means=observed,
            mean=LearningCurves.fitted(numbers, _at_points(observed, places)),
            drawn_means=drawn,
            drawn=None if drawn is None else LearningCurves.fitted(numbers, _at_points(drawn, places)),
            fewest=numbers[0],
            most=_EXTRAPOLATED * numbers[-1],
        )

    def equivalent(self, place: int) -> float:
        """Photos that reach the mean accuracy of an arm, cut off at the limits."""
        return float(self.mean.photos(self.means[:, place], fewest=self.fewest, most=self.most)[0])

    def equivalent_interval(self, place: int) -> tuple[float, float] | None:
        """The 95 % percentile interval of that number over the draws."""
        if self.drawn is None or self.drawn_means is None:
            return None
        photos = self.drawn.photos(self.drawn_means[:, place], fewest=self.fewest, most=self.most)
        low, high = np.quantile(photos, [ALPHA / 2, 1 - ALPHA / 2]).tolist()
        return low, high

    def count(self, photos: float, used: int) -> PhotoCount:
        """Describe a number of photos less those that are used; at a limit it is fewer or more than that."""
        return {
            "photos": round(photos - used, 1),
            "beyond": "fewer" if photos <= self.fewest else "more" if photos >= self.most else "",
        }

    def range_of(self, place: int, used: int) -> PhotoRange:
        """Describe the photos that an arm equals, less those that are used, with the interval."""
        interval = self.equivalent_interval(place)
        return {
            "estimate": self.count(self.equivalent(place), used),
            "low": None if interval is None else self.count(interval[0], used),
            "high": None if interval is None else self.count(interval[1], used),
        }


def _places_by_photos(arms: Sequence[ArmData]) -> dict[int, list[int]]:
    """Number of real photos, growing → places of the arms on the curve that have so many."""
    places: dict[int, list[int]] = {}
    for place, data in enumerate(arms):
        if is_on_curve(data.arm):
            places.setdefault(_count(data, Origin.REAL), []).append(place)
    return dict(sorted(places.items()))


def _at_points(means: NDArray[np.float64], places: Mapping[int, list[int]]) -> NDArray[np.float64]:
    """Average (D, K) accuracies of arms over those of each of P points: (D, P)."""
    return np.stack([means[:, of_point].mean(axis=1) for of_point in places.values()], axis=1)


def _arm_result(data: ArmData, curve: _Curve, place: int) -> EquivalentPhotos:
    real = _count(data, Origin.REAL)
    result: EquivalentPhotos = {
        "arm": str(data.arm),
        "title": data.arm.facts.title,
        "real": real,
        "synthetic": _count(data, Origin.SYNTHETIC),
        "balanced_accuracy": round(float(curve.means[0, place]), _DECIMALS),
        "equivalent": curve.range_of(place, 0),
        "additional": curve.range_of(place, real),
        "sentence": "",
    }
    return {**result, "sentence": worth_sentence(result)}


def _curve_result(
    arms: Sequence[ArmData], scores: Scores, places: Mapping[int, list[int]], curve: _Curve
) -> RealCurve:
    points: list[CurveArm] = []
    for photos, of_point in places.items():
        interval = mean_interval(np.mean([scores[arms[place].arm] for place in of_point], axis=0).tolist())
        points.append(
            {
                "arm": str(arms[of_point[0]].arm),
                "photos": photos,
                "balanced_accuracy": {"mean": interval.mean, "low": interval.low, "high": interval.high},
            }
        )
    measured = np.array([point["balanced_accuracy"]["mean"] for point in points])
    misfit = np.sqrt(np.mean((measured - curve.mean.accuracies(list(places))[0]) ** 2))
    return {
        "points": points,
        "plateau": float(curve.mean.plateaus[0]),
        "scale": float(curve.mean.scales[0]),
        "exponent": float(curve.mean.exponents[0]),
        "misfit": round(float(misfit), _DECIMALS),
        "most": curve.most,
    }


def _count(data: ArmData, origin: Origin) -> int:
    return data.counts[str(origin)]
