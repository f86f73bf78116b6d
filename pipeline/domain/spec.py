"""The complete description of a sample before it is rendered: frozen, content-addressed, replayable."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from json.encoder import encode_basestring as _quoted
from typing import Any

from pipeline.domain.distractors import DistractorSpec, OtherObjectSpec, ShapeSpec
from pipeline.domain.look import (
    PARTS,
    CameraSpec,
    EdgeSpec,
    FakeSeamSpec,
    LightMatch,
    ObjectLightSpec,
    ShadowSpec,
    StartSpec,
)
from pipeline.domain.methods import Method as Method
from pipeline.domain.placement import Placement, canonical
from pipeline.errors import InvalidRequest

PLAN_VERSION = (
    2  # of the rule that draws what samples are made of; raise it when the same recipe gives other samples
)
_ID_DIGITS = 20
_KEY = "json key"  # in the metadata of a field: its key in JSON, where that is not its name
_LATER = (
    "added later"  # in the metadata of a field: left out of JSON at its default, so that earlier ids stay
)
_NEVER = object()  # equals no value
_LEAST_STEPS = 2  # that are run where diffusion starts from a picture
_HASHED_AS = {Method.TEXT_TO_IMAGE: "sdxl"}  # its name in earlier versions: ids of its samples never change


class ControlSource(StrEnum):
    """Which Canny edges guide the ControlNet."""

    OBJECT = "object"  # the placed object
    SCENE = "scene"  # the source photo, fitted to the canvas
    REFERENCE = "reference"  # an image that the person chose


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSpec:
    """One object of a sample. Objects are listed back to front."""

    photo_id: str = field(metadata={_KEY: "subject_id"})  # the key of earlier versions: ids are hashes of it
    cutout_id: str  # content hash of the RGBA cut-out that is placed
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSpec:
    """Guidance of the ControlNet."""

    source: ControlSource = ControlSource.OBJECT
    scale: float = 0.6  # 0 = ignore the structure, 1 = follow it closely
    reference_id: str | None = None  # id of the reference image, for `reference`

    def __post_init__(self) -> None:
        if not 0.0 <= self.scale <= 2.0:
            raise InvalidRequest(f"the control scale is {self.scale}; it must lie in 0.0 to 2.0")
        object.__setattr__(self, "scale", canonical(self.scale))
        if (self.source is ControlSource.REFERENCE) != (self.reference_id is not None):
            raise InvalidRequest(
                "a reference image is needed with control source 'reference', and only there"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSpec:
    """One frozen, fully decided sample. `id` is a hash of all fields.

    `size` is (height, width) in pixels. `slots` holds the slot values that the prompt was made of, as (slot, value)
    pairs in slot order, and last the arrangement of the objects where the recipe mixes several. `objects` are of the
    sample's class; `distractors` stand behind them. `backdrop_id` is the id
    of the background image of `paste`, or of the one that diffusion starts from. A sample with a `camera`, an
    `object_light` or an object that takes the background's light does not show the object's own pixels.
    """

    label: str
    objects: tuple[ObjectSpec, ...]
    prompt: str
    negative_prompt: str | None
    slots: tuple[tuple[str, str], ...]
    method: Method
    model: str  # registry name; "none" for paste
    revision: str  # pinned revision of the model; "" for paste
    size: tuple[int, int]
    steps: int
    guidance_scale: float
    seed: int
    control: ControlSpec | None = None
    backdrop_id: str | None = None
    plan_version: int = field(
        default=1, metadata={_LATER: True}
    )  # of the rule that drew it; 1 without a plan
    start: StartSpec | None = field(default=None, metadata={_LATER: True})  # None = from noise
    shadow: ShadowSpec | None = field(
        default=None, metadata={_LATER: True}
    )  # of the objects on the background
    match_detail: bool = field(
        default=False, metadata={_LATER: True}
    )  # of the background to the object's photo
    match_light: LightMatch | None = field(default=None, metadata={_LATER: True})
    edge: EdgeSpec | None = field(default=None, metadata={_LATER: True})  # None = soft
    fake_seam: FakeSeamSpec | None = field(default=None, metadata={_LATER: True})
    camera: CameraSpec | None = field(default=None, metadata={_LATER: True})  # over the whole image
    object_light: ObjectLightSpec | None = field(
        default=None, metadata={_LATER: True}
    )  # None = that of the photos
    distractors: tuple[DistractorSpec, ...] = field(
        default=(), metadata={_LATER: True}
    )  # back to front, all behind the objects
    id: str = field(init=False, default="")
    _json: str = field(init=False, repr=False, compare=False, default="")  # what `id` is the hash of

    def __post_init__(self) -> None:
        if not self.objects:
            raise InvalidRequest("a sample needs at least one object")
        if self.method.facts.needs_control != (self.control is not None):
            raise InvalidRequest("control settings are needed with method 'controlnet', and only there")
        self._refuse_wrong_start()
        on_picture = self.method.facts.needs_background or self.start is not None
        if on_picture != (self.backdrop_id is not None):
            raise InvalidRequest(
                "a background image is needed with method 'paste' and with start 'picture', and only there"
            )
        if self.shadow and not on_picture:
            raise InvalidRequest("a shadow needs a background image; use start 'picture' or method 'paste'")
        self._refuse_wrong_distractors()
        if not math.isfinite(self.guidance_scale):
            raise InvalidRequest(f"the guidance scale is {self.guidance_scale}; it must be a finite number")
        object.__setattr__(self, "guidance_scale", canonical(self.guidance_scale))
        object.__setattr__(self, "_json", _json(self))
        object.__setattr__(self, "id", hashlib.sha256(self._json.encode()).hexdigest()[:_ID_DIGITS])

    def _refuse_wrong_start(self) -> None:
        if self.start is None:
            return
        if not self.method.facts.paints_around_object:
            raise InvalidRequest(
                f"method '{self.method}' cannot start from a picture; use inpaint or controlnet"
            )
        if int(self.steps * self.start.strength) < _LEAST_STEPS:
            raise InvalidRequest(
                f"steps is {self.steps} and strength {self.start.strength:g}, so that fewer than {_LEAST_STEPS} steps "
                "are run; raise one of them"
            )

    def _refuse_wrong_distractors(self) -> None:
        if self.distractors and not self.method.facts.places_object:
            raise InvalidRequest(f"method '{self.method}' places no objects, so it has no distractors either")
        others = {each.label for each in self.distractors if isinstance(each, OtherObjectSpec)}
        if self.label in others:
            raise InvalidRequest(
                f"a distractor is of class '{self.label}', the sample's own; choose another class"
            )

    @property
    def front(self) -> ObjectSpec:
        """The object in front of all others, whose box, homography and pose count where only one is asked for."""
        return self.objects[-1]

    @property
    def keeps_object(self) -> bool:
        """Whether the objects' pixels are to be those of their warped photos."""
        relit = self.object_light is not None or self.match_light is LightMatch.OBJECT
        return self.camera is None and not relit

    @property
    def other_objects(self) -> tuple[OtherObjectSpec, ...]:
        """The distractors that are objects of other classes, back to front."""
        return tuple(each for each in self.distractors if isinstance(each, OtherObjectSpec))

    @property
    def photo_ids(self) -> tuple[str, ...]:
        """The photos whose objects it shows, back to front: those of distractors, then those of its own class."""
        others = (other.photo_id for other in self.other_objects)
        return (*others, *(placed.photo_id for placed in self.objects))

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Ids of the images that it is made from, without its photos: cut-outs, background, reference."""
        reference = self.control.reference_id if self.control else None
        own = (placed.cutout_id for placed in self.objects)
        others = (other.cutout_id for other in self.other_objects)
        image_ids = (*own, *others, self.backdrop_id, reference)
        return tuple(image_id for image_id in image_ids if image_id)

    def to_json(self) -> str:
        """Canonical JSON of all fields but the id: sorted keys, no spaces, floats rounded to 6 decimals."""
        return self._json

    @classmethod
    def from_json(cls, text: str) -> SampleSpec:
        """Read the spec that `to_json` wrote."""
        fields = json.loads(text)
        fields["objects"] = tuple(_object_spec(**placed) for placed in fields["objects"])
        fields["slots"] = tuple((slot, value) for slot, value in fields["slots"])
        fields["size"] = tuple(fields["size"])
        fields["method"] = Method(fields["method"])
        if fields["control"] is not None:
            control = fields["control"]
            fields["control"] = ControlSpec(**{**control, "source": ControlSource(control["source"])})
        if "match_light" in fields:
            fields["match_light"] = LightMatch(fields["match_light"])
        if "distractors" in fields:
            fields["distractors"] = tuple(_distractor_spec(**each) for each in fields["distractors"])
        for name in PARTS.keys() & fields.keys():
            fields[name] = PARTS[name](**fields[name])
        return cls(**fields)


def _object_spec(*, subject_id: str, cutout_id: str, placement: dict[str, Any]) -> ObjectSpec:
    return ObjectSpec(photo_id=subject_id, cutout_id=cutout_id, placement=Placement(**placement))


def _distractor_spec(*, placement: dict[str, Any], **given: Any) -> DistractorSpec:
    kind = ShapeSpec if "form" in given else OtherObjectSpec
    return kind(placement=Placement(**placement), **given)


def _json(value: object) -> str:
    """Write a part of a spec as canonical JSON; a `JSONEncoder` needs a copy in dicts first, which takes longer."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        writer = _WRITERS[type(value)] = _writer_for(type(value))
    return writer(value)


