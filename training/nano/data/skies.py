"""Skies drawn from noise."""

from __future__ import annotations

import numpy as np

from training.nano.data.procedural import Tile, noise


def sky(rng: np.random.Generator, size: int, kind: str) -> Tile:
    """Draw a (size, size, 3) sky, row 0 at the top.

    Args:
        kind: blue, cloudy, sunset or night.
    """
    tops = {"blue": (65, 125, 210), "cloudy": (150, 158, 168), "sunset": (75, 70, 130), "night": (10, 14, 35)}
    bottoms = {
        "blue": (175, 208, 238),
        "cloudy": (205, 208, 212),
        "sunset": (245, 150, 80),
        "night": (30, 38, 70),
    }
    cloud = {
        "blue": (248, 250, 252),
        "cloudy": (235, 236, 238),
        "sunset": (250, 130, 110),
        "night": (35, 40, 62),
    }[kind]
    down = np.linspace(0, 1, size, dtype=np.float32)[:, None, None] ** rng.uniform(0.7, 1.5)
    top, bottom = (np.array(ends[kind]) * rng.uniform(0.85, 1.12, 3) for ends in (tops, bottoms))
    heaven = top * (1 - down) + bottom * down
    cover = rng.uniform(-1.6, -0.2) if kind != "cloudy" else rng.uniform(-0.4, 0.8)
    share = (
        1 / (1 + np.exp(-3 * (noise(rng, size, slope=1.6, stretch=rng.uniform(1.5, 4.0)) + cover)))[..., None]
    )
    heaven = heaven * (1 - 0.9 * share) + np.array(cloud) * 0.9 * share
    if kind == "night":
        heaven = heaven + 190.0 * (rng.random((size, size, 1)) > 0.996)
    return np.clip(heaven, 0, 255).astype(np.float32)
