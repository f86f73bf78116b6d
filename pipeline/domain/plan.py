"""From a recipe to the list of samples, each fully decided: the same list on every machine and Python version."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TypeVar

from pipeline.domain.backdrops import BalancedDraw, Choice, Value
from pipeline.domain.backdrops import prompt as prompt_of
from pipeline.domain.distractor_draws import DistractorDraws, Scene
from pipeline.domain.distractors import DistractorSpec
from pipeline.domain.image_size import DrawnObjects, automatic_size
from pipeline.domain.look import CameraSpec, Ground, ObjectLightSpec, ShadowSpec
from pipeline.domain.look_draws import (
    EdgeDraws,
    drawn_camera,
    drawn_object_light,
    drawn_shadow,
    light_match_of,
    start_of,
)
from pipeline.domain.photos import Photo
from pipeline.domain.plan_rules import Drawn, plan_rule, stream_of
from pipeline.domain.poses import foot
from pipeline.domain.recipe import ARRANGEMENT, AUTO, Recipe, refuse_too_many
from pipeline.domain.spec import PLAN_VERSION, ControlSource, ControlSpec, Method, ObjectSpec, SampleSpec
from pipeline.errors import InvalidRecipe, InvalidRequest, NoUsablePhotos

_NO_MODEL = "none"
_SEEDS = 2**31
_STANDS = 0.06  # how far below the ground's far edge an object's foot must lie, as a share of the canvas
_HEAD_OBJECTS = 40  # that an outline places: so many samples, or fewer where each holds several objects
_HEAD_PROMPTS = 200  # samples whose class, method and prompt an outline draws
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a plan must know of a checkpoint; `size` is the side of its native image in pixels.

    `guidance_rescale`, 0 to 1, belongs to the checkpoint: it keeps guidance from overexposing images where the noise
    schedule ends in pure noise ("Common Diffusion Noise Schedules and Sample Steps are Flawed", arXiv 2305.08891,
    section 3.4).
    """

    name: str
    revision: str
    size: int
    steps: int
    guidance_scale: float
    guidance_rescale: float = 0.0
    revisions: Mapping[Method, str] = field(
        default_factory=dict
    )  # method → its own; empty: `revision` for any

    def revision_for(self, method: Method) -> str:
        """Return the revision of all weights that a method uses.

        Raises:
            InvalidRequest: the model does not offer this method.
        """
        if self.revisions and method not in self.revisions:
            raise InvalidRequest(
                f"model '{self.name}' does not offer method '{method}'; "
                f"choose {' or '.join(self.revisions)}, or another model"
            )
        return self.revisions.get(method, self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOutline:
    """What a plan holds, from its first samples and the shares of the others: the work does not grow with `total`.

    Counts are those of the plan where `exact`. Else those of classes and methods are within one of the plan's, and
    those of slot values are the ones of the first 200 samples, scaled.
    """

    total: int
    head: tuple[SampleSpec, ...]  # the first samples, the same as the plan's
    classes: dict[str, int]
    methods: dict[Method, int]
    slots: dict[str, dict[str, int]]  # slot → value → count
    prompts: tuple[str, ...]  # the different prompts of the first samples, in order
    exact: bool


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything that decides the samples of a plan, and nothing else does. The order of `photos` does not matter."""

    recipe: Recipe
    photos: Sequence[Photo]  # those without a cut-out are left out
    _: KW_ONLY
    model: ModelFacts  # gives what the recipe leaves out
    backdrop_ids: Sequence[str] = ()  # stored backgrounds for method `paste` and start `picture`
    grounds: Mapping[str, Ground] = field(
        default_factory=dict
    )  # background id → its ground, where it is known
    reference_id: str | None = None  # the reference image for a ControlNet with source `reference`
    count: int | None = None  # this, `method` and `seed` replace the recipe's own
    method: Method | None = None
    seed: int | None = None
    kept: Sequence[SampleSpec] = ()  # samples that are there already: the plan makes up for what they lack
    version: int = PLAN_VERSION  # of the rule; an earlier one for a plan that was begun with it
    begun_size: int | None = None  # of the images of a plan that was begun and goes on

    @property
    def size(self) -> int:
        """The side of the images in pixels."""
        if self.recipe.size != AUTO:
            return self.recipe.size or self.model.size
        return self.begun_size or automatic_size(self.model.size, self.drawn_objects)

    @property
    def drawn_objects(self) -> DrawnObjects:
        """The objects that the plan draws from."""
        methods = self.recipe.methods if self.method is None else (self.method,)
        return objects_drawn(self.recipe, self.photos, methods)

    @property
    def total(self) -> int:
        """Return how many samples the plan has.

        Raises:
            InvalidRecipe: there are too many.
        """
        total = self.recipe.total if self.count is None else self.count
        refuse_too_many(total)
        return total


def objects_drawn(recipe: Recipe, photos: Iterable[Photo], methods: Iterable[Method]) -> DrawnObjects:
    """Return the objects of the photos that a recipe draws from, and how large images show them.

    Args:
        recipe: with plain numbers.
        methods: of the plan; none is drawn where no method places objects.
    """
    wanted = recipe.classes if any(method.facts.places_object for method in methods) else ()
    drawn = (
        photo for photo in photos if photo.cutout_id is not None and (wanted is None or photo.label in wanted)
    )
    return DrawnObjects.of(drawn, max(ranges.scale[1] for ranges in recipe.arrangements.values()))


def plan(inputs: PlanInputs, *, before_each: Callable[[], None] | None = None) -> list[SampleSpec]:
    """Decide all samples of a plan, in order; arguments and errors are those of `planned_specs`."""
    return list(planned_specs(inputs, before_each=before_each))


def planned_specs(
    inputs: PlanInputs, *, before_each: Callable[[], None] | None = None
) -> Iterator[SampleSpec]:
    """Decide the samples of a plan one after the other, so that none has to be kept in memory.

    Classes and photos are used in balance: after any number of samples every count is within one of its share. So are
    methods, slot values, numbers of objects, parts of the pose's ranges and backgrounds **within each class**, and with
    them, nearly, over all classes: what a sample is made of tells nothing about its class. A larger `count` only adds
    samples at the end, where classes have no counts of their own.

    Args:
        before_each: called before each sample is decided; what it raises ends the planning.

    Raises:
        NoUsablePhotos: no photo with a cut-out, or none of a class that the recipe names.
        InvalidRecipe: a slot runs out of values for a class, `paste` has no backgrounds, or there are too many samples.
        InvalidRequest: the model does not offer one of the methods.
    """
    draws, total = _Draws(inputs), inputs.total

    def specs() -> Iterator[SampleSpec]:
        for index in range(total):
            if before_each:
                before_each()
            yield draws.spec(index, draws.words())

    return specs()


def plan_outline(inputs: PlanInputs) -> PlanOutline:
    """Tell what `plan` would hold, in bounded time for any count; the errors are those of `plan`."""
    draws = _Draws(inputs)
    total = inputs.total
    words = [draws.words() for _ in range(min(total, _HEAD_PROMPTS))]
    exact = total == len(words)
    prompted_words = [drawn for drawn in words if drawn.method.facts.needs_prompt]
    methods = Counter(drawn.method for drawn in words)
    if not exact:
        methods = Counter(shares_of(draws.methods, total))
    prompted = sum(number for kind, number in methods.items() if kind.facts.needs_prompt)
    scale = prompted / len(prompted_words) if prompted_words else 0.0
    return PlanOutline(
        total=total,
        head=tuple(_head(draws, words)),
        classes=dict(Counter(drawn.label for drawn in words))
        if exact
        else shares_of(draws.labels.weights, total),
        methods={kind: number for kind, number in methods.items() if number},
        slots=_scaled([drawn.choice for drawn in prompted_words], scale)
        | _scaled([drawn.arranged for drawn in words], total / len(words)),
        prompts=tuple(dict.fromkeys(drawn.prompt for drawn in prompted_words)),
        exact=exact,
    )


def _head(draws: _Draws, words: Sequence[_Words]) -> Iterator[SampleSpec]:
    """Decide the first samples, until they hold so many objects that deciding them takes noticeable time."""
    objects = 0
    for index, drawn in enumerate(words):
        if objects >= _HEAD_OBJECTS:
            return
        spec = draws.spec(index, drawn)
        objects += len(spec.objects)
        yield spec


def _scaled(choices: Sequence[Choice], scale: float) -> dict[str, dict[str, int]]:
    """Count the values of each slot, and scale the counts."""
    slots: dict[str, Counter[str]] = {}
    for choice in choices:
        for slot, value in choice:
            slots.setdefault(slot, Counter())[value] += 1
    return {
        slot: {value: round(number * scale) for value, number in counts.items()}
        for slot, counts in slots.items()
    }


def outline_of(specs: Sequence[SampleSpec]) -> PlanOutline:
    """Tell what specs that are decided already hold."""
    return PlanOutline(
        total=len(specs),
        head=tuple(specs[:_HEAD_OBJECTS]),
        classes=dict(Counter(spec.label for spec in specs)),
        methods=dict(Counter(spec.method for spec in specs)),
        slots=_scaled([spec.slots for spec in specs], 1.0),
        prompts=tuple(dict.fromkeys(spec.prompt for spec in specs if spec.prompt)),
        exact=True,
    )


def shares_of(weights: Mapping[Key, float], total: int) -> dict[Key, int]:
    """Divide a count by weights: each part within one of its share, together the count (largest remainders first)."""
    whole = sum(weights.values())
    shares = {key: total * weight / whole for key, weight in weights.items()}
    parts = {key: math.floor(share) for key, share in shares.items()}
    left = total - sum(parts.values())
    for key in sorted(shares, key=lambda key: parts[key] - shares[key])[:left]:
        parts[key] += 1
    return parts


@dataclass(frozen=True, slots=True)
class _Words:
    """What is decided of a sample before its objects are placed."""

    label: str
    method: Method
    choice: Choice
    prompt: str  # "" where the method needs none
    arrangement: str  # "" where the recipe has the same for all samples

    @property
    def arranged(self) -> Choice:
        """The arrangement, as a slot value."""
        return ((ARRANGEMENT, self.arrangement),) if self.arrangement else ()


class _Draws:
    """The running state of a plan."""

    def __init__(self, inputs: PlanInputs) -> None:
        recipe, model = inputs.recipe, inputs.model
        self.recipe, self.model, self.reference_id = recipe, model, inputs.reference_id
        self.version = inputs.version
        self._stream = stream_of(recipe.seed if inputs.seed is None else inputs.seed)
        usable = _usable_by_class(inputs.photos)
        by_class = _of_recipe(recipe, usable)
        self.size = (inputs.size,) * 2
        weights = recipe.classes or dict.fromkeys(by_class, 1)
        self.labels = BalancedDraw(
            {label: float(weights[label]) for label in by_class}, self._stream("class")
        )
        methods = {inputs.method: 1.0} if inputs.method else recipe.methods
        for method in methods:
            if method.facts.needs_prompt:
                model.revision_for(method)  # refuses a method that the model does not offer
        self.methods = methods
        self.known = {photo.id: photo for photo in inputs.photos}
        backgrounds = sorted(set(inputs.backdrop_ids))
        if not backgrounds and recipe.needs_backgrounds(methods):
            wanting = "method 'paste'" if Method.PASTE in methods else "start 'picture'"
            raise InvalidRecipe(f"{wanting} needs background images; set backdrops.folder")
        self.grounds = inputs.grounds
        drawn = Drawn(
            recipe=recipe,
            methods=methods,
            photos={label: [photo.id for photo in of_class] for label, of_class in by_class.items()},
            backgrounds=backgrounds,
        )
        self.rule = plan_rule(inputs.version, drawn, self._stream)
        self.edges = EdgeDraws(recipe, self._stream)
        is_beside = recipe.distractors and any(method.facts.places_object for method in methods)
        self.beside = DistractorDraws(recipe, usable, list(by_class), self._stream) if is_beside else None
        for spec in inputs.kept:
            if spec.label in by_class:
                self._count(spec)

    def _count(self, spec: SampleSpec) -> None:
        """Count a sample that is there already."""
        self.rule.count(spec)
        self.edges.count(spec)
        if self.beside:
            self.beside.count(spec)

    def words(self) -> _Words:
        """Draw class, method and prompt of the next sample."""
        label = _given(self.labels.draw())
        method = self.rule.method(label)
        choice, arrangement = self.rule.choice(label, method), self.rule.arrangement(label)
        if not method.facts.needs_prompt:
            return _Words(label, method, (), "", arrangement)
        prompt = prompt_of(self.recipe.backdrops.template, choice)
        if method is Method.TEXT_TO_IMAGE:
            prompt = (
                self.recipe.backdrops.text_to_image_prefix.replace("{label}", label.replace("_", " "))
                + prompt
            )
        return _Words(label, method, choice, prompt, arrangement)

    def spec(self, index: int, words: _Words) -> SampleSpec:
        """Decide the sample at a place of the plan; to be called in order."""
        rng = self._stream(f"sample {index}")
        diffuses, has_object = words.method.facts.needs_prompt, words.method.facts.places_object
        objects = self._objects(rng, words)
        start = start_of(self.recipe, words.method)
        on_picture = start is not None or words.method.facts.needs_background
        background = self._background(words.label, objects) if on_picture else None
        shadow = self._shadow(index, background)
        return SampleSpec(
            label=words.label,
            objects=objects,
            prompt=words.prompt,
            negative_prompt=self.recipe.backdrops.negative if diffuses else None,
            slots=words.choice + words.arranged,
            method=words.method,
            model=self.model.name if diffuses else _NO_MODEL,
            revision=self.model.revision_for(words.method) if diffuses else "",
            size=self.size,
            steps=(self.recipe.steps or self.model.steps) if diffuses else 0,
            guidance_scale=self._guidance() if diffuses else 0.0,
            seed=int(rng.random() * _SEEDS),
            control=self._control() if words.method.facts.needs_control else None,
            backdrop_id=background,
            plan_version=self.version,
            start=start,
            shadow=shadow,
            match_detail=self.recipe.match_detail and has_object,
            match_light=light_match_of(self.recipe) if has_object else None,
            edge=self.edges.edge(words.label, index) if has_object else None,
            fake_seam=self.edges.fake_seam(words.label, index) if has_object else None,
            camera=self._camera(index),
            object_light=self._object_light(index) if has_object else None,
            distractors=self._distractors(index, words, objects, background, shadow) if has_object else (),
        )

    def _distractors(
        self,
        index: int,
        words: _Words,
        objects: Sequence[ObjectSpec],
        background: str | None,
        shadow: ShadowSpec | None,
    ) -> tuple[DistractorSpec, ...]:
        if self.beside is None:
            return ()
        ground = self.grounds.get(background) if background else None
        scene = Scene(
            index=index,
            label=words.label,
            arrangement=words.arrangement,
            objects=[(placed.placement, _given(self.known[placed.photo_id].box)) for placed in objects],
            size=self.size,
            azimuth=shadow.azimuth if shadow else None,
            edge=ground.edge + _STANDS if ground and ground.edge else 0.0,
        )
        return self.beside.distractors(scene)

    def _background(self, label: str, objects: Sequence[ObjectSpec]) -> str:
        """Draw a background in which every object stands on the ground, where one is known."""
        floating: set[str] = set()
        if self.grounds:
            boxes = [_given(self.known[placed.photo_id].box) for placed in objects]
            feet = (
                foot(placed.placement, box, self.size) for placed, box in zip(objects, boxes, strict=True)
            )
            highest = min(feet)
            floating = {name for name, ground in self.grounds.items() if highest < ground.edge + _STANDS}
        return self.rule.background(label, floating)

    def _shadow(self, index: int, background: str | None) -> ShadowSpec | None:
        if background is None or not self.recipe.shadow:
            return None
        return drawn_shadow(self._stream(f"shadow {index}"), self.grounds.get(background))

    def _camera(self, index: int) -> CameraSpec | None:
        camera = self.recipe.camera
        return drawn_camera(self._stream(f"camera {index}"), camera) if camera else None

    def _object_light(self, index: int) -> ObjectLightSpec | None:
        light = self.recipe.object
        return drawn_object_light(self._stream(f"object light {index}"), light) if light else None

    def _objects(self, rng: random.Random, words: _Words) -> tuple[ObjectSpec, ...]:
        label, poses = words.label, self.rule.poses(words.arrangement)
        number = poses.number(rng, label)
        photos = [self.known[photo_id] for photo_id in self.rule.photos(label, number)]
        placements = poses.placements(rng, label, [_given(photo.box) for photo in photos], self.size)
        back_to_front = sorted(zip(photos, placements, strict=True), key=lambda pair: pair[1].y)
        return tuple(
            ObjectSpec(photo_id=photo.id, cutout_id=_given(photo.cutout_id), placement=placement)
            for photo, placement in back_to_front
        )

    def _guidance(self) -> float:
        own = self.recipe.guidance_scale
        return self.model.guidance_scale if own is None else own

    def _control(self) -> ControlSpec:
        control = self.recipe.control
        reference = self.reference_id if control.source is ControlSource.REFERENCE else None
        return ControlSpec(source=control.source, scale=control.scale, reference_id=reference)


def _usable_by_class(photos: Sequence[Photo]) -> dict[str, list[Photo]]:
    """The photos that have a cut-out, by class; classes and photos in order of name and id."""
    by_class: dict[str, list[Photo]] = {}
    for photo in sorted(photos, key=lambda photo: (photo.label, photo.id)):
        if photo.cutout_id is not None and photo.box is not None:
            by_class.setdefault(photo.label, []).append(photo)
    if not by_class:
        raise NoUsablePhotos(
            "the library has no usable training photo; import some, or check the masks that are in doubt"
        )
    return by_class


def _of_recipe(recipe: Recipe, by_class: Mapping[str, list[Photo]]) -> dict[str, list[Photo]]:
    """The photos of the classes that a recipe draws."""
    if recipe.classes is None:
        return dict(by_class)
    if missing := sorted(set(recipe.classes) - set(by_class)):
        known = ", ".join(by_class)
        raise NoUsablePhotos(
            f"the recipe wants class '{missing[0]}', which has no usable photo; there are: {known}"
        )
    return {label: by_class[label] for label in sorted(recipe.classes)}


def _given(value: Value | None) -> Value:
    assert value is not None
    return value
