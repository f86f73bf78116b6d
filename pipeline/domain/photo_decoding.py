"""Reading a person's photos, whatever camera or program wrote them, as plain 8-bit RGB."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from pipeline.domain.colour_profiles import profiled_mode, srgb_transform
from pipeline.domain.images import RGB, Mask
from pipeline.domain.photo_formats import READABLE, phone_format, photo_formats
from pipeline.errors import UnreadableImage

MAX_PIXELS = 100_000_000  # more is taken for a decompression bomb; checked in the header, before decoding
WHOLE_UP_TO_PX = 50_000_000  # larger images are decoded or averaged to a fraction of their size first
_STRIP_PX = 1_000_000  # pixels converted at a time
_OPAQUE = 255
_SIGNED = 2  # TIFF: samples are signed integers
_WHITE_IS_ZERO = 0  # TIFF: photometric interpretation
_ON_ITS_SIDE = range(5, 9)  # EXIF orientations that swap width and height
_DEEP = ("I", "F")  # first letters of Pillow's modes of more than 8 bits: I, I;16, I;16B … and F

# Pillow remarks on what it repairs and on sizes; sizes are checked here. Not `catch_warnings`: readers are threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A photo as it was read."""

    rgb: RGB  # (H, W, 3)
    alpha: Mask | None  # (H, W), where the file had one that is not opaque everywhere
    name: str


class _Scale(NamedTuple):
    """How the samples of a deep image become 8 bits: `white` becomes 255, or 0 becomes 255 where inverted."""

    white: float
    inverted: bool = False


def load_photo(data: bytes, name: str, *, max_side_px: int = 2048, min_side_px: int = 32) -> DecodedPhoto:
    """Decode an image file, turn it upright, and bring it to 8-bit RGB and at most `max_side_px`.

    Greyscale, 16-bit, CMYK, palette and transparent images are converted; of an animation the first frame counts.
    Colours are brought from the file's ICC profile to sRGB. An image of more than 8 bits is scaled by the depth of the
    file, never by its content, so that a dark one stays dark.

    Args:
        data: the bytes of the file.
        name: how the person knows it, for messages.

    Raises:
        UnreadableImage: none of the formats in `READABLE`; broken or cut short; of a depth without a white level;
            smaller than `min_side_px`; or over 100 megapixels.
    """
    with _opened(data, name, min_side_px) as image:
        rgb, alpha = _upright_pixels(image, name, max_side_px)
    return DecodedPhoto(rgb, alpha, name)


def load_rgb(data: bytes, name: str, *, enough_px: int) -> RGB:
    """Decode an image file as `load_photo` does, without its alpha.

    Args:
        data: the bytes of the file.
        name: how the person knows it, for messages.
        enough_px: a JPEG is decoded at a fraction of its size, as long as both sides stay at least this long.

    Raises:
        UnreadableImage: as for `load_photo`.
    """
    with _opened(data, name, min_side_px=1) as image:
        image.draft(None, (enough_px, enough_px))
        return _upright_pixels(image, name, max(image.size))[0]


def load_labels(data: bytes, name: str) -> tuple[RGB, Mask | None]:
    """Decode an image file whose values are labels, not light: at its full size, without a colour profile.

    A 16-bit file whose values all fit into 8 bits is read as it is, and so are the numbers of a palette whose colours
    do not tell them apart.

    Returns:
        (H, W, 3) uint8 and, where the file has an alpha that is not opaque everywhere, (H, W) uint8.

    Raises:
        UnreadableImage: as for `load_photo`.
    """
    with _opened(data, name, min_side_px=1) as image:
        return _upright_pixels(_numbered(image), name, max(image.size), labels=True)


def decoded_pixels(data: bytes, *, max_side_px: int = 2048) -> int:
    """The pixels that `load_photo` will hold in memory at once, told from the header; 0 for what it will refuse."""
    try:
        image = Image.open(BytesIO(data), formats=photo_formats())
        if image.width * image.height > MAX_PIXELS:
            return 0
        _reduction(image, fitting_size(image.size, max_side_px))
        return image.width * image.height
    except Exception:  # see `_opened`
        return 0


@contextmanager
def _opened(data: bytes, name: str, min_side_px: int) -> Iterator[Image.Image]:
    """An image file whose size is in bounds; what goes wrong while it is read is an `UnreadableImage`."""
    try:
        with Image.open(BytesIO(data), formats=photo_formats()) as image:
            _check_size(name, image.width, image.height, min_side_px)
            yield image
    except UnreadableImage:
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(name, _unidentified(data)) from None
    except Image.DecompressionBombError:
        raise UnreadableImage(name, "it holds more than 100 megapixels; make it smaller first") from None
    except MemoryError:
        raise UnreadableImage(name, "there is not enough memory for it; make it smaller first") from None
    except Exception as error:  # Pillow's readers raise some twenty types for damaged files
        reason = str(error) or type(error).__name__
        phone = phone_format(data)
        raise UnreadableImage(
            name, f"it is {f'a {phone} file that is ' if phone else ''}broken or cut short ({reason})"
        ) from error


