"""Colours as a screen shows them: an embedded ICC profile is applied, not ignored."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_PROFILED = ("L", "RGB", "CMYK")  # modes that a profile can describe
_RGB_LIKE = ("RGB", "RGBA", "RGBX", "P", "PA")
_SAME_LEVELS = 3  # a profile that changes no colour by more is sRGB, written by another program
_STEPS = 6  # colours a channel on which that is tried


def srgb_transform(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from an image's embedded profile to sRGB.

    Returns:
        A transform for images of mode "L", "RGB" or "CMYK"; None where the file has no profile, a broken one, one of
        another colour space, or sRGB, so that its pixels stay exactly as they are.
    """
    data = image.info.get("icc_profile")
    mode = profiled_mode(image.mode)
    if not data or mode is None:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(data))
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    return None if mode != "CMYK" and _changes_nothing(transform, mode) else transform


def profiled_mode(mode: str) -> str | None:
    """Return the mode to which an image is brought before its profile is applied; None where none can be."""
    if mode in _RGB_LIKE:
        return "RGB"
    if mode == "LA":
        return "L"
    return mode if mode in _PROFILED else None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    levels = np.linspace(0, 255, _STEPS).astype(np.uint8)
    if mode == "L":
        probe = np.arange(256, dtype=np.uint8)[None, :]
        seen = np.repeat(probe[..., None], 3, axis=2)
    else:
        probe = seen = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(probe), transform), np.int16)
    return bool(np.abs(shown - seen).max() <= _SAME_LEVELS)
