"""A camera's own traces over a finished image."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from pipeline.domain.images import RGB
from pipeline.domain.look import CameraSpec


def photographed(image: RGB, camera: CameraSpec, *, seed: int) -> RGB:
    """Return an image (H, W, 3) as a camera would store it: blurred by the lens, with noise, compressed as JPEG.

    Args:
        seed: of the noise.
    """
    seen = image.astype(np.float32)
    if camera.blur_px:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), camera.blur_px), np.float32)
    if camera.noise:
        rng = np.random.default_rng([seed, 2])
        brightness, colour = rng.standard_normal((*image.shape[:2], 1)), rng.standard_normal(image.shape)
        seen = seen + camera.noise * (0.9 * brightness + 0.44 * colour).astype(np.float32)
    stored = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    return stored if camera.jpeg is None else _compressed(stored, camera.jpeg)


def _compressed(image: RGB, quality: int) -> RGB:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    with Image.open(file) as stored:
        return np.asarray(stored.convert("RGB"), np.uint8)
