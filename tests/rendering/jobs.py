"""Toy objects, specs and jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.domain.placement import Layer, Placement
from pipeline.domain.spec import ControlSpec, Method, ObjectSpec, SampleSpec
from pipeline.rendering import Job, control_image
from tests.rendering.tiny import SIDE, STEPS

SIZE = (SIDE, SIDE)


def noise(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def soft_square(size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W) alpha: an opaque square in the middle with a soft rim of 2 px."""
    height, width = size
    alpha = np.zeros(size, np.uint8)
    alpha[height // 4 : -height // 4, width // 4 : -width // 4] = 128
    alpha[height // 4 + 2 : -height // 4 - 2, width // 4 + 2 : -width // 4 - 2] = 255
    return alpha


def layer(seed: int = 7, size: tuple[int, int] = SIZE) -> Layer:
    """A square of noise on a transparent canvas."""
    return Layer(rgb=noise(seed, size), alpha=soft_square(size))


def spec(seed: int = 0, method: Method = Method.INPAINT, **given: Any) -> SampleSpec:
    """A spec for the tiny checkpoint."""
    defaults: dict[str, Any] = {
        "label": "bolt",
        "objects": (ObjectSpec(photo_id="photo", cutout_id="cut-out", placement=Placement()),),
        "prompt": "gravel floor",
        "negative_prompt": None,
        "slots": (),
        "method": method,
        "model": "tiny",
        "revision": "",
        "size": SIZE,
        "steps": STEPS,
        "guidance_scale": 2.0,
        "seed": seed,
        "control": ControlSpec(scale=1.0) if method is Method.CONTROLNET else None,
        "backdrop_id": "backdrop" if method is Method.PASTE else None,
    }
    return SampleSpec(**{**defaults, **given})


def job(seed: int = 0, method: Method = Method.INPAINT, **given: Any) -> Job:
    """A job with the noise square; for `text_to_image` with nothing placed."""
    placed = layer(size=given.get("size", SIZE))
    if method is Method.TEXT_TO_IMAGE:
        placed = replace(placed, alpha=np.zeros_like(placed.alpha))
    return Job(
        spec=spec(seed, method, **given),
        layer=placed,
        control=control_image(placed) if method is Method.CONTROLNET else None,
        backdrop=noise(1) if method is Method.PASTE else None,
    )
