"""Measures how alike the images of a release are as their number grows, group by group and at equal numbers.

A group is compared with the TEST photos by density, coverage and kernel distance: the question is how well a set covers
the photos of the place where the classifier will work, which no group was made from. The training photos would reward
copies of themselves. How close a group stays to the TRAINING photos is told by the nearest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.variety import cosine_vendi, mean_cosine, nearest_other
from pipeline.embedding import WeightsUnusable, checked_weights, most_similar, normalised
from training.data.images import LabelledImages
from training.data.release import Release
from training.fit.features import FeatureCache, View
from training.similarity.against_real import (
    NEIGHBOURS,
    Manifold,
    density_and_coverage,
    kernel_distance,
    manifold,
)
from training.similarity.claim import similarity_claims, similarity_sentence
from training.similarity.draws import DRAWS, balanced_draw, balanced_size, band, widened
from training.similarity.groups import REAL, SMALLEST_SET, ImageGroup, image_groups
from training.similarity.result import Band, Measure, SimilarityFindings, SimilarityGroup

LARGEST_SET = 2048
_LEAST_TEST_PHOTOS = 2 * NEIGHBOURS  # fewer say nothing of how photos are distributed

Values = dict[Measure, NDArray[np.float64]]  # (draws,) each


@dataclass(frozen=True, slots=True)
class EmbeddedGroup:
    """A group with the features of its images, N rows of length 1."""

    group: ImageGroup
    units: NDArray[np.float32]  # (N, 1280)
    nearest_real: NDArray[np.float32] | None  # (N,) similarity to the most similar real training photo


def similarity_findings(release: Release, cache: FeatureCache) -> SimilarityFindings | None:
    """Measure how alike the images of each group of a release are, and compare ours with the baselines.

    None where the weights of the embedding are not installed, or no group has enough images.
    """
    try:
        checked_weights()
    except WeightsUnusable:
        return None
    groups, left_out = image_groups(release)
    if not groups:
        return None
    photos = _test_manifolds(release.test, cache)
    measured = {
        embedded.group.name: _measured_sets(embedded, photos)
        for embedded in _embedded(groups, release.real_train, cache)
    }
    claims = similarity_claims(groups, measured)
    return {
        "sentence": similarity_sentence(claims),
        "claims": claims,
        "groups": [_group_result(group, measured[group.name]) for group in groups],
        "left_out": left_out,
        "draws": DRAWS,
        "classes": len(release.classes),
        "test_photos": len(photos[0].units) if photos else 0,
        "image_size": release.test.images.shape[1],
    }


def _vectors(images: LabelledImages, cache: FeatureCache) -> NDArray[np.float16]:
    """The features of images as they are, (N, 1280)."""
    return cache.features(images.images, View.PLAIN)[:, 0]


def _embedded(
    groups: Sequence[ImageGroup], real_train: LabelledImages, cache: FeatureCache
) -> list[EmbeddedGroup]:
    real = _vectors(real_train, cache)
    embedded = []
    for group in groups:
        vectors = real if group.name == REAL else _vectors(group.images, cache)
        embedded.append(EmbeddedGroup(group, normalised(vectors), _nearest_real(group, vectors, real)))
    return embedded


def _nearest_real(
    group: ImageGroup, vectors: NDArray[np.float16], real: NDArray[np.float16]
) -> NDArray[np.float32] | None:
    """(N,) similarities to the most similar training photo; of a training photo to the most similar other one."""
    if not len(real):
        return None
    return nearest_other(normalised(real)) if group.name == REAL else most_similar(vectors, real)[1]


def _test_manifolds(test: LabelledImages, cache: FeatureCache) -> list[Manifold]:
    """One balanced set of test photos for each draw, the same for all groups; empty where there are too few."""
    size = balanced_size(test.labels)
    if size < _LEAST_TEST_PHOTOS:
        return []
    units = normalised(_vectors(test, cache))
    draws = (balanced_draw(test.labels, size, _rng(draw, 0)) for draw in range(DRAWS))
    return [manifold(units[chosen]) for chosen in draws]


def _measured_sets(embedded: EmbeddedGroup, photos: Sequence[Manifold]) -> dict[int, Values]:
    """Set size → the values of its draws, spread as those of sets that share no images."""
    sizes, size = [], SMALLEST_SET
    while size <= min(LARGEST_SET, embedded.group.largest_set):
        sizes.append(size)
        size *= 2
    return {size: _measured(embedded, size, photos) for size in sizes}


def _measured(embedded: EmbeddedGroup, size: int, photos: Sequence[Manifold]) -> Values:
    labels = embedded.group.images.labels
    draws = [
        _values(embedded, balanced_draw(labels, size, _rng(draw, size)), photos[draw] if photos else None)
        for draw in range(DRAWS)
    ]
    overlap = size / balanced_size(labels)
    return {
        measure: widened(np.array([values[measure] for values in draws]), overlap=overlap)
        for measure in draws[0]
    }


def _values(
    embedded: EmbeddedGroup, chosen: NDArray[np.int64], photos: Manifold | None
) -> dict[Measure, float]:
    """Measure one set."""
    units = embedded.units[chosen]
    values = {
        Measure.VENDI: cosine_vendi(units),
        Measure.MEAN_COSINE: mean_cosine(units),
        Measure.NEAREST_OTHER: float(nearest_other(units).mean()),
    }
    if embedded.nearest_real is not None:
        values[Measure.NEAREST_REAL] = float(embedded.nearest_real[chosen].mean())
    if photos is not None:
        density, coverage = density_and_coverage(units, photos)
        distance = kernel_distance(units, photos.units)
        values |= {Measure.COVERAGE: coverage, Measure.DENSITY: density, Measure.KERNEL_DISTANCE: distance}
    return values


def _group_result(group: ImageGroup, sets: dict[int, Values]) -> SimilarityGroup:
    return {
        "name": group.name,
        "title": group.title,
        "methods": [str(method) for method in group.methods],
        "images": len(group.images),
        "points": [
            {
                "n": size,
                "bands": {str(measure): _possible(measure, drawn) for measure, drawn in values.items()},
            }
            for size, values in sets.items()
        ],
    }


def _possible(measure: Measure, drawn: NDArray[np.float64]) -> Band:
    """The band of values, within what the measure can be: values were spread beyond what was drawn."""
    drawn_band, facts = band(drawn), measure.facts
    return {
        "mean": drawn_band["mean"],
        "low": max(drawn_band["low"], facts.least),
        "high": min(drawn_band["high"], facts.most),
    }


def _rng(draw: int, size: int) -> np.random.Generator:
    return np.random.default_rng([draw, size])
