"""How many real photos the images of an arm are worth: read off the learning curve of real photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    means = np.array([[np.mean(scores[data.arm]) for data in arms]])
    fitted = LearningCurves.fitted(numbers, _at_points(means, places))
    if fitted.scales[0] == 0:
        sentence = _FLAT.format(fewest=numbers[0], most=numbers[-1])
        return {"curve": None, "arms": [], "skipped": sentence}
    limits = (numbers[0], _EXTRAPOLATED * numbers[-1])
    drawn = None if uncertainty is None else uncertainty.drawn_means(means[0].tolist())
    redrawn = None if drawn is None else LearningCurves.fitted(numbers, _at_points(drawn, places))
    results = []
    for place in judged:
        estimate = fitted.photos(means[:, place], fewest=limits[0], most=limits[1])
        spread = (
            None
            if drawn is None or redrawn is None
            else redrawn.photos(drawn[:, place], fewest=limits[0], most=limits[1])
        )
        results.append(_arm_result(arms[place], float(means[0, place]), float(estimate[0]), spread, limits))
    return {"curve": _curve_result(arms, scores, places, fitted, limits[1]), "arms": results, "skipped": ""}


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


def _arm_result(
    data: ArmData,
    accuracy: float,
    estimate: float,
    spread: NDArray[np.float64] | None,
    limits: tuple[int, int],
) -> EquivalentPhotos:
    real, synthetic = _count(data, Origin.REAL), _count(data, Origin.SYNTHETIC)
    low, high = (None, None) if spread is None else np.quantile(spread, [ALPHA / 2, 1 - ALPHA / 2]).tolist()

    def photo_range(used: int) -> PhotoRange:
        return {
            "estimate": _photo_count(estimate, limits, used),
            "low": None if low is None else _photo_count(low, limits, used),
            "high": None if high is None else _photo_count(high, limits, used),
        }

    result: EquivalentPhotos = {
        "arm": str(data.arm),
        "title": data.arm.facts.title,
        "real": real,
        "synthetic": synthetic,
        "balanced_accuracy": round(accuracy, _DECIMALS),
        "equivalent": photo_range(0),
        "additional": photo_range(real),
        "sentence": "",
    }
    return {**result, "sentence": worth_sentence(result)}


def _photo_count(photos: float, limits: tuple[int, int], used: int) -> PhotoCount:
    """Count the photos beyond those that are used; at a limit of the curve it is fewer or more than that."""
    fewest, most = limits
    return {
        "photos": round(photos - used, 1),
        "beyond": "fewer" if photos <= fewest else "more" if photos >= most else "",
    }


def _curve_result(
    arms: Sequence[ArmData],
    scores: Scores,
    places: Mapping[int, list[int]],
    fitted: LearningCurves,
    most: int,
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
    misfit = np.sqrt(np.mean((measured - fitted.accuracies(list(places))[0]) ** 2))
    return {
        "points": points,
        "plateau": float(fitted.plateaus[0]),
        "scale": float(fitted.scales[0]),
        "exponent": float(fitted.exponents[0]),
        "misfit": round(float(misfit), _DECIMALS),
        "most": most,
    }


def _count(data: ArmData, origin: Origin) -> int:
    return data.counts[str(origin)]
