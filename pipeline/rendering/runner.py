"""Render specs to finished samples: place, guide, generate, composite, score. Imports neither a library nor torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.domain.descriptors import descriptor
from pipeline.domain.distractors import DistractorSpec, ShapeSpec
from pipeline.domain.images import RGB, fitted
from pipeline.domain.placement import Cutout, Layer, Placed, place
from pipeline.domain.quality import gates_failed, scores
from pipeline.domain.run_lengths import run_lengths
from pipeline.domain.sample_facts import SampleFacts, SeenDistractor
from pipeline.domain.spec import ControlSource, SampleSpec
from pipeline.errors import Cancelled, ModelUnavailable, StudioError
from pipeline.rendering import Generator, Job, control_image
from pipeline.rendering.camera import photographed
from pipeline.rendering.composite import unchanged_share
from pipeline.rendering.generator import IsCancelled, OnStep
from pipeline.rendering.light import Light, object_light
from pipeline.rendering.object_light import lit
from pipeline.rendering.shadows import with_shadow
from pipeline.rendering.shapes import shape_cutout


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSample:
    """A finished sample.

    For method `text_to_image` no object was placed: the layer's alpha is 0 everywhere and there are no boxes.
    """

    image: RGB  # (H, W, 3) uint8
    layer: Layer  # the placed objects of its class; where its alpha is 255 the image equals it
    facts: SampleFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class InputImages:
    """Where the images that specs name come from."""

    load_cutout: Callable[[str], Cutout]  # by cut-out id
    load_scene: Callable[[str], RGB]  # the photo, by its id
    load_image: Callable[[str], RGB]  # backgrounds and references, by image id


@dataclass(slots=True)
class _Prepared:
    job: Job
    scene: _Scene
    seconds: float


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is placed in a sample, before anything is painted."""

    objects: Placed  # of the sample's class
    whole: Placed  # its distractors and, in front of them, its objects
    cutouts: Sequence[Cutout]  # of the objects

    @property
    def distractors(self) -> list[SeenDistractor]:
        """What is seen of each distractor."""
        whole, number = self.whole, len(self.whole.masks) - len(self.objects.masks)
        return [
            SeenDistractor(box=box, visible=visible, runs=run_lengths(mask))
            for box, visible, mask in zip(
                whole.boxes[:number], whole.visible[:number], whole.masks[:number], strict=True
            )
        ]


@dataclass(slots=True)
class _Run:
    """State shared by the steps of one call of `render_specs`."""

    images: InputImages
    on_sample: Callable[[SampleSpec, RenderedSample], None]
    on_failure: Callable[[SampleSpec, str], None]
    on_batch: Callable[[], None] | None
    on_step: OnStep | None
    cancelled: IsCancelled | None
    done: int = field(default=0)


