"""Measure the photos of a place one by one, then say what they have in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.domain.camera_measures import (
    PhotoLight,
    blur_deviation,
    grey_of,
    jpeg_quality,
    jpeg_side_px,
    noise_deviation,
    photo_light,
)
from pipeline.domain.field_light import FieldLight, coloured_shares
from pipeline.domain.images import RGB, fitted, pixel_hash, thumbnail
from pipeline.domain.recipe_learnt import FieldPlacement
from pipeline.domain.recipe_look import Camera
from pipeline.domain.recipe_placement import MOST_OBJECTS
from pipeline.segmentation import ObjectCount, emptied, field_objects

BACKGROUND_PX = 1024  # shorter side of a background, whose middle square fills an image
_SIDES_PX = (64, 128, 256, 512, 1024)  # of images at which the camera is measured
_SPAN = (0.1, 0.9)  # quantiles: a tenth of the photos may be unusual on either side
_LEAST_COUNTED, _LEAST_SHARE = 3, 0.6  # photos whose objects could be counted: number, share
_SCALES = (0.02, 4.0)
_UNSEEN_BLUR_PX, _UNSEEN_NOISE = 0.15, 0.3  # less than this is not worth a step of its own
_MOST_BLUR_PX, _MOST_NOISE, _LEAST_JPEG = 5.0, 50.0, 10
_VISIBLE_JPEG = (
    1.5  # a photo that is larger than the image by this shows no traces of its compression any more
)
_NO_NETWORK = "the network that finds objects is not installed"
_NAMED = 3

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPhoto:
    """What one photo tells."""

    name: str
    photo_id: str  # hash of its pixels
    light: PhotoLight
    camera: dict[
        int, tuple[float, float | None]
    ]  # side in px → noise, blur (None where it has too few edges)
    side_px: int  # its shorter side, before it was made smaller to be read
    quality: int | None  # of the JPEG file; None for other files
    objects: ObjectCount | None  # None without a network, or where the photos show none
    no_background: str = ""  # why it is none, as a clause


def measured_photo(
    name: str, rgb: RGB, data: bytes, *, has_objects: bool, network: Path | None
) -> tuple[MeasuredPhoto, RGB | None]:
    """Measure a photo (H, W, 3) uint8 and empty it of objects.

    Args:
        data: the bytes of its file.
        has_objects: otherwise it is a background as it is.
        network: see `object_probability`.

    Returns:
        What it tells, and the background, its shorter side at most 1024 px; None where it is none.
    """
    small = thumbnail(rgb, math.ceil(BACKGROUND_PX * max(rgb.shape[:2]) / min(rgb.shape[:2])))
    objects = field_objects(small, network) if has_objects else None
    background: RGB | None = small
    reason = ""
    if objects is not None:
        background, reason = emptied(small, objects, network)
    elif has_objects:
        background, reason = None, _NO_NETWORK
    measured = MeasuredPhoto(
        name=name,
        photo_id=pixel_hash(rgb),
        light=photo_light(small),
        camera=_camera_measures(rgb),
        side_px=jpeg_side_px(data) or min(rgb.shape[:2]),
        quality=jpeg_quality(data),
        objects=objects.count if objects else None,
        no_background=reason,
    )
    return measured, background


def _camera_measures(rgb: RGB) -> dict[int, tuple[float, float | None]]:
    """Measure noise and blur at several sizes.

    Noise never grows where an image is made smaller, while texture becomes as fine as noise; so what is measured at the
    larger sizes and in the photo itself is the most that counts.
    """
    measures: dict[int, tuple[float, float | None]] = {}
    most = noise_deviation(grey_of(rgb))
    for side in reversed([side for side in _SIDES_PX if side <= min(rgb.shape[:2])]):
        grey = grey_of(fitted(rgb, (side, side)))
        most = min(most, noise_deviation(grey))
        measures[side] = most, blur_deviation(grey)
    return measures


def placement_of(photos: Sequence[MeasuredPhoto]) -> tuple[FieldPlacement, list[str]]:
    """Return number, scale and overlap of objects, and sentences on what cannot be told."""
    seen = [photo.objects for photo in photos if photo.objects is not None]
    if not seen:
        return FieldPlacement(), [f"{_NO_NETWORK}, so number, scale and overlap of objects cannot be told"]
    counted = [objects for objects in seen if objects.lengths]
    if len(counted) < max(_LEAST_COUNTED, _LEAST_SHARE * len(seen)):
        doubts = Counter(objects.doubt or "no object is seen" for objects in seen if not objects.lengths)
        doubt, number = doubts.most_common(1)[0]
        return FieldPlacement(), [
            f"number, scale and overlap of objects cannot be told: in {number} of {len(seen)} photos "
            f"{_of_photo(doubt)}; give placement.objects and placement.scale in the recipe, or write them into the "
            "profile"
        ]
    numbers = _span([len(objects.lengths) for objects in counted])
    scale = _span([length for objects in counted for length in objects.lengths])
    several = [objects.overlap for objects in counted if len(objects.lengths) > 1]
    low, high = (min(max(round(number), 1), MOST_OBJECTS) for number in numbers)
    notes = []
    if len(counted) < len(seen):
        notes.append(
            f"objects were counted in {len(counted)} of {len(seen)} photos; objects that touch count as one"
        )
    placement = FieldPlacement(
        objects=(low, high),
        scale=(_within(scale[0], *_SCALES), _within(scale[1], *_SCALES)),
        overlap=round(float(np.quantile(several, _SPAN[1])), 2) if several else None,
    )
    return placement, notes


def covered_of(photos: Sequence[MeasuredPhoto]) -> Span | None:
    """Return which share of a photo objects cover; None where that is told of less than half of the photos."""
    shares = [
        photo.objects.covered for photo in photos if photo.objects and photo.objects.covered is not None
    ]
    return _span(shares) if shares and len(shares) >= len(photos) / 2 else None


def _of_photo(doubt: str) -> str:
    return doubt.replace("fill it", "fill the photo")


def light_of(photos: Sequence[MeasuredPhoto]) -> FieldLight:
    """Return light and colour: means over the photos, and how many of them show coloured light."""
    lights = [photo.light for photo in photos]
    brightness = [light.brightness for light in lights]
    warm, cold = coloured_shares([light.warmth for light in lights])
    return FieldLight(
        brightness=round(float(np.mean(brightness)), 1),
        spread=round(float(np.std(brightness)), 1),
        contrast=round(float(np.mean([light.contrast for light in lights])), 1),
        cast=(
            round(float(np.mean([light.a for light in lights])), 1),
            round(float(np.mean([light.b for light in lights])), 1),
        ),
        warm=round(warm, 2),
        cold=round(cold, 2),
    )


def cameras_of(photos: Sequence[MeasuredPhoto]) -> dict[int, Camera | None]:
    """Return what the camera does to images of several sizes, for sizes that half of the photos have at least."""
    sides = (side for side in _SIDES_PX if sum(side in photo.camera for photo in photos) >= len(photos) / 2)
    return {side: _camera_at(side, photos) for side in sides}


def _camera_at(side: int, photos: Sequence[MeasuredPhoto]) -> Camera | None:
    measured = [photo.camera[side] for photo in photos if side in photo.camera]
    noise = _span([noise for noise, _ in measured])
    blurs = [blur for _, blur in measured if blur is not None]
    blur = _span(blurs) if len(blurs) >= len(measured) / 2 else (0.0, 0.0)
    qualities = [
        photo.quality
        for photo in photos
        if photo.quality is not None and photo.side_px < _VISIBLE_JPEG * side and side in photo.camera
    ]
    jpeg = _span(qualities) if qualities and len(qualities) >= len(measured) / 2 else None
    values = {
        "blur": _capped(blur, _MOST_BLUR_PX) if blur[1] >= _UNSEEN_BLUR_PX else None,
        "noise": _capped(noise, _MOST_NOISE) if noise[1] >= _UNSEEN_NOISE else None,
        "jpeg": [max(round(quality), _LEAST_JPEG) for quality in jpeg] if jpeg else None,
    }
    return Camera.model_validate(values) if any(values.values()) else None


def background_notes(photos: Sequence[MeasuredPhoto]) -> list[str]:
    """Say which photos are no backgrounds, one sentence a reason."""
    by_reason: dict[str, list[str]] = {}
    for photo in photos:
        if photo.no_background:
            by_reason.setdefault(photo.no_background, []).append(photo.name)
    return [f"not used as background, since {reason}: {_named(names)}" for reason, names in by_reason.items()]


def _named(names: Sequence[str]) -> str:
    listed = ", ".join(names[:_NAMED])
    if len(names) > _NAMED:
        listed += f" and {len(names) - _NAMED} more"
    return listed


def _span(values: Iterable[float]) -> Span:
    low, high = np.quantile(list(values), _SPAN)
    return round(float(low), 2), round(float(high), 2)


def _capped(span: Span, most: float) -> Span:
    return min(span[0], most), min(span[1], most)


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
