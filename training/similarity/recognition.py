"""Are synthetic images recognised as their class? A classifier of the real photos is tested on them.

The reverse of training on synthetic images and testing on real ones: GAN-test of Shmelkov et al. 2018, "How good is my
GAN?" (arXiv 1807.09499); the study's arm `synthetic` is their GAN-train, the classification accuracy score of Ravuri
and Vinyals 2019 (arXiv 1905.10887).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.methods import METHODS, Method
from pipeline.embedding import WeightsUnusable, checked_weights, normalised
from pipeline.errors import UnreadableImage
from training.data.decoding import squared
from training.data.rows import PHOTO, Row
from training.data.sources import rows_of
from training.fit.features import FeatureCache, View
from training.similarity.draws import bootstrap_band
from training.similarity.result import Band

SIDE_PX = 160  # of the squares that are classified
_MOST_PER_CLASS = 200  # images of a method, and photos
_LEAST = 10  # images of a method, and photos of a class: fewer tell nothing
_FOLDS = 5

Features = Mapping[str, NDArray[np.float32]]  # class → (N, F), each of length 1


class RecognisedMethod(TypedDict):
    """How many images of one method are recognised as their class; shares are 0 to 1."""

    method: str
    title: str
    images: int
    recognised: Band
    per_class: dict[str, float]


class RecognitionFindings(TypedDict):
    """Images that are recognised as their class, by method."""

    sentence: str
    photos: float  # share of the real photos that are recognised by a classifier of the others (5 folds)
    methods: list[RecognisedMethod]


def recognition_findings(dataset: str, cache: FeatureCache) -> RecognitionFindings | None:
    """Classify the synthetic training images of a release with a linear classifier of its real training photos.

    Args:
        dataset: as for `rows_of`.

    Returns:
        None where the weights of the embedding are not installed, fewer than two classes have 10 photos, or no method
        has 10 images of these classes.
    """
    try:
        checked_weights()
    except WeightsUnusable:
        return None
    photos = {
        label: rows
        for label, rows in _features(rows_of(dataset, "real", "train").rows, {PHOTO}, cache)[PHOTO].items()
        if len(rows) >= _LEAST
    }
    if len(photos) < 2:
        return None
    by_method = _features(rows_of(dataset, "synthetic", "train").rows, set(Method), cache)
    images = {
        method: {label: rows for label, rows in by_label.items() if label in photos}
        for method, by_label in by_method.items()
    }
    right = recognised(photos, images)
    methods = [_method(method, right[method]) for method in Method if _count(right.get(method, {})) >= _LEAST]
    if not methods:
        return None
    share = _share_of_photos(photos)
    return {"sentence": recognition_sentence(methods, share), "photos": share, "methods": methods}


def recognised(photos: Features, images: Mapping[str, Features]) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Tell which images a linear classifier of the photos assigns to their own class.

    Args:
        photos: of two classes or more.
        images: by method.

    Returns:
        Method → class → (N,).
    """
    classes = list(photos)
    classifier = _fitted(photos)
    return {
        method: {
            label: np.asarray(classifier.predict(rows) == classes.index(label))
            for label, rows in by_label.items()
        }
        for method, by_label in images.items()
    }


def recognition_sentence(methods: Sequence[RecognisedMethod], photos: float) -> str:
    """Say how many images are recognised, and of which class the fewest."""
    shares = ", ".join(f"{100 * of['recognised']['mean']:.0f} % of {of['title']}" for of in methods)
    weakest = min(
        ((share, label, of["title"]) for of in methods for label, share in of["per_class"].items()),
        key=lambda each: each[0],
    )
    share, label, title = weakest
    return (
        f"A classifier of the real photos recognises {shares} as their class; of photos it has not seen, "
        f"{100 * photos:.0f} %. The fewest: '{label}' with {title}, {100 * share:.0f} %."
    )


def _features(
    rows: Iterable[Row], methods: set[str], cache: FeatureCache
) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Method → class → features of its first images; unreadable ones are passed over."""
    squares: dict[str, dict[str, list[NDArray[np.uint8]]]] = {method: {} for method in methods}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.method not in methods or counts[row.method, row.label] >= _MOST_PER_CLASS:
            continue
        try:
            square = squared(row.data, SIDE_PX)
        except UnreadableImage:
            continue
        counts[row.method, row.label] += 1
        squares[row.method].setdefault(row.label, []).append(square)
    return {
        method: {
            label: normalised(cache.features(np.stack(each), View.PLAIN)[:, 0])
            for label, each in by_label.items()
        }
        for method, by_label in squares.items()
    }


def _fitted(photos: Features) -> Any:  # a classifier of scikit-learn, which has no types
    from sklearn.linear_model import LogisticRegression  # imported here, since it takes a second

    rows = np.concatenate(list(photos.values()))
    labels = np.repeat(np.arange(len(photos)), [len(each) for each in photos.values()])
    return LogisticRegression(C=100, max_iter=1000, class_weight="balanced").fit(rows, labels)


def _share_of_photos(photos: Features) -> float:
    """The share of photos that a classifier of the others recognises, the mean over the classes."""
    right: dict[str, list[NDArray[np.bool_]]] = {label: [] for label in photos}
    for fold in range(_FOLDS):
        kept = {label: rows[np.arange(len(rows)) % _FOLDS != fold] for label, rows in photos.items()}
        left = {label: rows[fold::_FOLDS] for label, rows in photos.items()}
        for label, each in recognised(kept, {PHOTO: left})[PHOTO].items():
            right[label].append(each)
    return float(np.mean([np.concatenate(each).mean() for each in right.values()]))


def _count(right: Mapping[str, NDArray[np.bool_]]) -> int:
    return sum(map(len, right.values()))


def _method(method: Method, right: Mapping[str, NDArray[np.bool_]]) -> RecognisedMethod:
    every = np.concatenate(list(right.values())).astype(np.float64)
    return {
        "method": str(method),
        "title": METHODS[method].title,
        "images": len(every),
        "recognised": bootstrap_band(every),
        "per_class": {label: float(each.mean()) for label, each in right.items()},
    }