def render_specs(
    specs: Sequence[SampleSpec],
    *,
    load_cutout: Callable[[str], Cutout],
    load_scene: Callable[[str], RGB],
    load_image: Callable[[str], RGB],
    generator_for: Callable[[str], Generator],
    batch_size: int,
    on_sample: Callable[[SampleSpec, RenderedSample], None],
    on_failure: Callable[[SampleSpec, str], None],
    on_batch: Callable[[], None] | None = None,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> None:
    """Render specs in batches of similar ones; each is passed to `on_sample` as soon as its batch is done.

    Args:
        specs: in plan order; those with equal method, model, size, steps, guidance, control scale and strength
            share batches.
        load_cutout: by cut-out id; load_scene: the photo, by its id; load_image: by image id.
        generator_for: the generator of a model name.
        batch_size: the largest number of specs in one forward pass.
        on_sample: receives a finished sample; an exception that it raises ends the run.
        on_failure: receives a spec whose inputs are unusable, and the reason; the other specs continue.
        on_batch: called when `on_sample` has received all samples of a batch; what it raises ends the run.
        on_step: receives the denoising steps done and in all, of the current batch.
        cancelled: asked between steps and batches.

    Raises:
        Cancelled: `cancelled` returned true; every sample that `on_sample` received is complete.
        ModelUnavailable: a model cannot be loaded, or has another revision than the specs were planned for.
        InvalidRequest: the model cannot generate what the specs ask for.
    """
    images = InputImages(load_cutout=load_cutout, load_scene=load_scene, load_image=load_image)
    run = _Run(images, on_sample, on_failure, on_batch, on_step, cancelled)
    for group in _alike(specs):
        _stop_if_asked(run)
        _render_group(group, generator_for, batch_size, run)


def _render_group(
    group: Sequence[SampleSpec], generator_for: Callable[[str], Generator], batch_size: int, run: _Run
) -> None:
    generator = generator_for(group[0].model)  # not kept after its group, so that the next model has room
    _check_revision(group[0], generator)
    for start in range(0, len(group), batch_size):
        _render_batch(group[start : start + batch_size], generator, run)


def _alike(specs: Sequence[SampleSpec]) -> Iterator[list[SampleSpec]]:
    """Group the specs that can share a forward pass, in the order of their first spec."""
    groups: dict[tuple[object, ...], list[SampleSpec]] = {}
    for spec in specs:
        scale = spec.control.scale if spec.control else None
        strength = spec.start.strength if spec.start else None
        key = (
            spec.method, spec.model, spec.revision, spec.size, spec.steps, spec.guidance_scale, scale, strength,
        )  # fmt: skip
        groups.setdefault(key, []).append(spec)
    yield from groups.values()


def _check_revision(spec: SampleSpec, generator: Generator) -> None:
    revision = generator.facts.revision_for(spec.method)
    if spec.revision != revision:
        raise ModelUnavailable(
            f"the plan was made for {spec.model} {spec.revision}, but this machine has {revision}; "
            "plan again with the model of this machine"
        )


def _stop_if_asked(run: _Run) -> None:
    if run.cancelled and run.cancelled():
        raise Cancelled(run.done)


def _render_batch(specs: Sequence[SampleSpec], generator: Generator, run: _Run) -> None:
    _stop_if_asked(run)
    ready = [prepared for spec in specs if (prepared := _prepared(spec, run))]
    if not ready:
        return
    started = time.perf_counter()
    try:
        images = generator.generate(
            [prepared.job for prepared in ready], on_step=run.on_step, cancelled=run.cancelled
        )
    except Cancelled:
        raise Cancelled(run.done) from None
    seconds = (time.perf_counter() - started) / len(ready)
    for prepared, image in zip(ready, images, strict=True):
        run.on_sample(prepared.job.spec, _finished(prepared, image, seconds))
        run.done += 1
    if run.on_batch:
        run.on_batch()


def _prepared(spec: SampleSpec, run: _Run) -> _Prepared | None:
    """Return the job of a spec; None where its inputs are unusable, which is reported."""
    started = time.perf_counter()
    try:
        scene = _scene(spec, run.images)
        job = Job(
            spec=spec,
            layer=scene.whole.layer,
            objects=scene.objects.layer.alpha,
            control=_control(spec, scene, run.images),
            backdrop=_background(spec, scene.whole, run.images),
            light=_light(spec, scene.objects, run.images),
        )
    except StudioError as error:
        run.on_failure(spec, str(error))
        return None
    return _Prepared(job, scene, time.perf_counter() - started)


def _scene(spec: SampleSpec, images: InputImages) -> _Scene:
    if not spec.method.facts.places_object:
        nothing = _nothing_placed(spec.size)
        return _Scene(nothing, nothing, [])
    cutouts = _in_light(spec, [images.load_cutout(placed.cutout_id) for placed in spec.objects])
    placements = [placed.placement for placed in spec.objects]
    objects = place(cutouts, placements, spec.size)
    if not spec.distractors:
        return _Scene(objects, objects, cutouts)
    others = _in_light(spec, [_distractor_cutout(each, spec.size, images) for each in spec.distractors])
    placements = [each.placement for each in spec.distractors] + placements
    return _Scene(objects, place([*others, *cutouts], placements, spec.size), cutouts)


def _in_light(spec: SampleSpec, cutouts: list[Cutout]) -> list[Cutout]:
    return [lit(cutout, spec.object_light) for cutout in cutouts] if spec.object_light else cutouts


def _distractor_cutout(distractor: DistractorSpec, size: tuple[int, int], images: InputImages) -> Cutout:
    if isinstance(distractor, ShapeSpec):
        return shape_cutout(distractor, size)
    return images.load_cutout(distractor.cutout_id)


def _nothing_placed(size: tuple[int, int]) -> Placed:
    empty = Layer(rgb=np.zeros((*size, 3), np.uint8), alpha=np.zeros(size, np.uint8))
    return Placed(layer=empty, masks=(), boxes=(), homographies=(), visible=())


def _background(spec: SampleSpec, placed: Placed, images: InputImages) -> RGB | None:
    """Return the background picture, cropped and scaled to the canvas, with the objects' shadow."""
    if spec.backdrop_id is None:
        return None
    picture = fitted(images.load_image(spec.backdrop_id), spec.size)
    return with_shadow(picture, placed.masks, spec.shadow) if spec.shadow else picture


def _light(spec: SampleSpec, placed: Placed, images: InputImages) -> Light | None:
    """Return the light of the front object, for a spec that matches light."""
    if spec.match_light is None:
        return None
    return object_light(images.load_scene(spec.front.photo_id), placed.layer.rgb, placed.layer.alpha)


def _control(spec: SampleSpec, scene: _Scene, images: InputImages) -> RGB | None:
    if spec.control is None:
        return None
    layer = scene.whole.layer
    match spec.control.source:
        case ControlSource.OBJECT:
            return control_image(layer)
        case ControlSource.SCENE:  # of the foremost object
            photo = images.load_scene(spec.objects[-1].photo_id)
            return control_image(layer, background=photo, erased=scene.cutouts[-1].alpha)
        case ControlSource.REFERENCE:
            assert spec.control.reference_id is not None
            return control_image(layer, background=images.load_image(spec.control.reference_id))


def _finished(prepared: _Prepared, image: RGB, generate_s: float) -> RenderedSample:
    started = time.perf_counter()
    spec, placed, whole = prepared.job.spec, prepared.scene.objects, prepared.scene.whole
    if spec.camera:
        image = photographed(image, spec.camera, seed=spec.seed)
    unchanged = unchanged_share(image, whole.layer)
    image_scores = scores(image, whole.layer.alpha, objects=placed.layer.alpha)
    if placed.visible:
        image_scores["visible"] = round(max(placed.visible), 6)
        image_scores |= {"exact": round(unchanged, 6)} if spec.keeps_object else {}
    image_descriptor = descriptor(image)
    score_s = time.perf_counter() - started
    facts = SampleFacts(
        boxes=placed.boxes,
        homographies=tuple(matrix.tolist() for matrix in placed.homographies),
        visible=placed.visible,
        scores=image_scores,
        failed_gates=gates_failed(image_scores),
        descriptor=image_descriptor,
        timings={
            "place": prepared.seconds,
            "generate": generate_s,
            "score": score_s,
            "total": prepared.seconds + generate_s + score_s,
        },
        exact=spec.object_light is None and unchanged == 1.0,
        distractors=prepared.scene.distractors,
    )
    return RenderedSample(image=image, layer=placed.layer, facts=facts)
