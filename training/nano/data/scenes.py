"""Draws a scene from a random generator: image, caption and repaint mask."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from training.nano.data import views
from training.nano.data.objects import outline, put_in_front, skin
from training.nano.data.procedural import noise
from training.nano.data.skies import sky
from training.nano.data.surfaces import PHOTO_SHARE, Surfaces
from training.nano.data.words import (
    CAMERAS,
    LIGHTS,
    PAINTABLE,
    PAINTS,
    PLACES,
    SKIES,
    SURFACES,
    SceneFacts,
    caption,
    colour_word,
)

OUTDOOR = ("asphalt", "concrete", "grass", "gravel", "moss", "paving stones", "rock", "sand", "snow", "soil", "leaves",
           "water")  # fmt: skip
NO_WALL = frozenset({"grass", "gravel", "water", "snow", "soil", "leaves", "sand", "moss"})
PLAIN_SHARE = (
    0.5  # of the scenes: one surface, upright, in plain light; nano learns structure from them first
)
PLACE_SHARES = (0.26, 0.2, 0.22, 0.14, 0.07, 0.11)  # in the order of PLACES


@dataclass(frozen=True, slots=True)
class Scene:
    """One training row."""

    rgb: np.ndarray  # (S, S, 3) uint8
    repaint: np.ndarray  # (S, S) uint8; 255 = to be painted, 0 = kept as it is
    caption: str
    facts: SceneFacts


def draw_scene(
    surfaces: Surfaces, size: int, rng: np.random.Generator, *, facts: SceneFacts | None = None
) -> Scene:
    """Draw a scene of size x size pixels.

    Args:
        facts: draw this place and surface; by default both are chosen at random. Colour and modifiers are always
            taken from what was drawn.
    """
    plain = facts is None and rng.random() < PLAIN_SHARE
    facts = facts or _random_facts(rng, plain=plain)
    image, colour = _place(facts, surfaces, size, rng, plain=plain)
    image, modifiers = (_shaded(image, rng), ()) if plain else _conditioned(image, rng)
    facts = replace(facts, colour=colour, modifiers=modifiers)
    image, repaint = masked(image, surfaces, rng)
    rgb = np.clip(image, 0, 255).astype(np.uint8)
    return Scene(rgb, repaint, caption(facts, rng), facts)


def masked(image: np.ndarray, surfaces: Surfaces, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Choose what is repainted: everything around an object put in front (6 in 10), a hole, or everything.

    Args:
        image: (S, S, 3) float32, 0 to 255.

    Returns:
        The image, with the object where there is one, and (S, S) uint8; 255 = to be painted.
    """
    size = len(image)
    task = rng.random()
    if task < 0.6:
        return _with_object(image, surfaces, rng)
    return image, _hole(size, rng) if task < 0.78 else np.full((size, size), 255, np.uint8)


def _random_facts(rng: np.random.Generator, *, plain: bool) -> SceneFacts:
    place = str(rng.choice(PLACES[:3:2] if plain else PLACES, p=None if plain else PLACE_SHARES))
    words = OUTDOOR if "sky" in place else SURFACES
    if (place.endswith(" wall") and place.count("{surface}") == 1) or "table top" in place:
        words = tuple(word for word in SURFACES if word not in NO_WALL)
    surface = str(rng.choice(words))
    walls = [word for word in SURFACES if word not in NO_WALL and word != surface]
    wall = str(rng.choice(walls)) if place.count("{surface}") == 2 else ""
    return SceneFacts(
        place=place, surface=surface, wall=wall, sky=str(rng.choice(SKIES)) if "{sky}" in place else ""
    )


def _place(
    facts: SceneFacts, surfaces: Surfaces, size: int, rng: np.random.Generator, *, plain: bool
) -> tuple[np.ndarray, str]:
    tile = surfaces.texture(facts.surface, rng, photo_share=0.0 if plain else PHOTO_SHARE)
    texture, colour = _coloured(tile, facts.surface, rng)
    # nearly one scale: nano learns a pattern of one size many times sooner than the same pattern at all sizes
    zoom, turn = (1.0, 0.0) if plain else (float(rng.uniform(0.92, 1.15)), float(rng.normal(0, 3)))
    if facts.place == PLACES[0]:
        return views.flat(texture, size, zoom=zoom, turn_deg=turn, rng=rng).astype(np.float32), colour
    if facts.place == PLACES[2]:
        upright = float(rng.normal(0, 1.5))
        return views.flat(texture, size, zoom=zoom, turn_deg=upright, rng=rng).astype(np.float32), colour
    horizon = {PLACES[1]: (-1.0, -0.1), PLACES[3]: (0.0, 0.2), PLACES[4]: (0.0, 0.3)}.get(
        facts.place, (0.2, 0.55)
    )
    at = float(rng.uniform(*horizon))
    floor = views.ground(texture, size, horizon=at, zoom=zoom, turn_deg=turn, rng=rng).astype(np.float32)
    if facts.place == PLACES[1]:
        return floor, colour
    edge = at + 0.02 if facts.sky else at + float(rng.uniform(0.12, 0.35))
    back = _heaven(facts.sky, size, edge, rng) if facts.sky else _back(facts, surfaces, size, rng)
    return _joined(back, floor, edge, rng, soft_edge=bool(facts.sky)), colour


