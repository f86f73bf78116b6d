"""Images as arrays: types, content hashes, lossless encoding, fitting to a size."""

from __future__ import annotations

import hashlib
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

RGB = NDArray[np.uint8]  # (H, W, 3)
RGBA = NDArray[np.uint8]  # (H, W, 4), straight (not premultiplied) alpha
Mask = NDArray[np.uint8]  # (H, W); 255 = object, 0 = background, between = blend
Pixels = NDArray[np.uint8]  # any of the three

FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "BMP",
    "TIFF",
    "GIF",
)  # the only formats that are read, whatever Pillow knows

_HASH_DIGITS = 20
_CHANNELS = {1: b"backlot:channels=1", 4: b"backlot:channels=4"}


def pixel_hash(pixels: Pixels) -> str:
    """Return the content id of an image: the first 20 hexadecimal digits of SHA-256 over its shape and bytes.

    Args:
        pixels: uint8 of any shape.
    """
    assert pixels.dtype == np.uint8
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()[:_HASH_DIGITS]


def grey(rgb: RGB) -> NDArray[np.float32]:
    """Return the brightness of an image (H, W, 3), in grey levels; (H, W)."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.float32)


def encode_webp(pixels: Pixels, *, xmp: bytes = b"") -> bytes:
    """Encode an image as lossless WebP; `decode` returns the same array, colours under alpha 0 included.

    WebP has no grey images and drops an alpha that is 255 everywhere, so the number of channels is noted in the file.

    Args:
        xmp: provenance for (H, W, 3) images, see `provenance.packet`; ignored for others.
    """
    note = _CHANNELS.get(1 if pixels.ndim == 2 else pixels.shape[2], xmp)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    file = BytesIO()
    image.save(file, "WEBP", lossless=True, method=0, quality=0, exact=True, xmp=note)
    return file.getvalue()


def decode(data: bytes) -> Pixels:
    """Decode an image: uint8 (H, W, 3), (H, W, 4), or (H, W) where it is grey.

    Raises:
        OSError: the bytes are not a readable image, or truncated.
    """
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        note = image.info.get("xmp", b"")
        if note == _CHANNELS[1]:
            return np.asarray(image.convert("RGB"))[..., 0].copy()
        with_alpha = "A" in image.getbands() or note == _CHANNELS[4]
        return np.asarray(image.convert("RGBA" if with_alpha else "RGB"))


def thumbnail(rgb: RGB, side_px: int = 256) -> RGB:
    """Shrink an image (H, W, 3) with an area filter to a longest side of at most `side_px`; it is never enlarged."""
    height, width = rgb.shape[:2]
    share = side_px / max(height, width)
    if share >= 1:
        return rgb
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def fitted(rgb: RGB, size: tuple[int, int]) -> RGB:
    """Crop an image (H, W, 3) at its centre to the aspect of `size` (height, width) and resize it to that."""
    height, width = rgb.shape[:2]
    share = min(height / size[0], width / size[1])
    crop_h, crop_w = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    top, left = (height - crop_h) // 2, (width - crop_w) // 2
    crop = rgb[top : top + crop_h, left : left + crop_w]
    if crop.shape[:2] == size:
        return crop
    method = cv2.INTER_AREA if share > 1 else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(crop, (size[1], size[0]), interpolation=method), np.uint8)
