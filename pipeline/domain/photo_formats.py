"""Which files count as photos: their endings, the formats that are decoded, and what a file says of itself."""

from __future__ import annotations

from functools import cache
from pathlib import PurePath

from PIL import Image

from pipeline.domain.images import FORMATS

IMAGE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
        *(".avif", ".heic", ".heif", ".hif"),
    }
)
READABLE = "JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF, HEIC"
_PHONE_FORMATS = ("AVIF", "HEIF")
_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIC",
    b"hevc": "HEIC",
}


def is_image_name(path: PurePath) -> bool:
    """Whether the ending of a file name is that of an image."""
    return path.suffix.lower() in IMAGE_SUFFIXES


@cache
def photo_formats() -> tuple[str, ...]:
    """Return Pillow's names of the formats that a photo may have on this machine.

    HEIC needs the package pi-heif, AVIF a Pillow that was built with it.
    """
    try:
        from pi_heif import register_heif_opener
    except ImportError:
        pass
    else:
        register_heif_opener()
    Image.init()
    return (*FORMATS, *(name for name in _PHONE_FORMATS if name in Image.OPEN))


def phone_format(data: bytes) -> str:
    """Return "HEIC" or "AVIF" where a file says that it is one, whatever its name; "" for others."""
    return _BRANDS.get(data[8:12], "") if data[4:8] == b"ftyp" else ""