def _unidentified(data: bytes) -> str:
    if not data:
        return "the file is empty"
    if phone := phone_format(data):
        return (
            f"it is a {phone} file that is broken, or this machine cannot read {phone}; "
            "install pi-heif, or save it as JPEG"
        )
    return f"not a readable image ({READABLE})"


def _numbered(image: Image.Image) -> Image.Image:
    """Return a palette image as the numbers in its palette, where several of them have one colour."""
    if image.mode != "P" or "transparency" in image.info:
        return image
    image.load()
    numbers = np.asarray(image)
    used = np.unique(numbers)
    palette = np.asarray(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    if used[-1] < len(palette) and len(np.unique(palette[used], axis=0)) == len(used):
        return image
    return Image.fromarray(numbers)


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


def fitting_size(size: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    """The largest (width, height) of an aspect whose sides are at most `max_side_px`; never larger than `size`."""
    share = min(1.0, max_side_px / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _reduction(image: Image.Image, size: tuple[int, int]) -> int:
    """By which whole number a very large image is to be reduced; a JPEG is set to decode at such a fraction itself.

    Up to `WHOLE_UP_TO_PX` nothing is reduced: the ids of photos are hashes of their pixels.
    """
    if image.width * image.height <= WHOLE_UP_TO_PX:
        return 1
    image.draft(None, size)
    return max(1, min(image.width // size[0], image.height // size[1]))


def _upright_pixels(
    image: Image.Image, name: str, max_side_px: int, *, labels: bool = False
) -> tuple[RGB, Mask | None]:
    """The pixels of an opened image, and its alpha where that hides anything; in strips, so that no copy is whole."""
    size = fitting_size(image.size, max_side_px)
    factor = _reduction(image, size)
    image.load()
    scale = _scale(image, name, labels) if image.mode[0] in _DEEP else None
    transparent = scale is None and ("A" in image.getbands() or "transparency" in image.info)
    transform = None if labels else srgb_transform(image)
    reduced = -(-image.height // factor), -(-image.width // factor)
    rgb = np.empty((*reduced, 3), np.uint8)
    alpha = np.empty(reduced, np.uint8) if transparent else None
    rows = max(1, _STRIP_PX // (image.width * factor)) * factor
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        if scale is not None:
            strip = _eight_bit(strip, scale, name)
        at = slice(top // factor, top // factor - (-strip.height // factor))
        if alpha is not None:
            alpha[at] = np.asarray(strip.convert("RGBA").getchannel("A").reduce(factor))
        rgb[at] = np.asarray(_coloured(strip, transform).reduce(factor))
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    upright_size = size[::-1] if orientation in _ON_ITS_SIDE else size
    rgb = bounded(_turned(rgb, orientation), upright_size)
    if alpha is None or bool((alpha == _OPAQUE).all()):
        return rgb, None
    return rgb, bounded(_turned(alpha, orientation), upright_size)


def _coloured(strip: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """Return a part of an image as RGB, in sRGB where the image has another profile."""
    if transform is None:
        return (strip.convert("RGBA") if "transparency" in strip.info else strip).convert("RGB")
    shown = ImageCms.applyTransform(strip.convert(profiled_mode(strip.mode)), transform)
    assert shown is not None
    return shown


def _scale(image: Image.Image, name: str, labels: bool) -> _Scale:
    if labels and image.mode != "F" and np.max(image.getextrema()) <= _OPAQUE:
        return _Scale(_OPAQUE)
    tags = getattr(image, "tag_v2", {})
    bits = int(tags.get(258, (16,))[0]) if image.mode != "F" else 0
    inverted = tags.get(262) == _WHITE_IS_ZERO
    if image.mode == "F":
        return _Scale(1.0, inverted)
    if image.mode == "I" and bits > 16:
        raise UnreadableImage(
            name, f"it has {bits}-bit integers, which have no agreed white level; save it with 8 or 16 bits"
        )
    signed = tags.get(339, (1,))[0] == _SIGNED
    return _Scale(2 ** (bits - signed) - 1, inverted)


def _eight_bit(strip: Image.Image, scale: _Scale, name: str) -> Image.Image:
    values = np.asarray(strip, np.float64)
    if strip.mode == "F" and not (values.min() >= 0 and values.max() <= 1):  # NaN fails, too
        raise UnreadableImage(
            name,
            f"its floating-point values reach from {values.min():g} to {values.max():g}, not from 0 to 1; "
            "save it with 8 or 16 bits",
        )
    if scale.inverted:
        values = scale.white - values
    return Image.fromarray(np.rint(np.clip(values / (scale.white / 255), 0, 255)).astype(np.uint8))


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as their EXIF orientation, 1 to 8, means them to be seen."""
    match orientation:
        case 2:
            turned = pixels[:, ::-1]
        case 3:
            turned = pixels[::-1, ::-1]
        case 4:
            turned = pixels[::-1]
        case 5:
            turned = pixels.swapaxes(0, 1)
        case 6:
            turned = np.rot90(pixels, -1)
        case 7:
            turned = pixels.swapaxes(0, 1)[::-1, ::-1]
        case 8:
            turned = np.rot90(pixels)
        case _:
            return pixels
    return np.ascontiguousarray(turned)


def bounded(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return pixels, (H, W) or (H, W, C) uint8, at a size (width, height), reduced with an area filter."""
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
