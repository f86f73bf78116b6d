"""What a spec says of a sample's look besides object and prompt: start picture, shadow, edge, light, camera.

Angles are degrees. A light's azimuth is measured counter-clockwise from the right of the image, as one looks down on
the ground: 90 = the light comes from behind the object, towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.placement import canonical
from pipeline.errors import InvalidRequest

LEAST_STRENGTH = 0.2
FROM_ABOVE = 90.0  # pitch of a camera that looks straight down


def _refuse_outside(part: object, what: str, ranges: dict[str, tuple[float, float]]) -> None:
    """Check the numbers of a part of a spec, and round them to what its id is made of."""
    for name, (low, high) in ranges.items():
        value = getattr(part, name)
        if not low <= value <= high:
            raise InvalidRequest(f"the {what}'s {name} is {value:g}; it must lie in {low:g} to {high:g}")
        object.__setattr__(part, name, canonical(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSpec:
    """A start from the background picture instead of from noise."""

    strength: float  # share of the denoising steps that are run: low = near the picture, 1 = from noise
    detail: float = 0.0  # share of the fine detail that is the picture's, not the painted one's

    def __post_init__(self) -> None:
        _refuse_outside(self, "start", {"strength": (LEAST_STRENGTH, 1.0), "detail": (0.0, 1.0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is known of the ground in a background picture."""

    pitch: float  # of the camera below the horizon; 90 = it looks straight down
    edge: float  # height of the ground's far edge in the picture, from its top, as a share; 0 = ground everywhere
    azimuth: float
    elevation: float  # of the light over the ground


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowSpec:
    """The shadow that each object throws on a ground that it lies on."""

    azimuth: float
    elevation: float  # of the light over the ground
    pitch: float  # of the camera below the horizon
    height: float  # how far the object rises over the ground, as a share of its size
    darkness: float  # share of the light that the deepest shadow takes
    edge: float = 0.0  # see `Ground`; no shadow falls above it

    def __post_init__(self) -> None:
        ranges = {
            "azimuth": (0.0, 360.0), "elevation": (10.0, 90.0), "pitch": (5.0, 90.0), "height": (0.0, 1.0),
            "darkness": (0.0, 1.0), "edge": (0.0, 1.0),
        }  # fmt: skip
        _refuse_outside(self, "shadow", ranges)


class EdgeKind(StrEnum):
    """How an object ends and its background begins. No kind changes a pixel that is all object."""

    SOFT = "soft"  # as the cut-out has it
    HARD = "hard"  # every pixel is either object or background
    FEATHER = "feather"  # the object's colours fade out over the background beside it
    POISSON = "poisson"  # the background beside it keeps its texture and takes on the object's tone


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSpec:
    """How all objects of a sample are blended with the background."""

    kind: EdgeKind
    reach_px: float = 0.0  # how far beside the object the background changes; of feather and poisson

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", EdgeKind(self.kind))
        _refuse_outside(self, "edge", {"reach_px": (0.0, 16.0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeSeamSpec:
    """A patch of the background, laid over another place of it: a seam without an object."""

    x: float  # its centre, share of the width
    y: float
    size: float  # its diameter, share of the image's shorter side
    from_x: float  # the place that it is taken from, shares of width and height; its content is mirrored
    from_y: float
    brightness: float = 1.0  # of the patch, as a factor

    def __post_init__(self) -> None:
        ranges = dict.fromkeys(("x", "y", "from_x", "from_y"), (0.0, 1.0))
        _refuse_outside(self, "fake seam", {**ranges, "size": (0.02, 1.0), "brightness": (0.5, 1.5)})


class LightMatch(StrEnum):
    """What is given the light and white balance of the other."""

    BACKGROUND = "background"
    OBJECT = "object"  # changes the object's pixels: the sample is not exact


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSpec:
    """What a camera does to the whole image, the object included: the object's pixels are no longer the photo's."""

    blur_px: float = 0.0  # standard deviation
    noise: float = 0.0  # standard deviation in grey levels
    jpeg: int | None = None  # quality; None = not compressed

    def __post_init__(self) -> None:
        _refuse_outside(self, "camera", {"blur_px": (0.0, 5.0), "noise": (0.0, 50.0)})
        if self.jpeg is not None and not 10 <= self.jpeg <= 100:
            raise InvalidRequest(f"the camera's jpeg is {self.jpeg}; it must lie in 10 to 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectLightSpec:
    """Another light on the objects than that of their photos: their pixels are no longer the photos'."""

    brightness: float = 1.0  # factor of all channels
    colour: float = 0.0  # warm above 0, cold below: red is multiplied by 1 + colour, blue by 1 - colour

    def __post_init__(self) -> None:
        _refuse_outside(self, "object's light", OBJECT_LIGHT_RANGES)


OBJECT_LIGHT_RANGES = {"brightness": (0.3, 2.0), "colour": (-0.5, 0.5)}
Look = StartSpec | ShadowSpec | EdgeSpec | FakeSeamSpec | CameraSpec | ObjectLightSpec
PARTS: dict[str, type[Look]] = {
    "start": StartSpec,
    "shadow": ShadowSpec,
    "edge": EdgeSpec,
    "fake_seam": FakeSeamSpec,
    "camera": CameraSpec,
    "object_light": ObjectLightSpec,
}
"""Fields of a spec that hold one of these, by name."""
