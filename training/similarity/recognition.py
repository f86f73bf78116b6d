"""Are synthetic images recognised as their class? A classifier of the real photos is tested on them.

The reverse of training on synthetic images and testing on real ones: GAN-test of Shmelkov et al. 2018, "How good is my
GAN?" (arXiv 1807.09499); the study's arm `synthetic` is their GAN-train, the classification accuracy score of Ravuri
and Vinyals 2019 (arXiv 1905.10887). A synthetic image shows an object of the photos, so each image is judged without
the photos of its objects and their near-duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.methods import METHODS, Method
from pipeline.embedding import WeightsUnusable, checked_weights, linked_groups, load_embedder, normalised
from pipeline.errors import UnreadableImage
from training.data.decoding import squared
from training.data.rows import PHOTO, Row
from training.data.sources import rows_of
from training.fit.features import FeatureCache, View
from training.similarity.draws import bootstrap_band
from training.similarity.result import Band

SIDE_PX = 160  # of the squares that are classified
_MOST_PER_CLASS = 200  # images of a method, and photos
_LEAST = 10  # images of a method or class, and photos of a class: fewer tell nothing


class RecognisedMethod(TypedDict):
    """How many images of one method are recognised as their class; shares are 0 to 1."""

    method: str
    title: str
    images: int
    recognised: Band
    per_class: dict[str, float]  # of classes with at least 10 images


class RecognitionFindings(TypedDict):
    """Images that are recognised as their class, by method."""

    sentence: str
    photos: float  # share of the real photos that are recognised without their near-duplicates
    methods: list[RecognisedMethod]


@dataclass(frozen=True, slots=True)
class Images:
    """N images of one origin."""

    features: NDArray[np.float32]  # (N, F), each of length 1
    labels: Sequence[str]
    sources: Sequence[tuple[str, ...]]  # the photos of their objects; of a photo itself


def recognition_findings(dataset: str, cache: FeatureCache) -> RecognitionFindings | None:
    """Classify the synthetic training images of a release by the mean features of the real photos of each class.

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
    photos = _images(rows_of(dataset, "real", "train").rows, {PHOTO}, cache).get(PHOTO)
    counts = Counter(photos.labels if photos else ())
    classes = {label for label, count in counts.items() if count >= _LEAST}
    if photos is None or len(classes) < 2:
        return None
    photos = _of_classes(photos, classes)
    by_method = _images(rows_of(dataset, "synthetic", "train").rows, set(Method), cache)
    of_methods = {method: _of_classes(images, classes) for method, images in by_method.items()}
    least = load_embedder().near_duplicate
    methods = [
        _method(method, images, recognised(photos, images, least))
        for method in Method
        if (images := of_methods.get(method)) and len(images.labels) >= _LEAST
    ]
    if not methods:
        return None
    share = float(recognised(photos, photos, least).mean())
    return {"sentence": recognition_sentence(methods, share), "photos": share, "methods": methods}


def recognised(photos: Images, images: Images, near_duplicate: float) -> NDArray[np.bool_]:
    """Tell which images have the mean photo of their own class as the most similar one.

    The photos of an image's objects, and their near-duplicates, are left out of the means.

    Args:
        near_duplicate: cosine similarity from which two photos are near-duplicates.

    Returns:
        (N,); False where no other photo of the class is left.
    """
    classes = sorted(set(photos.labels))
    of_class = np.array(
        [[label == each for each in classes] for label in photos.labels], np.float32
    )  # (P, C)
    groups = linked_groups(photos.features.astype(np.float16), near_duplicate)
    group_of = {name: group for names, group in zip(photos.sources, groups, strict=True) for name in names}
    right = np.zeros(len(images.labels), bool)
    means: dict[frozenset[int], NDArray[np.float32]] = {}
    rows = zip(images.features, images.labels, images.sources, strict=True)
    for place, (row, label, sources) in enumerate(rows):
        seen = frozenset(int(group_of[name]) for name in sources if name in group_of)
        if seen not in means:
            kept = ~np.isin(groups, list(seen))
            means[seen] = normalised(of_class[kept].T @ photos.features[kept])
        similarities = means[seen] @ row
        own = classes.index(label)
        right[place] = similarities[own] > 0 and similarities.argmax() == own
    return right


def recognition_sentence(methods: Sequence[RecognisedMethod], photos: float) -> str:
    """Say how many images are recognised, and of which class the fewest."""
    shares = ", ".join(f"{100 * of['recognised']['mean']:.0f} % of {of['title']}" for of in methods)
    sentence = (
        f"By the real photos of other objects, {shares} are recognised as their class; of the photos themselves, "
        f"{100 * photos:.0f} %."
    )
    each = [(share, label, of["title"]) for of in methods for label, share in of["per_class"].items()]
    if not each:
        return sentence
    share, label, title = min(each)
    return f"{sentence} The fewest: '{label}' with {title}, {100 * share:.0f} %."


def _images(rows: Iterable[Row], methods: set[str], cache: FeatureCache) -> dict[str, Images]:
    """Method → its first images of each class; unreadable ones are passed over."""
    kept: dict[str, list[tuple[Row, NDArray[np.uint8]]]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.method not in methods or counts[row.method, row.label] >= _MOST_PER_CLASS:
            continue
        try:
            square = squared(row.data, SIDE_PX)
        except UnreadableImage:
            continue
        counts[row.method, row.label] += 1
        kept.setdefault(row.method, []).append((row._replace(data=b"", mask=b""), square))
    return {
        method: Images(
            features=normalised(cache.features(np.stack([square for _, square in pairs]), View.PLAIN)[:, 0]),
            labels=[row.label for row, _ in pairs],
            sources=[_sources(row) for row, _ in pairs],
        )
        for method, pairs in kept.items()
    }


def _sources(row: Row) -> tuple[str, ...]:
    if row.method == PHOTO:
        return (row.name,)
    return row.sources or (row.source,)


def _of_classes(images: Images, classes: set[str]) -> Images:
    places = [place for place, label in enumerate(images.labels) if label in classes]
    return Images(
        images.features[places],
        [images.labels[place] for place in places],
        [images.sources[place] for place in places],
    )


def _method(method: Method, images: Images, right: NDArray[np.bool_]) -> RecognisedMethod:
    counts = Counter(images.labels)
    of_label = {label: np.array([each == label for each in images.labels]) for label in sorted(counts)}
    return {
        "method": str(method),
        "title": METHODS[method].title,
        "images": len(right),
        "recognised": bootstrap_band(right.astype(np.float64)),
        "per_class": {
            label: float(right[place].mean()) for label, place in of_label.items() if counts[label] >= _LEAST
        },
    }
