"""Context manipulation: is the photographed object kept, and does the background vary at one and the same prompt?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB
from pipeline.domain.methods import METHODS, Method
from pipeline.domain.photo_decoding import load_rgb
from pipeline.domain.warping import Box
from pipeline.embedding import WeightsUnusable, checked_weights, normalised, shrunk
from pipeline.errors import UnreadableImage
from training.data.decoding import squared
from training.data.rows import Row
from training.data.sources import rows_of
from training.fit.features import FeatureCache, View
from training.similarity.draws import bootstrap_band
from training.similarity.result import Band
from training.similarity.variety import mean_cosine

SIDE_PX = 160  # of the squares that are compared
_MARGIN = 1.1  # a crop is this much larger than the object
_OBJECTS_PER_CLASS = 40  # samples of a method whose objects are compared
_MOST_IMAGES = 1000  # samples of a method among which prompts are looked for
_LEAST = 10  # objects, or prompts: fewer tell nothing
_FULL_SIZE = 1_000_000  # px: an image is decoded at its full size, which its box refers to


class ContextGroup(TypedDict):
    """What one method does with object and background; None where too few images tell it."""

    method: str
    title: str
    object_kept: Band | None  # cosine similarity of the object to that of its source photo
    objects: int
    same_prompt: Band | None  # mean cosine similarity of images of one class and prompt, mean over prompts
    prompts: int  # with two images or more


class ContextFindings(TypedDict):
    """Objects and backgrounds by method."""

    sentence: str
    methods: list[ContextGroup]
    other_photo: Band | None  # objects of two photos of one class: what a similarity means that is no higher


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """A synthetic image, decoded as far as it is compared."""

    method: str
    label: str
    prompt: str
    source: str
    whole: NDArray[np.uint8]  # (SIDE_PX, SIDE_PX, 3)
    crop: (
        NDArray[np.uint8] | None
    )  # likewise, of the object; the whole image where it shows no photographed one


@dataclass(frozen=True, slots=True)
class _Objects:
    """The objects of photos: name → row of length 1, and name → class."""

    units: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, str]


def context_findings(dataset: str, cache: FeatureCache) -> ContextFindings | None:
    """Measure objects and backgrounds of the training images of a release.

    The object of a sample is the square around its box, compared with the square around the object of its source photo.
    `text_to_image` shows no photographed object: there the whole image is compared.

    Args:
        dataset: as for `rows_of`.

    Returns:
        None where the weights of the embedding are not installed, or the data set has no samples that tell anything.
    """
    try:
        checked_weights()
    except WeightsUnusable:
        return None
    samples = list(_samples(rows_of(dataset, "synthetic", "train").rows))
    sources = {sample.source for sample in samples if sample.crop is not None}
    photos = _photo_objects(rows_of(dataset, "real", "train").rows, sources, cache)
    methods = [method for method in Method if any(sample.method == method for sample in samples)]
    groups = [
        _context_group(method, [sample for sample in samples if sample.method == method], photos, cache)
        for method in methods
    ]
    if not any(group["object_kept"] or group["same_prompt"] for group in groups):
        return None
    other_photo = _other_photo(photos)
    return {
        "sentence": context_sentence(groups, other_photo),
        "methods": groups,
        "other_photo": other_photo,
    }


def context_sentence(groups: Sequence[ContextGroup], other_photo: Band | None) -> str:
    """Say which methods keep the photographed object: more alike than another photo of its class is; with numbers."""
    measured = {group["title"]: kept for group in groups if (kept := group["object_kept"]) is not None}
    if not measured or other_photo is None:
        return "Whether the photographed object is kept is not known: too few samples name a photo of the release."
    numbers = {title: f"{title} ({kept['mean']:.2f})" for title, kept in measured.items()}
    kept_by = [numbers[title] for title, kept in measured.items() if kept["low"] > other_photo["high"]]
    lost_by = [numbers[title] for title in measured if numbers[title] not in kept_by]
    parts = [
        f"The photographed object is kept by {' and '.join(kept_by)}" if kept_by else "",
        f"{'but' if kept_by else 'The photographed object is'} not kept by {' and '.join(lost_by)}"
        if lost_by
        else "",
    ]
    return (
        f"{', '.join(filter(None, parts))}: similarity to the source photo, where two photos of one class reach "
        f"{other_photo['mean']:.2f}."
    )


def object_square(rgb: RGB, box: Box | None) -> RGB:
    """Cut out the square around a box, or the centred square of an image without one, at `SIDE_PX`.

    Args:
        rgb: (H, W, 3) uint8.
        box: in pixels of the image.
    """
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = box or (0, 0, width, height)
    side = min(height, width, round(_MARGIN * max(x1 - x0, y1 - y0)))
    left = min(max(0, (x0 + x1 - side) // 2), width - side)
    top = min(max(0, (y0 + y1 - side) // 2), height - side)
    return shrunk(rgb[top : top + side, left : left + side], SIDE_PX)


def _samples(rows: Iterable[Row]) -> Iterator[_Sample]:
    """Decode the first images of each method; unreadable ones are passed over."""
    images: dict[str, int] = {}
    objects: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.method not in set(Method) or images.get(row.method, 0) >= _MOST_IMAGES:
            continue
        kind = (row.method, row.label)
        with_object = bool(row.source) and objects.get(kind, 0) < _OBJECTS_PER_CLASS
        try:
            whole = squared(row.data, SIDE_PX)
            crop = (
                object_square(load_rgb(row.data, row.name, enough_px=_FULL_SIZE), row.box)
                if with_object
                else None
            )
        except UnreadableImage:
            continue
        images[row.method] = images.get(row.method, 0) + 1
        objects[kind] = objects.get(kind, 0) + with_object
        yield _Sample(
            method=row.method, label=row.label, prompt=row.prompt, source=row.source, whole=whole, crop=crop
        )  # fmt: skip


def _photo_objects(rows: Iterable[Row], names: set[str], cache: FeatureCache) -> _Objects:
    """The objects of those photos that samples were made of."""
    crops: dict[str, NDArray[np.uint8]] = {}
    labels: dict[str, str] = {}
    for row in rows:
        if row.name not in names:
            continue
        try:
            crops[row.name] = object_square(load_rgb(row.data, row.name, enough_px=_FULL_SIZE), row.box)
        except UnreadableImage:
            continue
        labels[row.name] = row.label
    return _Objects(dict(zip(crops, _units(list(crops.values()), cache), strict=True)), labels)


def _units(squares: Sequence[NDArray[np.uint8]], cache: FeatureCache) -> NDArray[np.float32]:
    """The features of squares, (N, 1280), each of length 1."""
    images = np.stack(squares) if squares else np.zeros((0, SIDE_PX, SIDE_PX, 3), np.uint8)
    return normalised(cache.features(images, View.PLAIN)[:, 0])


def _context_group(
    method: Method, samples: Sequence[_Sample], photos: _Objects, cache: FeatureCache
) -> ContextGroup:
    kept = _kept_similarities(samples, photos, cache)
    varied = _prompt_similarities(samples, cache)
    return {
        "method": str(method),
        "title": METHODS[method].title,
        "object_kept": bootstrap_band(kept) if len(kept) >= _LEAST else None,
        "objects": len(kept),
        "same_prompt": bootstrap_band(varied) if len(varied) >= _LEAST else None,
        "prompts": len(varied),
    }


def _kept_similarities(
    samples: Sequence[_Sample], photos: _Objects, cache: FeatureCache
) -> NDArray[np.float64]:
    """(N,) cosine similarities of the objects of samples to those of their photos."""
    pairs = [
        (sample.crop, photos.units[sample.source])
        for sample in samples
        if sample.crop is not None and sample.source in photos.units
    ]
    if not pairs:
        return np.zeros(0)
    crops, sources = zip(*pairs, strict=True)
    return np.asarray((_units(crops, cache) * np.stack(sources)).sum(axis=1), np.float64)


def _prompt_similarities(samples: Sequence[_Sample], cache: FeatureCache) -> NDArray[np.float64]:
    """(P,) mean cosine similarities of the images of each class and prompt that has several."""
    by_prompt: dict[tuple[str, str], list[NDArray[np.uint8]]] = {}
    for sample in samples:
        if sample.prompt:
            by_prompt.setdefault((sample.label, sample.prompt), []).append(sample.whole)
    repeated = [images for images in by_prompt.values() if len(images) > 1]
    return np.array([mean_cosine(_units(images, cache)) for images in repeated])


def _other_photo(photos: _Objects) -> Band | None:
    """The similarity of objects of two photos of one class: of each photo to the next of its class."""
    by_label: dict[str, list[NDArray[np.float32]]] = {}
    for name, units in photos.units.items():
        by_label.setdefault(photos.labels[name], []).append(units)
    similarities = [
        float(units @ others[place - 1])
        for others in by_label.values()
        if len(others) > 1
        for place, units in enumerate(others)
    ]
    return bootstrap_band(np.array(similarities)) if len(similarities) >= _LEAST else None
