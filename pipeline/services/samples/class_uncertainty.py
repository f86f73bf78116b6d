"""Which classes a linear probe is uncertain of: trained on photos and samples, examined on held-out training photos."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.embedding import linked_groups, normalised

_PARTS = 5  # of the training photos; each is the validation part once
_LENGTH = 8.0  # of a feature vector: a scale at which the usual regularisation is mild
_MOST_STEPS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Images with their embeddings.

    `vectors` is (N, D) float16; `photos` names, for each image, the photos that it shows: itself for a photo.
    """

    vectors: NDArray[np.float16]
    labels: Sequence[str]
    photos: Sequence[frozenset[str]]


def class_uncertainty(photos: Examples, samples: Examples, *, near_duplicate: float) -> dict[str, float]:
    """Cross-validate a logistic regression over the training photos.

    Photos are divided into five parts, near-duplicates together. Each part is the validation part once: the probe
    trains on the other photos and on the samples that show none of its photos. The result does not depend on the order
    of the images.

    Args:
        photos: training photos, each once; never test photos.
        samples: made of these photos.
        near_duplicate: cosine similarity from which two photos are near-duplicates.

    Returns:
        Class → mean probability that the probe leaves to the other classes, 0 to 1; a class of which no photo could be
        examined is left out.
    """
    parts = _parts(photos, near_duplicate)
    left: dict[str, list[float]] = {}
    for part in range(_PARTS):
        held_out = np.flatnonzero(parts == part).tolist()
        if not held_out:
            continue
        shown = frozenset().union(*(photos.photos[place] for place in held_out))
        others = np.flatnonzero(parts != part).tolist()
        usable = [place for place, of_sample in enumerate(samples.photos) if not of_sample & shown]
        vectors = np.concatenate([photos.vectors[others], samples.vectors[usable]])
        labels = [photos.labels[place] for place in others] + [samples.labels[place] for place in usable]
        for place, uncertain in _uncertain(vectors, labels, photos, held_out):
            left.setdefault(photos.labels[place], []).append(uncertain)
    return {label: float(np.mean(values)) for label, values in sorted(left.items())}


def _uncertain(
    vectors: NDArray[np.float16], labels: Sequence[str], photos: Examples, held_out: Sequence[int]
) -> list[tuple[int, float]]:
    """Train on some images; return (photo, probability of the other classes) of the photos held out."""
    from sklearn.linear_model import LogisticRegression  # imported here, since it takes a second

    if len(set(labels)) < 2:
        return []
    order = sorted(range(len(labels)), key=lambda place: (labels[place], vectors[place].tobytes()))
    probe = LogisticRegression(class_weight="balanced", max_iter=_MOST_STEPS)
    probe.fit(_LENGTH * normalised(vectors[order]), [labels[place] for place in order])
    classes = probe.classes_.tolist()
    probabilities = probe.predict_proba(_LENGTH * normalised(photos.vectors[list(held_out)]))
    return [
        (place, 1 - float(of_photo[classes.index(photos.labels[place])]))
        for place, of_photo in zip(held_out, probabilities, strict=True)
        if photos.labels[place] in classes
    ]


def _parts(photos: Examples, near_duplicate: float) -> NDArray[np.int64]:
    """Return the part of each photo, (N,) 0 to 4: the groups of each class in turn, in an order that a hash decides."""
    groups: dict[int, list[int]] = {}
    for place, first in enumerate(linked_groups(photos.vectors, near_duplicate).tolist()):
        groups.setdefault(first, []).append(place)
    hashed = []
    for places in groups.values():
        name = min(photo for place in places for photo in photos.photos[place])
        label = min(photos.labels[place] for place in places)
        hashed.append((label, hashlib.sha256(f"round part {name}".encode()).hexdigest(), places))
    parts = np.zeros(len(photos.labels), np.int64)
    seen: dict[str, int] = {}
    for label, _, places in sorted(hashed):
        parts[places] = seen.setdefault(label, 0) % _PARTS
        seen[label] += 1
    return parts