def _back(facts: SceneFacts, surfaces: Surfaces, size: int, rng: np.random.Generator) -> np.ndarray:
    walls = [word for word in SURFACES if word not in NO_WALL]
    word = facts.wall or str(rng.choice(walls))
    texture, _ = _coloured(surfaces.texture(word, rng), word, rng)
    wall = views.flat(texture, size, zoom=1.0, turn_deg=0.0, rng=rng)
    wall = wall.astype(np.float32)
    if facts.wall:
        return wall
    return cv2.GaussianBlur(wall * rng.uniform(0.5, 1.1), (0, 0), size * rng.uniform(0.02, 0.06))


def _heaven(kind: str, size: int, edge: float, rng: np.random.Generator) -> np.ndarray:
    rows = max(2, round(size * edge))
    view = sky(rng, size, kind)
    view = cv2.resize(
        view[: max(8, int(size * rng.uniform(0.5, 1)))], (size, rows), interpolation=cv2.INTER_AREA
    )
    return np.vstack([view, np.repeat(view[-1:], size - rows, 0)])


def _joined(
    back: np.ndarray, floor: np.ndarray, edge: float, rng: np.random.Generator, *, soft_edge: bool
) -> np.ndarray:
    size = len(back)
    slope = rng.normal(0, 0.02) if rng.random() < 0.4 else 0.0
    line = edge * size + slope * (np.arange(size) - size / 2)
    share = np.clip(np.arange(size)[:, None] - line[None, :] + 0.5, 0, 1)[..., None].astype(np.float32)
    depth = np.clip((np.arange(size)[:, None] - line[None, :]) / (size * 0.15), 0, 1)[..., None].astype(
        np.float32
    )
    if soft_edge:  # haze towards the horizon
        haze = back[min(size - 1, max(0, int(edge * size) - 1))].mean(0)
        floor = floor * (0.55 + 0.45 * depth) + haze * 0.45 * (1 - depth)
    elif rng.random() < 0.7:  # darker where floor and wall meet
        floor = floor * (1 - rng.uniform(0, 0.45) * (1 - depth))
    return back * (1 - share) + floor * share


