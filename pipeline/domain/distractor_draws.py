"""Draw the distractors of samples in balance within each class, so that they tell no more about it than they must.

An object of another class than its own can stand beside any object; of the other classes each comes equally often.
"""

from __future__ import annotations

import colorsys
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.domain.balance import ClassBalance, Deck
from pipeline.domain.distractors import (
    DistractorKind,
    DistractorSpec,
    OtherObjectSpec,
    ShapeForm,
    ShapeSpec,
)
from pipeline.domain.photos import Photo
from pipeline.domain.placement import Box, Placement
from pipeline.domain.plan_rules import Stream
from pipeline.domain.poses import BalancedPoses, Room
from pipeline.domain.recipe import Recipe
from pipeline.domain.recipe_distractors import Distractors
from pipeline.domain.recipe_placement import Flip, PlacementRanges, Position
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRecipe

SHAPE_PX = 256  # longest side of a shape's cut-out
_DECIMALS = 3
_LEAST_VISIBLE = 0.6  # of a distractor's box
_MOST_OVERLAP = 0.2  # of the smaller of two boxes
_SEEDS = 2**31
_UNPLACED = Placement()
_ASPECTS = {ShapeForm.BOX: (0.4, 1.0), ShapeForm.DISC: (1.0, 1.0), ShapeForm.ROD: (0.1, 0.28)}
_ROUNDNESS = {ShapeForm.BOX: (0.05, 0.6), ShapeForm.DISC: (1.0, 1.0), ShapeForm.ROD: (0.2, 1.0)}
_RELIEFS = {ShapeForm.BOX: (0.08, 0.5), ShapeForm.DISC: (0.1, 1.0), ShapeForm.ROD: (0.5, 1.0)}
_SATURATION, _BRIGHTNESS = (0.0, 0.35), (0.25, 0.85)
_TEXTURE = (0.03, 0.2)
_AZIMUTHS = (20.0, 160.0)  # where no shadow tells it


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A sample of which all is decided but its distractors."""

    index: int  # its place in the plan
    label: str
    arrangement: str
    objects: Sequence[tuple[Placement, Box]]  # each with the extent of the object in its photo
    size: tuple[int, int]
    azimuth: float | None = None  # of the light, where a shadow tells it
    edge: float = 0.0  # height below which everything stands on the ground, share of the canvas from its top


class DistractorDraws:
    """Draws what stands beside the objects of samples.

    Args:
        recipe: with `distractors`.
        photos: the photos with a usable cut-out, by class; those of all classes, whichever the recipe draws.
        labels: the classes of the plan.
        stream: a separate source of chance for each purpose.

    Raises:
        InvalidRecipe: only objects of other classes are wanted, and there is no other class.
    """

    def __init__(
        self, recipe: Recipe, photos: Mapping[str, Sequence[Photo]], labels: Sequence[str], stream: Stream
    ) -> None:
        assert recipe.distractors is not None
        wanted, self._stream, self._recipe = recipe.distractors, stream, recipe
        self._known = {photo.id: photo for of_class in photos.values() for photo in of_class}
        shares = {True: wanted.share, False: 1 - wanted.share}
        self._present = ClassBalance(_above_zero(shares), stream("distractors"))
        self._kinds = ClassBalance(_usable_kinds(wanted, list(photos)), stream("distractor kind"))
        self._classes = ClassBalance(
            dict.fromkeys(photos, 1.0), stream("distractor class"), lambda label: {label}
        )
        self._forms = ClassBalance(dict.fromkeys(ShapeForm, 1.0), stream("distractor form"))
        self._photos = {
            other: Deck([photo.id for photo in of_class], labels, stream(f"distractor photo {other}"))
            for other, of_class in photos.items()
        }
        self._poses = {
            name: BalancedPoses(_ranges(wanted, ranges), _stream_within(stream, name))
            for name, ranges in recipe.arrangements.items()
        }

    def distractors(self, scene: Scene) -> tuple[DistractorSpec, ...]:
        """Draw the distractors of the next sample of a class, back to front; one without room is left out."""
        if not self._present.draw(scene.label):
            return ()
        rng, poses = self._stream(f"distractors {scene.index}"), self._poses[scene.arrangement]
        drawn: list[DistractorSpec] = []
        for _ in range(poses.number(rng, scene.label)):
            drawn.append(self._thing(rng, scene, drawn))
        room = Room(scene.size, scene.objects, scene.edge)
        placements = poses.behind(
            rng, scene.label, [self._box_and_flips(each, scene) for each in drawn], room
        )
        placed = [
            replace(each, placement=placement)
            for each, placement in zip(drawn, placements, strict=True)
            if placement
        ]
        return tuple(sorted(placed, key=lambda each: each.placement.y))

    def count(self, spec: SampleSpec) -> None:
        """Count the distractors of a sample that is there already."""
        if not spec.method.facts.places_object:  # others are never asked
            return
        self._present.count(spec.label, bool(spec.distractors))
        for each in spec.distractors:
            if isinstance(each, ShapeSpec):
                self._kinds.count(spec.label, DistractorKind.SHAPES)
                self._forms.count(spec.label, each.form)
            else:
                self._kinds.count(spec.label, DistractorKind.OBJECTS)
                self._classes.count(spec.label, each.label)
                if each.label in self._photos:
                    self._photos[each.label].count(spec.label, each.photo_id)

    def _thing(self, rng: random.Random, scene: Scene, drawn: Sequence[DistractorSpec]) -> DistractorSpec:
        """Draw what a distractor is; it is not placed yet."""
        label = scene.label
        if self._kinds.draw(label) is DistractorKind.OBJECTS and (other := self._classes.draw(label)):
            there = {each.photo_id for each in drawn if isinstance(each, OtherObjectSpec)}
            photo = self._known[self._photos[other].draw(label, there)]
            assert photo.cutout_id is not None
            return OtherObjectSpec(
                label=other, photo_id=photo.id, cutout_id=photo.cutout_id, placement=_UNPLACED
            )
        form = self._forms.draw(label)
        assert form is not None
        return _shape(rng, form, scene.azimuth)

    def _box_and_flips(self, each: DistractorSpec, scene: Scene) -> tuple[Box, Flip]:
        if isinstance(each, ShapeSpec):
            return shape_box(each), Flip.NONE
        box = self._known[each.photo_id].box
        assert box is not None
        return box, self._recipe.arrangements[scene.arrangement].flips(each.label)


def shape_box(shape: ShapeSpec) -> Box:
    """Return the extent of a shape in its cut-out."""
    return (0, 0, SHAPE_PX, max(1, round(SHAPE_PX * shape.aspect)))


def _above_zero(weights: Mapping[bool, float]) -> dict[bool, float]:
    return {value: weight for value, weight in weights.items() if weight > 0}


def _usable_kinds(wanted: Distractors, labels: Sequence[str]) -> dict[DistractorKind, float]:
    """Return the kinds to draw with their weights: shapes alone where there is no class but one."""
    if len(labels) > 1:
        return dict(wanted.kinds)
    kinds: dict[DistractorKind, float] = {
        kind: weight for kind, weight in wanted.kinds.items() if kind is not DistractorKind.OBJECTS
    }
    if not kinds:
        raise InvalidRecipe(
            f"distractors.kinds is objects alone, and '{labels[0]}' is the only class with a usable training photo; "
            "add shapes to it, or import photos of another class"
        )
    return kinds


def _ranges(wanted: Distractors, objects: PlacementRanges) -> PlacementRanges:
    """Return the ranges for the poses of distractors beside objects with theirs: seen by the same camera."""
    return PlacementRanges(
        position=Position.UNIFORM,
        scale=wanted.scale,
        rotation=objects.rotation,
        yaw=objects.yaw,
        pitch=objects.pitch,
        min_visible=_LEAST_VISIBLE,
        objects=wanted.number,
        overlap=_MOST_OVERLAP,
    )


def _stream_within(stream: Stream, arrangement: str) -> Stream:
    return lambda purpose: stream(f"distractor {arrangement} {purpose}")


def _shape(rng: random.Random, form: ShapeForm, azimuth: float | None) -> ShapeSpec:
    """Draw a shape of a plain material; only `random()` is called."""
    hue, saturation, brightness = rng.random(), _between(rng, _SATURATION), _between(rng, _BRIGHTNESS)
    red, green, blue = (
        round(255 * level) for level in colorsys.hsv_to_rgb(round(hue, _DECIMALS), saturation, brightness)
    )
    own_azimuth = _between(rng, _AZIMUTHS)
    return ShapeSpec(
        form=form,
        placement=_UNPLACED,
        colour=(red, green, blue),
        aspect=_between(rng, _ASPECTS[form]),
        roundness=_between(rng, _ROUNDNESS[form]),
        relief=_between(rng, _RELIEFS[form]),
        texture=_between(rng, _TEXTURE),
        azimuth=own_azimuth if azimuth is None else azimuth,
        seed=int(rng.random() * _SEEDS),
    )


def _between(rng: random.Random, span: tuple[float, float]) -> float:
    return round(span[0] + (span[1] - span[0]) * rng.random(), _DECIMALS)
