"""Objects in front of a scene: their outlines, textures and shadows."""

from __future__ import annotations

import cv2
import numpy as np

from training.nano.data.procedural import noise
from training.nano.data.surfaces import Surfaces


def outline(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a random object as (size, size) float32 coverage, 0 to 1: blob, polygon, box, bolt, washer or bottle."""
    big = 2 * size
    mask = np.zeros((big, big), np.uint8)
    reach = big * rng.uniform(0.12, 0.36)
    centre = np.array([big / 2, big * 0.55]) + rng.uniform(-0.22, 0.22, 2) * big
    kind = rng.choice(6, p=(0.28, 0.14, 0.14, 0.16, 0.14, 0.14))
    if kind == 0:
        cv2.fillPoly(mask, [_blob(rng, centre, reach)], 255)
    elif kind == 1:
        cv2.fillConvexPoly(mask, _hull(rng, centre, reach), 255)
    elif kind == 2:
        box = (tuple(centre), (2 * reach * rng.uniform(0.4, 1), 2 * reach * rng.uniform(0.4, 1)), _turn(rng))
        cv2.fillPoly(mask, [cv2.boxPoints(box).astype(np.int32)], 255)
    elif kind == 3:
        _bolt(mask, rng, centre, reach)
    elif kind == 4:
        axes = (reach, reach * rng.uniform(0.35, 1.0))
        cv2.ellipse(mask, (tuple(centre), (2 * axes[0], 2 * axes[1]), _turn(rng)), 255, -1, cv2.LINE_AA)
        if rng.random() < 0.7:
            hole = rng.uniform(0.3, 0.7)
            cv2.ellipse(
                mask, (tuple(centre), (2 * axes[0] * hole, 2 * axes[1] * hole), 0), 0, -1, cv2.LINE_AA
            )
    else:
        for part, width in ((0.0, rng.uniform(0.5, 0.9)), (-0.9, rng.uniform(0.15, 0.5))):
            box = (
                (centre[0], centre[1] + part * reach),
                (2 * reach * width, 1.3 * reach),
                rng.uniform(-6, 6),
            )
            cv2.fillPoly(mask, [cv2.boxPoints(box).astype(np.int32)], 255)
    return cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _turn(rng: np.random.Generator) -> float:
    return float(rng.uniform(0, 180) if rng.random() < 0.6 else rng.normal(0, 5))


def _blob(rng: np.random.Generator, centre: np.ndarray, reach: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    radius = np.ones_like(angle)
    for wave in range(2, 6):
        radius += rng.uniform(0, 0.5) / wave * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    radius *= reach
    stretch = rng.uniform(0.5, 1.0)
    return (centre + np.stack([radius * np.cos(angle), stretch * radius * np.sin(angle)], -1)).astype(
        np.int32
    )


def _hull(rng: np.random.Generator, centre: np.ndarray, reach: float) -> np.ndarray:
    points = centre + rng.uniform(-1, 1, (int(rng.integers(4, 9)), 2)) * reach
    return cv2.convexHull(points.astype(np.int32))


def _bolt(mask: np.ndarray, rng: np.random.Generator, centre: np.ndarray, reach: float) -> None:
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    shaft = (tuple(centre), (2 * reach, 2 * reach * rng.uniform(0.12, 0.3)), float(np.degrees(angle)))
    cv2.fillPoly(mask, [cv2.boxPoints(shaft).astype(np.int32)], 255)
    head = centre + along * reach * rng.uniform(0.7, 1.0)
    corners = np.arange(6) * np.pi / 3 + angle
    hexagon = head + reach * rng.uniform(0.25, 0.45) * np.stack([np.cos(corners), np.sin(corners)], -1)
    cv2.fillConvexPoly(mask, hexagon.astype(np.int32), 255)


def skin(rng: np.random.Generator, size: int, surfaces: Surfaces) -> np.ndarray:
    """Draw an object's (size, size, 3) float32 texture: metal-like, a surface, or a crop of a shelf photo."""
    choice = rng.random()
    if choice < 0.35:
        angle, waves = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 2.5)
        y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
        ramp = 0.5 + 0.5 * np.sin(
            2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 6)
        )
        low, high = rng.uniform(20, 110), rng.uniform(130, 250)
        tint = rng.uniform(0.9, 1.1, 3) if rng.random() < 0.6 else rng.uniform(0.3, 1.1, 3)
        return np.asarray((low + (high - low) * ramp)[..., None] * tint)
    if choice < 0.65 and surfaces.extras:
        image = surfaces.extras[rng.integers(len(surfaces.extras))]
    else:
        image = surfaces.texture(str(rng.choice(list(surfaces.drawn))), rng)
    side = int(rng.integers(40, len(image) + 1))
    top, left = rng.integers(0, len(image) - side + 1, 2)
    look = cv2.resize(image[top : top + side, left : left + side], (size, size)).astype(np.float32)
    light = 1 + 0.35 * noise(rng, 32, slope=2.5)
    return look * np.clip(cv2.resize(light, (size, size)), 0.4, 1.5)[..., None]


def put_in_front(
    scene: np.ndarray, cover: np.ndarray, look: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw an object with its contact shadow over a scene.

    Args:
        scene: (S, S, 3) float32, 0 to 255.
        cover: (S, S) coverage of the object, 0 to 1.
        look: (S, S, 3) float32 colours of the object.
    """
    size = len(cover)
    moved = [[1, 0, rng.uniform(-0.05, 0.05) * size], [0, 1, rng.uniform(0.0, 0.05) * size]]
    shift = np.array(moved, np.float32)
    cast = cv2.GaussianBlur(
        cv2.warpAffine(cover, shift, (size, size)), (0, 0), size * rng.uniform(0.01, 0.04)
    )
    dark = 1 - rng.uniform(0.1, 0.65) * cast[..., None]
    return np.asarray(scene * dark * (1 - cover[..., None]) + look * cover[..., None])
