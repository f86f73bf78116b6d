"""Test photos that show what an arm gets wrong: pairs that differ in one factor, and the most confident errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.diagnosis.association import relative_ranks
from training.diagnosis.explain import Errors, ends
from training.diagnosis.factors import Factor, Values
from training.diagnosis.result import ConfidentError, ExamplePair, ExamplePhoto, FactorFinding
from training.diagnosis.squares import Squares
from training.fit.run_folder import writable

MOST_PAIRS = 3
MOST_ERRORS = 6
_FOLDER = "examples"
_SIDE_PX = 176
_QUALITY = 82
_MOSTLY = 0.5  # of the seeds


@dataclass(frozen=True, slots=True)
class Album:
    """Writes thumbnails of test photos into a study's folder."""

    squares: Squares
    out: Path
    classes: tuple[str, ...]

    def thumbnail(self, place: int) -> str:
        """Write the JPEG of a photo and return its path relative to the study's folder.

        Raises:
            InvalidRequest: the folder cannot be written.
        """
        name = f"{_FOLDER}/photo-{place:04d}.jpg"
        with writable(self.out / name):
            (self.out / _FOLDER).mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(self.squares.images[place]).resize((_SIDE_PX, _SIDE_PX))
            image.save(self.out / name, "JPEG", quality=_QUALITY)
        return name


def example_pairs(
    finding: FactorFinding, values: Mapping[Factor, Values], errors: Errors
) -> list[tuple[int, int]]:
    """Choose pairs of a wrongly and a rightly classified photo of one class that differ in a factor.

    The wrong photo lies at the end of the factor where photos are recognised less often, the right one at the other
    end; of all such pairs of a class, the one that is nearest in the other known factors is taken. At most
    `MOST_PAIRS`, the nearest first, of different classes.

    Returns:
        Positions of the wrong and of the right photo.
    """
    factor = Factor(finding["factor"])
    known = np.flatnonzero(~np.isnan(values[factor]))
    labels, shares = errors.labels[known], errors.shares[known]
    low, high = ends(factor, values[factor][known], labels)
    hard, easy = (low, high) if finding["direction"] == "low" else (high, low)
    others = _other_ranks(factor, known, values, labels)
    best: list[tuple[float, int, int]] = []
    for label in np.unique(labels):
        wrong = np.flatnonzero(hard & (labels == label) & (shares > _MOSTLY))
        right = np.flatnonzero(easy & (labels == label) & (shares < _MOSTLY))
        if len(wrong) and len(right):
            gaps = np.linalg.norm(others[wrong][:, None] - others[right][None], axis=2)
            row, column = np.unravel_index(int(gaps.argmin()), gaps.shape)
            best.append((float(gaps.min()), int(known[wrong[row]]), int(known[right[column]])))
    return [(wrong, right) for _, wrong, right in sorted(best)[:MOST_PAIRS]]


def pair_result(
    finding: FactorFinding,
    pair: tuple[int, int],
    values: Values,
    errors: Errors,
    album: Album,
) -> ExamplePair:
    """Describe a pair of photos, (wrong, right), with its thumbnails."""
    wrong, right = (_photo(place, values, errors, album) for place in pair)
    label = album.classes[int(errors.labels[pair[0]])]
    return {
        "factor": finding["factor"],
        "title": finding["title"],
        "label": label,
        "wrong": wrong,
        "right": right,
    }


def confident_errors(
    probabilities: NDArray[np.float64], errors: Errors, album: Album
) -> list[ConfidentError]:
    """Collect the errors of which the arm is most certain, at most `MOST_ERRORS`, one of near-duplicates.

    Args:
        probabilities: (N, C) mean over the seeds.
    """
    predicted = probabilities.argmax(axis=1)
    certainty = np.where(predicted == errors.labels, -1.0, probabilities.max(axis=1))
    chosen: dict[int, int] = {}  # group → photo
    for place in np.argsort(-certainty, kind="stable").tolist():
        if certainty[place] < 0 or len(chosen) == MOST_ERRORS:
            break
        chosen.setdefault(int(errors.groups[place]), place)
    return [
        {
            "photo": album.squares.names[place],
            "image": album.thumbnail(place),
            "label": album.classes[int(errors.labels[place])],
            "predicted": album.classes[int(predicted[place])],
            "probability": round(float(certainty[place]), 4),
        }
        for place in chosen.values()
    ]


def _other_ranks(
    factor: Factor, known: NDArray[np.int64], values: Mapping[Factor, Values], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The relative ranks of photos in the other factors that are known of all of them, (M, K)."""
    columns = [values[other][known] for other in values if other != factor]
    complete = [relative_ranks(column, labels) for column in columns if not np.isnan(column).any()]
    return np.stack(complete, axis=1) if complete else np.zeros((len(known), 1))


def _photo(place: int, values: Values, errors: Errors, album: Album) -> ExamplePhoto:
    return {
        "photo": album.squares.names[place],
        "image": album.thumbnail(place),
        "value": round(float(values[place]), 4),
        "error_share": round(float(errors.shares[place]), 4),
    }