def _coloured(texture: np.ndarray, word: str, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """Vary the shade of a texture, sometimes paint it, and return its colour word ("" = none)."""
    tinted: np.ndarray = texture.astype(np.float32)
    if rng.random() < 0.5:
        tinted = tinted[:, ::-1]
    if word in PAINTABLE and rng.random() < 0.3:
        grey = tinted.mean(-1, keepdims=True)
        paint = np.array(PAINTS[str(rng.choice(list(PAINTS)))], np.float32) * rng.uniform(0.85, 1.15, 3)
        tinted = paint * np.clip(0.25 + 0.75 * grey / (grey.mean() + 1), 0.2, 1.9)
    else:
        tinted = tinted * rng.uniform(0.85, 1.25) * rng.uniform(0.94, 1.06, 3)
    mean = tinted.mean((0, 1))
    tinted = (tinted - mean) * rng.uniform(0.85, 1.35) + mean
    tinted = np.clip(tinted, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(tinted), colour_word(np.median(tinted.reshape(-1, 3), 0))


def _conditioned(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, tuple[str, ...]]:
    """Apply light, camera and condition, each in a minority of the scenes, and return their words."""
    modifiers: list[str] = []
    size = len(image)
    state = rng.random()
    if state < 0.05:
        image = _wet(image, rng)
        modifiers.append("wet")
    elif state < 0.1:
        patches = np.clip(_wide(rng, size, 1.2), 0, 2)[..., None]
        grey = image.mean(-1, keepdims=True)
        image = image + (grey * rng.uniform(0.7, 1.3) - image) * np.clip(0.6 * patches, 0, 0.85)
        modifiers.append("worn")
    elif state < 0.15:
        dust = (0.35 + 0.12 * _wide(rng, size, 1.5))[..., None] * rng.uniform(0.7, 1.3)
        image = image + (np.array((168, 155, 135)) - image) * np.clip(dust, 0, 0.7)
        modifiers.append("dusty")
    elif state < 0.25:
        modifiers.append("clean")
    view = rng.random()
    if view < 0.06:
        half = int(size * rng.uniform(0.22, 0.32))
        y, x = rng.integers(half, size - half + 1, 2)
        crop = image[y - half : y + half, x - half : x + half]
        image = cv2.resize(crop, (size, size), interpolation=cv2.INTER_CUBIC)
        modifiers.append(CAMERAS[0])
    elif view < 0.12:
        image = cv2.GaussianBlur(image, (0, 0), size / 128 * rng.uniform(1.4, 3.0))
        modifiers.append(CAMERAS[2])
    lit, word = _lit(image, rng)
    return lit, (*modifiers, *((word,) if word else ()))


def _shaded(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image * (1 + rng.uniform(-0.2, 0.1) * _ramp(len(image), rng))


def _wide(rng: np.random.Generator, size: int, slope: float) -> np.ndarray:
    return cv2.resize(noise(rng, 64, slope=slope), (size, size), interpolation=cv2.INTER_LINEAR)


def _wet(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    puddle = 1 / (1 + np.exp(-3 * _wide(rng, len(image), 1.6)))[..., None]
    shine = np.clip(_wide(rng, len(image), 1.2) - 1.0, 0, 2)[..., None] * rng.uniform(30, 90)
    return np.asarray(image * (0.75 - 0.2 * puddle) * np.array((0.96, 1.0, 1.05)) + shine * puddle)


def _lit(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    size = len(image)
    word = str(rng.choice(LIGHTS)) if rng.random() < 0.4 else ""
    ramp = _ramp(size, rng)
    if word == "bright light":
        return image * rng.uniform(1.2, 1.45) + rng.uniform(0, 15), word
    if word == "dim light":
        return image * rng.uniform(0.3, 0.55) * (1 - 0.3 * ramp), word
    if word == "warm light":
        return image * np.array((1.15, 0.98, 0.72)) * rng.uniform(0.85, 1.1), word
    if word == "cold light":
        return image * np.array((0.78, 0.96, 1.2)) * rng.uniform(0.85, 1.1), word
    if word == "side light":
        across = np.linspace(0.4, 1.25, size)[None, :, None]
        return image * (across if rng.random() < 0.5 else across[:, ::-1]), word
    if word == "hard shadows":
        return image * (1 - rng.uniform(0.4, 0.6) * _shadow(size, rng)) * 1.08, word
    return image * (1 + (rng.uniform(-0.25, 0.1) if not word else -0.1) * ramp), word


def _ramp(size: int, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    return np.asarray((0.5 + x * np.cos(angle) + y * np.sin(angle))[..., None])


def _shadow(size: int, rng: np.random.Generator) -> np.ndarray:
    mask = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    for _ in range(int(rng.integers(1, 5))):
        middle = size / 2 + across * rng.uniform(-0.55, 0.55) * size
        width = across * size * rng.uniform(0.03, 0.16)
        ends = (middle - 2 * size * along, middle + 2 * size * along)
        corners = np.array([ends[0] - width, ends[0] + width, ends[1] + width, ends[1] - width])
        cv2.fillConvexPoly(mask, corners.astype(np.int32), 1.0)
    return cv2.GaussianBlur(mask, (0, 0), 0.7 * size / 128)[..., None]


def _with_object(
    image: np.ndarray, surfaces: Surfaces, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    size = len(image)
    object_mask = np.zeros((size, size), bool)
    for _ in range(1 if rng.random() < 0.8 else 2):
        cover = outline(rng, size)
        image = put_in_front(image, cover, skin(rng, size, surfaces), rng)
        object_mask |= cover > 0.5
    repaint = np.where(object_mask, 0, 255).astype(np.uint8)
    grow = int(rng.integers(0, 3))
    return image, cv2.dilate(repaint, np.ones((2 * grow + 1,) * 2, np.uint8)) if grow else repaint


def _hole(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a box or blob that is to be repainted in an otherwise unchanged image."""
    if rng.random() < 0.5:
        return np.where(outline(rng, size) > 0.5, 255, 0).astype(np.uint8)
    hole = np.zeros((size, size), np.uint8)
    height, width = (int(size * rng.uniform(0.25, 0.8)) for _ in range(2))
    top, left = int(rng.integers(0, size - height + 1)), int(rng.integers(0, size - width + 1))
    hole[top : top + height, left : left + width] = 255
    return hole
