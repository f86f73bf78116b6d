"""Run specs to finished samples: place, guide, paint, composite, score. Knows no library and no torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.domain.diversity import descriptor
from pipeline.domain.images import RGB
from pipeline.domain.placement import Cutout, Layer, Placed, place
from pipeline.domain.quality import gates_failed, scores
from pipeline.domain.sample_facts import SampleFacts
from pipeline.domain.spec import ControlSource, SampleSpec
from pipeline.errors import Cancelled, ModelUnavailable, StudioError
from pipeline.rendering import Generator, Job, control_picture
from pipeline.rendering.composite import exact
from pipeline.rendering.generator import IsCancelled, OnStep


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSample:
    """A finished sample.

    For method `text_to_image` no object was placed: the layer's alpha is 0 everywhere and there are no boxes.
    """

    image: RGB  # (H, W, 3) uint8
    layer: Layer  # the placed objects; where its alpha is 255 the image equals it
    facts: SampleFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Where the pictures that specs name come from."""

    load_cutout: Callable[[str], Cutout]  # by cut-out id
    load_scene: Callable[[str], RGB]  # the photograph, by subject id
    load_picture: Callable[[str], RGB]  # backdrops and references, by blob id


@dataclass(slots=True)
class _Prepared:
    job: Job
    placed: Placed
    seconds: float


@dataclass(slots=True)
class _Run:
    """What the parts of one call of `render_specs` share."""

    pictures: Pictures
    on_sample: Callable[[SampleSpec, RenderedSample], None]
    on_failure: Callable[[SampleSpec, str], None]
    on_step: OnStep | None
    cancelled: IsCancelled | None
    done: int = field(default=0)


def render_specs(
    specs: Sequence[SampleSpec],
    *,
    load_cutout: Callable[[str], Cutout],
    load_scene: Callable[[str], RGB],
    load_picture: Callable[[str], RGB],
    generator_for: Callable[[str], Generator],
    batch_size: int,
    on_sample: Callable[[SampleSpec, RenderedSample], None],
    on_failure: Callable[[SampleSpec, str], None],
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> None:
    """Render specs in batches of alike ones; each sample is handed out as soon as its batch is done.

    Args:
        specs: in plan order; alike ones (method, model, size, steps, guidance, control scale) go together.
        load_cutout: by cut-out id; load_scene: the photograph by subject id; load_picture: by blob id.
        generator_for: the generator of a model name.
        batch_size: specs in one forward, at most.
        on_sample: takes a finished sample; what it raises ends the run.
        on_failure: takes a spec whose inputs are unusable and the reason; the others go on.
        on_step: denoising steps done and steps in all, of the batch in work.
        cancelled: asked between steps and batches.

    Raises:
        Cancelled: the person stopped; `done` samples were handed out, and nothing half-made.
        ModelUnavailable: a model cannot be loaded, or is not the revision that the specs were planned for.
        InvalidRequest: the model cannot draw what the specs ask for.
    """
    pictures = Pictures(load_cutout=load_cutout, load_scene=load_scene, load_picture=load_picture)
    run = _Run(pictures, on_sample, on_failure, on_step, cancelled)
    for group in _alike(specs):
        _stop_if_asked(run)
        _render_group(group, generator_for, batch_size, run)


def _render_group(
    group: Sequence[SampleSpec], generator_for: Callable[[str], Generator], batch_size: int, run: _Run
) -> None:
    generator = generator_for(group[0].model)  # not held beyond its group, so that the next model has room
    _check_revision(group[0], generator)
    for start in range(0, len(group), batch_size):
        _render_batch(group[start : start + batch_size], generator, run)


def _alike(specs: Sequence[SampleSpec]) -> Iterator[list[SampleSpec]]:
    """Specs that can share a forward, groups in the order of their first spec."""
    groups: dict[tuple[object, ...], list[SampleSpec]] = {}
    for spec in specs:
        scale = spec.control.scale if spec.control else None
        key = (spec.method, spec.model, spec.revision, spec.size, spec.steps, spec.guidance_scale, scale)
        groups.setdefault(key, []).append(spec)
    yield from groups.values()


def _check_revision(spec: SampleSpec, generator: Generator) -> None:
    revision = generator.facts.revision_for(spec.method)
    if spec.revision != revision:
        raise ModelUnavailable(
            f"the plan was made for {spec.model} {spec.revision}, on this machine it is "
            f"{revision}; plan again with the model that is here"
        )


def _stop_if_asked(run: _Run) -> None:
    if run.cancelled and run.cancelled():
        raise Cancelled(run.done)


def _render_batch(specs: Sequence[SampleSpec], generator: Generator, run: _Run) -> None:
    _stop_if_asked(run)
    ready = [one for one in (_prepared(spec, run) for spec in specs) if one]
    if not ready:
        return
    started = time.perf_counter()
    try:
        images = generator.generate([one.job for one in ready], on_step=run.on_step, cancelled=run.cancelled)
    except Cancelled:
        raise Cancelled(run.done) from None
    seconds = (time.perf_counter() - started) / len(ready)
    for one, image in zip(ready, images, strict=True):
        run.on_sample(one.job.spec, _finished(one, image, seconds))
        run.done += 1


def _prepared(spec: SampleSpec, run: _Run) -> _Prepared | None:
    """The job of a spec; None when its inputs are unusable, which is reported."""
    started = time.perf_counter()
    try:
        placed, cutouts = _placed(spec, run.pictures)
        job = Job(
            spec=spec,
            layer=placed.layer,
            control=_control(spec, placed, cutouts, run.pictures),
            backdrop=run.pictures.load_picture(spec.backdrop_id) if spec.backdrop_id else None,
        )
    except StudioError as error:
        run.on_failure(spec, str(error))
        return None
    return _Prepared(job, placed, time.perf_counter() - started)


def _placed(spec: SampleSpec, pictures: Pictures) -> tuple[Placed, list[Cutout]]:
    if not spec.method.facts.places_object:
        return _nothing_placed(spec.size), []
    cutouts = [pictures.load_cutout(one.cutout_id) for one in spec.objects]
    return place(cutouts, [one.placement for one in spec.objects], spec.size), cutouts


def _nothing_placed(size: tuple[int, int]) -> Placed:
    empty = Layer(rgb=np.zeros((*size, 3), np.uint8), alpha=np.zeros(size, np.uint8))
    return Placed(layer=empty, masks=(), boxes=(), homographies=(), visible=())


def _control(spec: SampleSpec, placed: Placed, cutouts: list[Cutout], pictures: Pictures) -> RGB | None:
    if spec.control is None:
        return None
    match spec.control.source:
        case ControlSource.OBJECT:
            return control_picture(placed.layer)
        case ControlSource.SCENE:  # of the foremost object
            scene = pictures.load_scene(spec.objects[-1].subject_id)
            return control_picture(placed.layer, ground=scene, erased=cutouts[-1].alpha)
        case ControlSource.REFERENCE:
            assert spec.control.reference_id is not None
            return control_picture(placed.layer, ground=pictures.load_picture(spec.control.reference_id))


def _finished(prepared: _Prepared, image: RGB, generate_s: float) -> RenderedSample:
    started = time.perf_counter()
    placed = prepared.placed
    image_scores = scores(image, placed.layer.alpha)
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
        exact=exact(image, placed.layer),
    )
    return RenderedSample(image=image, layer=placed.layer, facts=facts)
