"""Object masks that come with a photo, in whatever way a tool wrote them.

Soft or hard white on black, class numbers (0 = background, 1 = object), palettes, colours, black on white, an alpha
channel: all become 255 = object, 0 = background, between = blend.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.photo_decoding import bounded, fitting_size, load_labels

COVERS_ALL = "The given mask covers the whole image"
INVERTED = "The given mask marked what is around the object and was inverted"
_OPAQUE, _INSIDE = 255, 127
_WHITE_FROM = 250  # a mask whose highest value is lower holds numbers, or is too dark
_MOST_NUMBERS = 32  # distinct values of a mask of class numbers
_NUMBERS_BELOW = 64  # class numbers beside 255 = "ignore"
_MOST_COLOURS = 16  # distinct colours of a mask of class colours
_VOID_COLOUR = (224, 224, 192)  # Pascal VOC: the unsure rim round an object
_LOSSY_LEVELS = 24  # by how much JPEG and WebP change a flat colour
_STATISTICS_PX = 500_000  # pixels that colours are counted on
_LEAST_HIDDEN = 0.01  # share of the image: an alpha that hides less is no mask
_CORNERS_HIDDEN = 0.10  # … or hides less and leaves most of the border visible, as rounded corners do
_CORNERS_BORDER = 0.6
_WHOLE = 0.98

Bools = NDArray[np.bool_]  # (H, W)


@dataclass(frozen=True, slots=True)
class GivenMask:
    """A mask that came with a photo."""

    alpha: Mask  # (H, W)
    doubt: str = ""  # why a person should check it


def load_given_mask(data: bytes, name: str, *, max_side_px: int = 2048) -> GivenMask:
    """Decode the mask file of a photo.

    Args:
        data: the bytes of the file.
        name: how the person knows it, for messages.

    Raises:
        UnreadableImage: as for `load_photo`.
    """
    rgb, alpha = load_labels(data, name)
    if alpha is None or not _hides_something(alpha):
        alpha = _object_in(rgb, lossy=_is_lossy(data))
    return _checked(bounded(alpha, fitting_size(alpha.shape[::-1], max_side_px)))


def mask_of_alpha(alpha: Mask | None) -> GivenMask | None:
    """Take the alpha of a photo's own file as its mask; None where it hides nothing but corners."""
    return _checked(alpha) if alpha is not None and _hides_something(alpha) else None


def _hides_something(alpha: Mask) -> bool:
    hidden = float((alpha <= _INSIDE).mean())
    only_corners = hidden < _CORNERS_HIDDEN and _border_share(alpha > _INSIDE) > _CORNERS_BORDER
    return hidden >= _LEAST_HIDDEN and not only_corners


def _checked(alpha: Mask) -> GivenMask:
    """Invert a mask that holds the whole border and leaves out something inside; name what is doubtful."""
    inside = alpha > _INSIDE
    if inside.mean() > _WHOLE:
        return GivenMask(alpha, COVERS_ALL)
    if _border_share(inside) > _WHOLE:
        return GivenMask(_OPAQUE - alpha, INVERTED)
    return GivenMask(alpha)


def _object_in(rgb: RGB, *, lossy: bool) -> Mask:
    """Return what a mask image marks as the object; (H, W) uint8."""
    tolerance = _LOSSY_LEVELS if lossy else 0
    spread = cv2.absdiff(rgb.max(axis=2), rgb.min(axis=2))
    if (spread <= tolerance).all():
        return _of_grey(np.ascontiguousarray(rgb[..., 1 if lossy else 0]), lossy=lossy)
    return _of_colours(rgb, tolerance)


