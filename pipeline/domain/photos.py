"""Reading a person's photographs, whatever camera or program wrote them, as plain 8-bit RGB."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.domain.images import RGB, Mask
from pipeline.errors import UnreadableImage

MAX_PIXELS = 100_000_000  # more is taken for a decompression bomb; checked in the header, before decoding
_DEEP_MODES = {"I", "I;16", "I;16L", "I;16B", "F"}
_OPAQUE = 255


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph as it was read."""

    rgb: RGB  # (H, W, 3)
    alpha: Mask | None  # (H, W), where the file had one that is not opaque everywhere
    name: str


def load_photo(data: bytes, name: str, *, max_side_px: int = 2048, min_side_px: int = 32) -> Photo:
    """Decode a picture of any common kind; turn it upright; bring it to 8-bit RGB and, at most, `max_side_px`.

    Greyscale, 16-bit, CMYK, palette and transparent pictures are converted; of an animation the first frame counts.

    Args:
        data: the bytes of the file.
        name: how the person knows it, for messages.

    Raises:
        UnreadableImage: broken or cut short, smaller than `min_side_px`, or over 100 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(BytesIO(data))
        width, height = picture.size
        _check_size(name, width, height, min_side_px)
        with picture:
            picture.load()
            rgb, alpha = _converted(ImageOps.exif_transpose(picture))
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        bomb = isinstance(error, Image.DecompressionBombError)
        reason = "it holds more than 100 megapixels; make it smaller first" if bomb else "it is no picture"
        raise UnreadableImage(name, reason if data else "the file is empty") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise UnreadableImage(name, f"it is broken or cut short ({error})") from None
    if alpha is not None and (alpha == _OPAQUE).all():
        alpha = None
    return Photo(_bounded(rgb, max_side_px), None if alpha is None else _bounded(alpha, max_side_px), name)


def _check_size(name: str, width: int, height: int, min_side_px: int) -> None:
    if width * height > MAX_PIXELS:
        megapixels = width * height / 1e6
        raise UnreadableImage(
            name, f"it holds {megapixels:.0f} megapixels; at most 100 are read, make it smaller"
        )
    if min(width, height) < min_side_px:
        raise UnreadableImage(
            name, f"it is {width}x{height} px; at least {min_side_px} on each side are needed"
        )


def _converted(picture: Image.Image) -> tuple[RGB, Mask | None]:
    if picture.mode in _DEEP_MODES:
        grey = _eight_bit(np.asarray(picture, np.float64))
        return np.repeat(grey[..., None], 3, axis=2), None
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    if transparent:
        pixels = np.array(picture.convert("RGBA"))
        return np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3])
    return np.array(picture.convert("RGB")), None


def _eight_bit(values: np.ndarray) -> np.ndarray:
    """16-bit values by their high byte; floats in 0 to 1 by 255; what is 8-bit already as it is."""
    high = float(values.max(initial=0.0))
    if high <= 1.0 and not np.array_equal(values, values.round()):
        values = values * 255
    elif high > 255:
        values = values / 257
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _bounded(pixels: np.ndarray, max_side_px: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    share = max_side_px / max(height, width)
    if share >= 1:
        return pixels
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