def _writer_for(kind: type) -> Callable[[Any], str]:
    if issubclass(kind, str):  # a StrEnum
        return _quoted
    if issubclass(kind, float):
        return _WRITERS[float]
    if issubclass(kind, int):
        return int.__repr__
    layout = _layout(kind)

    def written(value: object) -> str:
        parts = []
        for name, key, absent in layout:
            given = getattr(value, name)
            if absent is _NEVER or given != absent:
                parts.append(key + _json(given))
        return "{" + ",".join(parts) + "}"

    return written


def _layout(kind: Any) -> list[tuple[str, str, object]]:
    """For each field of a spec, in JSON order: its name, its key as JSON, the value with which it is left out."""
    keys = {item.metadata.get(_KEY, item.name): item for item in fields(kind) if item.init}
    return [
        (keys[key].name, f'"{key}":', keys[key].default if _LATER in keys[key].metadata else _NEVER)
        for key in sorted(keys)
    ]


def _placement_json(pose: Placement) -> str:
    """Write a pose, whose numbers are rounded already."""
    return (
        f'{{"flip":{"true" if pose.flip else "false"},"pitch":{pose.pitch!r},"rotation":{pose.rotation!r},'
        f'"scale":{pose.scale!r},"x":{pose.x!r},"y":{pose.y!r},"yaw":{pose.yaw!r}}}'
    )


def _list_json(items: Iterable[object]) -> str:
    return "[" + ",".join([_json(item) for item in items]) + "]"


_WRITERS: dict[type, Callable[[Any], str]] = {  # those of other classes are added when they are needed
    str: _quoted,
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    float: lambda value: float.__repr__(canonical(value)),
    type(None): lambda _: "null",
    tuple: _list_json,
    list: _list_json,
    Method: lambda method: _quoted(_HASHED_AS.get(method, method)),
    Placement: _placement_json,
}