def _of_grey(grey: Mask, *, lossy: bool) -> Mask:
    counts = np.bincount(grey.ravel(), minlength=256)
    levels = np.flatnonzero(counts)
    highest = int(levels[-1])
    numbers = levels[(levels > 0) & (levels < _NUMBERS_BELOW)]
    if lossy:
        return _stretched(grey, _LOSSY_LEVELS, max(highest - _LOSSY_LEVELS, _LOSSY_LEVELS + 1))
    has_void = highest == _OPAQUE and levels.size == numbers.size + 1 + (levels[0] == 0)
    if has_void and counts[numbers].sum() > counts[_OPAQUE]:
        return _hard((grey != _background_of(grey)) & (grey != _OPAQUE))
    if highest >= _WHITE_FROM:
        return grey
    if levels.size <= _MOST_NUMBERS:
        return _hard(grey != _background_of(grey))
    return _stretched(grey, 0, highest)


def _background_of(grey: Mask) -> int:
    """Return the value of the background: 0, or in a mask without it the most frequent one along the border."""
    return 0 if (grey == 0).any() else int(np.bincount(_border(grey)).argmax())


def _of_colours(rgb: RGB, tolerance: int) -> Mask:
    sample = rgb.reshape(-1, 3)[:: max(1, rgb.shape[0] * rgb.shape[1] // _STATISTICS_PX)]
    colours, counts = np.unique(sample, axis=0, return_counts=True)
    background = _background_colour(rgb)
    away = np.abs(rgb.astype(np.int16) - background).max(axis=2)
    if len(colours) > _MOST_COLOURS:
        farness = np.abs(colours.astype(np.int16) - background).max(axis=1)
        far = farness > farness.max() / 2
        colour = colours[far][counts[far].argmax()].astype(np.float32)
        if _is_one_ramp(colours, counts, background, colour):
            return _ramp(rgb, background, colour)
    void = (rgb == np.array(_VOID_COLOUR, np.uint8)).all(axis=2)
    marked = (away > tolerance) & ~void
    return _hard(marked if marked.any() else away > tolerance)


def _background_colour(rgb: RGB) -> NDArray[np.int16]:
    """Return black where the border holds it, else the most frequent colour of the border; (3,)."""
    colours, counts = np.unique(_border(rgb), axis=0, return_counts=True)
    dark = colours.max(axis=1) < _LOSSY_LEVELS
    if counts[dark].sum() > 0.05 * counts.sum():
        return np.zeros(3, np.int16)
    return np.asarray(colours[counts.argmax()], np.int16)


def _is_one_ramp(
    colours: NDArray[np.uint8],
    counts: NDArray[np.int64],
    background: NDArray[np.int16],
    colour: NDArray[np.float32],
) -> bool:
    """Whether nearly all colours lie between the background's and one other: a soft mask in a colour."""
    offsets = colours.astype(np.float32) - background
    direction = colour - background
    shares = offsets @ direction / (direction @ direction)
    residual = np.abs(offsets - shares[:, None] * direction).max(axis=1)
    return bool(counts[residual <= 2 * _LOSSY_LEVELS].sum() >= 0.97 * counts.sum())


def _ramp(rgb: RGB, background: NDArray[np.int16], colour: NDArray[np.float32]) -> Mask:
    direction = colour - background
    shares = (rgb.astype(np.float32) - background) @ (direction / (direction @ direction))
    return np.asarray(np.rint(np.clip(shares, 0, 1) * _OPAQUE), np.uint8)


def _stretched(grey: Mask, black: int, white: int) -> Mask:
    values = (grey.astype(np.float32) - black) * (_OPAQUE / (white - black))
    return np.asarray(np.rint(np.clip(values, 0, _OPAQUE)), np.uint8)


def _hard(inside: Bools) -> Mask:
    return np.where(inside, _OPAQUE, 0).astype(np.uint8)


def _border(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the pixels along the border, one after the other."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _border_share(inside: Bools) -> float:
    return float(_border(inside).mean())


def _is_lossy(data: bytes) -> bool:
    return data[:2] == b"\xff\xd8" or (data[8:12] == b"WEBP" and data[12:16] == b"VP8 ")
