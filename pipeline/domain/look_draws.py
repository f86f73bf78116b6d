"""Draw the look of a sample from a recipe: shadow, light on the object, edge, fake seam, camera."""

from __future__ import annotations

import random
from collections.abc import Callable

from pipeline.domain.balance import ClassBalance
from pipeline.domain.look import (
    CameraSpec,
    EdgeKind,
    EdgeSpec,
    FakeSeamSpec,
    Ground,
    LightMatch,
    ObjectLightSpec,
    ShadowSpec,
    StartSpec,
)
from pipeline.domain.methods import Method
from pipeline.domain.recipe import Recipe, Start
from pipeline.domain.recipe_look import Camera, ObjectLight
from pipeline.domain.spec import SampleSpec

_DECIMALS = 3
_AZIMUTHS = (
    20.0,
    160.0,
)  # where nothing is known of a picture: light from behind or beside is what people expect
_ELEVATIONS = (35.0, 70.0)
_PITCHES = (35.0, 75.0)
_HEIGHTS = (0.25, 0.5)
_DARKNESS = (0.65, 0.9)
_REACHES = {EdgeKind.FEATHER: (1.0, 3.0), EdgeKind.POISSON: (2.0, 5.0)}  # pixels
_MIDDLE = (0.1, 0.9)  # where the centre of a fake seam lies
_PATCHES = (0.15, 0.45)
_BRIGHTNESS = (0.85, 1.15)

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


class EdgeDraws:
    """Draws edges and fake seams in balance within each class, so that they tell nothing about it.

    Args:
        stream: a separate source of chance for each purpose.
    """

    def __init__(self, recipe: Recipe, stream: Callable[[str], random.Random]) -> None:
        self._stream = stream
        share = recipe.fake_seams
        self._kinds = ClassBalance(dict.fromkeys(recipe.edges or (), 1.0), stream("edge"))
        self._seams = ClassBalance(
            {present: weight for present, weight in ((True, share), (False, 1 - share)) if weight},
            stream("fake seam"),
        )

    def edge(self, label: str, index: int) -> EdgeSpec | None:
        """Draw the edge of the sample at a place of the plan; None where the recipe names none."""
        kind = self._kinds.draw(label)
        if kind is None:
            return None
        reach = _REACHES.get(kind)
        return EdgeSpec(kind=kind, reach_px=_between(self._stream(f"edge {index}"), reach) if reach else 0.0)

    def fake_seam(self, label: str, index: int) -> FakeSeamSpec | None:
        """Draw the fake seam of the sample at a place of the plan; None for most samples."""
        if not self._seams.draw(label):
            return None
        rng = self._stream(f"fake seam {index}")
        x, y, from_x, from_y = (_between(rng, _MIDDLE) for _ in range(4))
        size, brightness = _between(rng, _PATCHES), _between(rng, _BRIGHTNESS)
        return FakeSeamSpec(x=x, y=y, from_x=from_x, from_y=from_y, size=size, brightness=brightness)

    def count(self, spec: SampleSpec) -> None:
        """Count a sample that is there already."""
        if spec.edge:
            self._kinds.count(spec.label, spec.edge.kind)
        if spec.method.facts.places_object:  # others are never asked
            self._seams.count(spec.label, spec.fake_seam is not None)


def light_match_of(recipe: Recipe) -> LightMatch | None:
    """Return what of a sample is given the light of the other, if anything."""
    if recipe.match_object:
        return LightMatch.OBJECT
    return LightMatch.BACKGROUND if recipe.match_light else None


def drawn_object_light(rng: random.Random, light: ObjectLight) -> ObjectLightSpec:
    """Draw the light on the objects of a sample; what a recipe leaves out stays as photographed."""
    brightness, colour = (
        _between(rng, span or (plain, plain))
        for span, plain in ((light.brightness, 1.0), (light.colour, 0.0))
    )
    return ObjectLightSpec(brightness=brightness, colour=colour)


def _between(rng: random.Random, span: Span) -> float:
    return round(span[0] + (span[1] - span[0]) * rng.random(), _DECIMALS)
