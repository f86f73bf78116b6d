"""Context manipulation: is the photographed object kept, and does the background vary at one and the same prompt?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.methods import METHODS, Method
from pipeline.domain.photo_decoding import load_rgb
from pipeline.domain.release import Matrix
from pipeline.domain.variety import mean_cosine
from pipeline.domain.warping import Box
from pipeline.embedding import WeightsUnusable, checked_weights, normalised, shrunk
from pipeline.errors import UnreadableImage
from training.data.decoding import squared
from training.data.rows import Row
from training.data.sources import rows_of
from training.fit.features import FeatureCache, View
from training.similarity.draws import bootstrap_band
from training.similarity.result import Band

SIDE_PX = 160  # of the squares that are compared
_GREY = 128
_OBJECT = 128  # values of a mask from which a pixel is of the object
_OBJECTS_PER_CLASS = 40  # photos, and samples of a method, whose objects are compared
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
class _Photo:
    """A photo whose object is compared."""

    label: str
    box: Box
    mask: Mask  # (H, W) uint8, 255 = object
    square: NDArray[np.uint8]  # (SIDE_PX, SIDE_PX, 3), see `masked_square`


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """A synthetic image, decoded as far as it is compared."""

    method: str
    label: str
    prompt: str
    source: str
    whole: NDArray[np.uint8]  # (SIDE_PX, SIDE_PX, 3)
    square: (
        NDArray[np.uint8] | None
    )  # likewise, of the object as its photo shows it; None: it is not compared


def context_findings(dataset: str, cache: FeatureCache) -> ContextFindings | None:
    """Measure objects and backgrounds of the training images of a release.

    The object of a sample is brought back to the position, scale and perspective of its photo, and compared with the
    object there, both on grey. `text_to_image` shows no photographed object: there the whole image is compared.

    Args:
        dataset: as for `rows_of`.

    Returns:
        None where the weights of the embedding are not installed, or the data set has no samples that tell anything.
    """
    try:
        checked_weights()
    except WeightsUnusable:
        return None
    photos = _photos(rows_of(dataset, "real", "train").rows)
    samples = list(_samples(rows_of(dataset, "synthetic", "train").rows, photos))
    units = dict(zip(photos, _units([photo.square for photo in photos.values()], cache), strict=True))
    methods = [method for method in Method if any(sample.method == method for sample in samples)]
    groups = [
        _context_group(method, [sample for sample in samples if sample.method == method], units, cache)
        for method in methods
    ]
    if not any(group["object_kept"] or group["same_prompt"] for group in groups):
        return None
    other_photo = _other_photo(photos, units)
    return {
        "sentence": context_sentence(groups, other_photo),
        "methods": groups,
        "other_photo": other_photo,
    }


def context_sentence(groups: Sequence[ContextGroup], other_photo: Band | None) -> str:
    """Say which methods keep the photographed object, with numbers.

    It is kept where it is more like its photo than another photo of its class is, lost where it is less. Between the
    two the measure does not tell: of small objects of a class that all look alike, the resolution decides.
    """
    measured = {group["title"]: kept for group in groups if (kept := group["object_kept"]) is not None}
    if not measured or other_photo is None:
        return "Whether the photographed object is kept is not known: too few samples name a photo of the release."
    numbers = {title: f"{title} ({kept['mean']:.2f})" for title, kept in measured.items()}
    kept_by = [numbers[title] for title, kept in measured.items() if kept["low"] > other_photo["high"]]
    lost_by = [numbers[title] for title, kept in measured.items() if kept["high"] < other_photo["low"]]
    unclear = [number for number in numbers.values() if number not in (*kept_by, *lost_by)]
    parts = [
        f"The photographed object is kept by {listed(kept_by)}" if kept_by else "",
        f"not kept by {listed(lost_by)}" if lost_by else "",
        f"not told from another object of its class with {listed(unclear)}" if unclear else "",
    ]
    sentence = ", but ".join(filter(None, parts))
    begun = sentence if kept_by else f"The photographed object is {sentence}"
    return (
        f"{begun}: similarity to the source photo, where two photos of one class reach "
        f"{other_photo['mean']:.2f}."
    )


def listed(names: Sequence[str]) -> str:
    """Join names by commas and an "and"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def returned(rgb: RGB, homography: Matrix, size: tuple[int, int]) -> RGB:
    """Bring the object of a sample back to where its photo shows it.

    Args:
        rgb: (H, W, 3) uint8, the sample.
        homography: photo pixels → image pixels.
        size: (height, width) of the photo.

    Returns:
        (height, width, 3) uint8, grey where the sample ends.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix, width_height = np.array(homography), (size[1], size[0])
    back = cv2.warpPerspective(rgb, matrix, width_height, flags=flags, borderValue=(_GREY,) * 3)
    return np.asarray(back, np.uint8)


def masked_square(rgb: RGB, mask: Mask, box: Box) -> RGB:
    """Cut out the square around an object, on grey, at `SIDE_PX`.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) uint8, 255 = object.
        box: around the object, in pixels.
    """
    height, width = mask.shape
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0)
    on_grey = np.where(mask[..., None] >= _OBJECT, rgb, np.uint8(_GREY))
    padded = np.full((height + 2 * side, width + 2 * side, 3), _GREY, np.uint8)
    padded[side : side + height, side : side + width] = on_grey
    left, top = (x0 + x1 - side) // 2 + side, (y0 + y1 - side) // 2 + side
    return shrunk(padded[top : top + side, left : left + side], SIDE_PX)


def _photos(rows: Iterable[Row]) -> dict[str, _Photo]:
    """Name → photo, of the first photos of each class that have a box and a mask."""
    photos: dict[str, _Photo] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        if row.box is None or not row.mask or counts[row.label] >= _OBJECTS_PER_CLASS:
            continue
        try:
            rgb, mask = _decoded(row.data, row.name), _decoded(row.mask, row.name)[..., 0]
        except UnreadableImage:
            continue
        if rgb.shape[:2] == mask.shape:
            counts[row.label] += 1
            square = masked_square(rgb, mask, row.box)
            photos[row.name] = _Photo(label=row.label, box=row.box, mask=mask, square=square)
    return photos


def _samples(rows: Iterable[Row], photos: Mapping[str, _Photo]) -> Iterator[_Sample]:
    """Decode the first images of each method; unreadable ones are passed over."""
    images: Counter[str] = Counter()
    objects: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.method not in set(Method) or images[row.method] >= _MOST_IMAGES:
            continue
        compared = row.source in photos and objects[row.method, row.label] < _OBJECTS_PER_CLASS
        try:
            whole = squared(row.data, SIDE_PX)
            square = _object_of_sample(row, photos[row.source]) if compared else None
        except UnreadableImage:
            continue
        images[row.method] += 1
        objects[row.method, row.label] += square is not None
        yield _Sample(
            method=row.method, label=row.label, prompt=row.prompt, source=row.source, whole=whole, square=square
        )  # fmt: skip


def _object_of_sample(row: Row, photo: _Photo) -> RGB | None:
    """The object of a sample as its photo shows it; the whole image where no photographed object is in it."""
    if not METHODS[Method(row.method)].places_object:
        return squared(row.data, SIDE_PX)
    if row.homography is None:
        return None
    back = returned(_decoded(row.data, row.name), row.homography, photo.mask.shape)
    return masked_square(back, photo.mask, photo.box)


def _decoded(data: bytes, name: str) -> RGB:
    return load_rgb(data, name, enough_px=_FULL_SIZE)


def _units(squares: Sequence[NDArray[np.uint8]], cache: FeatureCache) -> NDArray[np.float32]:
    """The features of squares, (N, 1280), each of length 1."""
    images = np.stack(squares) if squares else np.zeros((0, SIDE_PX, SIDE_PX, 3), np.uint8)
    return normalised(cache.features(images, View.PLAIN)[:, 0])


def _context_group(
    method: Method, samples: Sequence[_Sample], photos: Mapping[str, NDArray[np.float32]], cache: FeatureCache
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
    samples: Sequence[_Sample], photos: Mapping[str, NDArray[np.float32]], cache: FeatureCache
) -> NDArray[np.float64]:
    """(N,) cosine similarities of the objects of samples to those of their photos."""
    pairs = [(sample.square, photos[sample.source]) for sample in samples if sample.square is not None]
    if not pairs:
        return np.zeros(0)
    squares, sources = zip(*pairs, strict=True)
    return np.asarray((_units(squares, cache) * np.stack(sources)).sum(axis=1), np.float64)


def _prompt_similarities(samples: Sequence[_Sample], cache: FeatureCache) -> NDArray[np.float64]:
    """(P,) mean cosine similarities of the images of each class and prompt that has several."""
    by_prompt: dict[tuple[str, str], list[NDArray[np.uint8]]] = {}
    for sample in samples:
        if sample.prompt:
            by_prompt.setdefault((sample.label, sample.prompt), []).append(sample.whole)
    repeated = [images for images in by_prompt.values() if len(images) > 1]
    return np.array([mean_cosine(_units(images, cache)) for images in repeated])


def _other_photo(photos: Mapping[str, _Photo], units: Mapping[str, NDArray[np.float32]]) -> Band | None:
    """The similarity of objects of two photos of one class: of each photo to the one before it in its class."""
    by_label: dict[str, list[NDArray[np.float32]]] = {}
    for name, photo in photos.items():
        by_label.setdefault(photo.label, []).append(units[name])
    similarities = [
        float(row @ others[place - 1])
        for others in by_label.values()
        if len(others) > 1
        for place, row in enumerate(others)
    ]
    return bootstrap_band(np.array(similarities)) if len(similarities) >= _LEAST else None
