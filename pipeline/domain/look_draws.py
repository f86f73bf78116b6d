"""Draw the look of a sample from a recipe: shadow, light on the object, camera."""

from __future__ import annotations

import random

from pipeline.domain.look import CameraSpec, Ground, ObjectLightSpec, ShadowSpec, StartSpec
from pipeline.domain.methods import Method
from pipeline.domain.recipe import Camera, ObjectLight, Recipe, Start

_DECIMALS = 3
_AZIMUTHS = (
    20.0,
    160.0,
)  # where nothing is known of a picture: light from behind or beside is what people expect
_ELEVATIONS = (35.0, 70.0)
_PITCHES = (35.0, 75.0)
_HEIGHTS = (0.25, 0.5)
_DARKNESS = (0.65, 0.9)

Span = tuple[float, float]


def start_of(recipe: Recipe, method: Method) -> StartSpec | None:
    """Return how a method starts: from a picture, whose fine detail comes back the more, the less is painted."""
    if recipe.start is not Start.PICTURE or not method.facts.paints_around_object:
        return None
    return StartSpec(strength=recipe.start_strength, detail=1.0 - recipe.start_strength)


def drawn_shadow(rng: random.Random, ground: Ground | None) -> ShadowSpec:
    """Draw a shadow; light, camera and edge are those of the ground where they are known.

    Args:
        rng: only `random()` is called.
    """
    height, darkness = _between(rng, _HEIGHTS), _between(rng, _DARKNESS)
    known = ground or Ground(
        azimuth=_between(rng, _AZIMUTHS),
        elevation=_between(rng, _ELEVATIONS),
        pitch=_between(rng, _PITCHES),
        edge=0.0,
    )
    return ShadowSpec(
        azimuth=known.azimuth,
        elevation=known.elevation,
        pitch=known.pitch,
        edge=known.edge,
        height=height,
        darkness=darkness,
    )


def drawn_camera(rng: random.Random, camera: Camera) -> CameraSpec:
    """Draw what a camera does from the ranges of a recipe; what it leaves out is not done."""
    blur_px, noise, jpeg = (
        _between(rng, span or (0, 0)) for span in (camera.blur, camera.noise, camera.jpeg)
    )
    return CameraSpec(blur_px=blur_px, noise=noise, jpeg=round(jpeg) if camera.jpeg else None)


def drawn_object_light(rng: random.Random, light: ObjectLight) -> ObjectLightSpec:
    """Draw the light on the objects of a sample; what a recipe leaves out stays as photographed."""
    brightness, colour = (
        _between(rng, span or (plain, plain))
        for span, plain in ((light.brightness, 1.0), (light.colour, 0.0))
    )
    return ObjectLightSpec(brightness=brightness, colour=colour)


def _between(rng: random.Random, span: Span) -> float:
    return round(span[0] + (span[1] - span[0]) * rng.random(), _DECIMALS)
