"""Specs to samples: grouped, batched, scored, handed out as they finish, stopped cleanly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.domain.look import CameraSpec, ObjectLightSpec
from pipeline.domain.placement import Cutout, Placement, box_centre, object_box, warp
from pipeline.domain.plan import ModelFacts
from pipeline.domain.spec import ControlSource, ControlSpec, Method, ObjectSpec, SampleSpec
from pipeline.errors import Cancelled, InvalidRequest, LibraryUnusable, ModelUnavailable, NotFound
from pipeline.rendering import Job, load, model_facts
from pipeline.rendering.composite import composite
from pipeline.rendering.runner import RenderedSample, render_specs
from tests.rendering.jobs import noise, soft_square, spec
from tests.rendering.tiny import save_tiny_sdxl

CUTOUT = Cutout(rgb=noise(11, (80, 80)), alpha=soft_square((80, 80)))


class Painter:
    """A `Generator` that gives each job one flat colour, its seed; remembers the batches."""

    def __init__(self) -> None:
        self.facts = ModelFacts(name="tiny", revision="", size=64, steps=2, guidance_scale=2.0)
        self.batches: list[list[Job]] = []

    def generate(
        self, jobs: Sequence[Job], *, on_step: Any = None, cancelled: Any = None
    ) -> list[np.ndarray]:
        self.batches.append(list(jobs))
        if on_step:
            on_step(1, 1)
        if cancelled and cancelled():
            raise Cancelled
        return [composite(job.layer, np.full_like(job.layer.rgb, job.spec.seed)) for job in jobs]


class Collector:
    """What a run hands out."""

    def __init__(self) -> None:
        self.samples: dict[str, RenderedSample] = {}
        self.failures: list[tuple[str, str]] = []

    def take(self, planned: SampleSpec, sample: RenderedSample) -> None:
        assert planned.id not in self.samples
        self.samples[planned.id] = sample

    def refuse(self, planned: SampleSpec, sentence: str) -> None:
        self.failures.append((planned.id, sentence))


def run(specs: Sequence[SampleSpec], painter: Any, collector: Collector, **given: Any) -> None:
    """Render with toy images; `given` replaces arguments."""
    arguments: dict[str, Any] = {
        "load_cutout": lambda _id: CUTOUT,
        "load_scene": lambda _id: CUTOUT.rgb,
        "load_image": lambda _id: noise(12, (128, 100)),
        "generator_for": lambda _name: painter,
        "batch_size": 4,
        "on_sample": collector.take,
        "on_failure": collector.refuse,
    }
    render_specs(specs, **{**arguments, **given})


def missing(gone: str) -> Callable[[str], Cutout]:
    def load_cutout(cutout_id: str) -> Cutout:
        if cutout_id == gone:
            raise NotFound("cut-out", cutout_id)
        return CUTOUT

    return load_cutout


def of_cutout(seed: int, cutout_id: str) -> SampleSpec:
    return spec(seed, objects=(ObjectSpec(photo_id="photo", cutout_id=cutout_id, placement=Placement()),))


def test_every_spec_is_handed_out_once_and_exact() -> None:
    collector = Collector()
    specs = [spec(seed) for seed in range(10)]
    run(specs, Painter(), collector)
    assert list(collector.samples) == [planned.id for planned in specs]
    assert all(sample.facts.exact for sample in collector.samples.values())


def test_objects_in_another_light_are_stored_as_not_exact() -> None:
    collector = Collector()
    plain, dark = spec(1), spec(1, object_light=ObjectLightSpec(brightness=0.5))
    run([plain, dark], Painter(), collector)
    opaque = collector.samples[plain.id].layer.alpha == 255
    before, after = (collector.samples[each.id].image[opaque].astype(int) for each in (plain, dark))
    assert np.abs(after - before / 2).max() <= 1  # colours are rounded before and after the warp
    assert (collector.samples[plain.id].facts.exact, collector.samples[dark.id].facts.exact) == (True, False)
    assert (plain.keeps_object, dark.keeps_object) == (True, False)


def test_a_sample_equals_the_warped_photo_where_its_mask_is_1() -> None:
    placements = (Placement(x=0.4, rotation=33.0, yaw=25.0, scale=0.5), Placement(scale=0.9, flip=True))
    specs = [
        spec(1, objects=(ObjectSpec(photo_id="photo", cutout_id="c", placement=placement),))
        for placement in placements
    ]
    collector = Collector()
    run(specs, Painter(), collector)
    for sample in collector.samples.values():
        opaque = sample.layer.alpha == 255
        at = box_centre(object_box(CUTOUT.alpha))
        warped = warp(CUTOUT.rgb, np.array(sample.facts.homographies[0]), (64, 64), at=at)
        assert opaque.sum() > 50
        assert np.array_equal(sample.image[opaque], warped[opaque])


def test_batches_hold_alike_specs_only_and_no_more_than_asked() -> None:
    painter = Painter()
    specs = [
        spec(0),
        spec(1, steps=3),
        spec(2),
        spec(3),
        spec(4, guidance_scale=3.0),
        spec(5),
        spec(6, steps=3),
    ]
    run(specs, painter, Collector(), batch_size=3)
    assert [[job.spec.seed for job in batch] for batch in painter.batches] == [[0, 2, 3], [5], [1, 6], [4]]


def test_specs_with_another_control_scale_do_not_share_a_forward() -> None:
    painter = Painter()
    specs = [
        spec(seed, Method.CONTROLNET, control=ControlSpec(scale=scale))
        for seed, scale in ((0, 0.5), (1, 1.0))
    ]
    run(specs, painter, Collector())
    assert [len(batch) for batch in painter.batches] == [1, 1]


def test_scores_descriptor_and_times_come_with_a_sample() -> None:
    collector = Collector()
    run([spec(200)], Painter(), collector)
    sample = collector.samples[spec(200).id]
    assert {"sharpness", "seam", "halo"} <= set(sample.facts.scores)
    assert sample.facts.descriptor is not None
    assert sample.facts.descriptor.dtype == np.float32
    times = sample.facts.timings
    assert times["total"] == pytest.approx(times["place"] + times["generate"] + times["score"])


def test_a_flat_black_background_fails_a_gate() -> None:
    collector = Collector()
    run([replace(spec(0), objects=of_cutout(0, "c").objects)], Painter(), collector, load_cutout=lambda _: Cutout(
        rgb=np.zeros((80, 80, 3), np.uint8), alpha=soft_square((80, 80))))  # fmt: skip
    (sample,) = collector.samples.values()
    assert ("under_exposed", 1.0) in [(failure.gate, failure.value) for failure in sample.facts.failed_gates]


def test_a_changed_object_fails_a_gate_unless_the_spec_asks_for_it() -> None:
    class Careless(Painter):
        def generate(self, jobs: Sequence[Job], **given: Any) -> list[np.ndarray]:
            return [np.full_like(image, 99) for image in super().generate(jobs, **given)]

    collector = Collector()
    with_camera = spec(1, camera=CameraSpec(noise=2.0))
    run([spec(0), with_camera], Careless(), collector)
    careless, camera = (collector.samples[each.id].facts for each in (spec(0), with_camera))
    assert careless.scores["exact"] < 0.1
    assert "exact" in [failure.gate for failure in careless.failed_gates]
    assert "exact" not in camera.scores


def test_the_share_of_an_object_that_shows_is_a_score() -> None:
    half_out = ObjectSpec(photo_id="photo", cutout_id="c", placement=Placement(x=0.0))
    whole = ObjectSpec(photo_id="photo", cutout_id="c", placement=Placement(x=0.6, scale=0.3))
    collector = Collector()
    specs = [spec(0, objects=(half_out,)), spec(0, objects=(half_out, whole))]
    run(specs, Painter(), collector)
    cut, both = (collector.samples[each.id].facts.scores["visible"] for each in specs)
    assert cut == pytest.approx(0.5, abs=0.05)
    assert both > 0.95  # of the one that shows best


def test_the_baseline_has_no_object_no_boxes_and_loads_no_cutout() -> None:
    collector, painter = Collector(), Painter()
    run([spec(9, Method.TEXT_TO_IMAGE)], painter, collector, load_cutout=missing("cut-out"))
    (sample,) = collector.samples.values()
    assert collector.failures == []
    assert not sample.layer.alpha.any()
    assert (sample.facts.boxes, sample.facts.homographies) == ((), ())
    assert "seam" not in sample.facts.scores
    assert sample.facts.exact


def test_pasting_uses_the_backdrop_that_the_spec_names() -> None:
    asked: list[str] = []

    def image(blob_id: str) -> np.ndarray:
        asked.append(blob_id)
        return noise(12, (128, 100))

    collector = Collector()
    run(
        [spec(0, Method.PASTE, model="none")],
        None,
        collector,
        load_image=image,
        generator_for=load,
    )
    assert asked == ["backdrop"]
    assert next(iter(collector.samples.values())).facts.exact


@pytest.mark.parametrize("source", list(ControlSource))
def test_every_control_source_gives_another_edge_image(source: ControlSource) -> None:
    painter = Painter()
    reference = "ref" if source is ControlSource.REFERENCE else None
    run(
        [spec(0, Method.CONTROLNET, control=ControlSpec(source=source, reference_id=reference))],
        painter,
        Collector(),
    )
    control = painter.batches[0][0].control
    corner = control[:8, :8]  # far from the object
    assert corner.any() == (source is not ControlSource.OBJECT)


def test_a_spec_without_its_cutout_is_reported_and_the_others_go_on() -> None:
    collector = Collector()
    specs = [of_cutout(0, "a"), of_cutout(1, "gone"), of_cutout(2, "b")]
    run(specs, Painter(), collector, load_cutout=missing("gone"))
    assert list(collector.samples) == [specs[0].id, specs[2].id]
    assert collector.failures == [(specs[1].id, str(NotFound("cut-out", "gone")))]


def test_a_batch_of_nothing_but_failures_asks_the_model_for_nothing() -> None:
    collector, painter = Collector(), Painter()
    run([of_cutout(0, "gone")], painter, collector, load_cutout=missing("gone"))
    assert painter.batches == []
    assert len(collector.failures) == 1


def test_stopping_keeps_finished_batches_and_says_how_many() -> None:
    collector, painter = Collector(), Painter()
    with pytest.raises(Cancelled) as caught:
        run([spec(seed) for seed in range(9)], painter, collector, batch_size=2,
            cancelled=lambda: len(painter.batches) == 3)  # fmt: skip
    assert caught.value.done == 4
    assert len(collector.samples) == 4


def test_an_error_of_the_store_ends_the_run() -> None:
    def full(_spec: SampleSpec, _sample: RenderedSample) -> None:
        raise LibraryUnusable("the disk is full")

    collector, painter = Collector(), Painter()
    with pytest.raises(LibraryUnusable, match="the disk is full"):
        run([spec(seed) for seed in range(9)], painter, collector, on_sample=full)
    assert len(painter.batches) == 1
    assert collector.failures == []


def test_a_plan_for_other_weights_is_refused_before_anything_is_drawn() -> None:
    painter = Painter()
    with pytest.raises(ModelUnavailable, match="made for tiny abc, but this machine has ; plan again"):
        run([spec(0, revision="abc")], painter, Collector())
    assert painter.batches == []


def test_real_pipelines_render_all_methods_alike_in_batches_and_alone(tmp_path: Path) -> None:
    folder = str(save_tiny_sdxl(tmp_path / "tiny"))
    revision = model_facts(folder).revision
    methods = (Method.INPAINT, Method.CONTROLNET, Method.TEXT_TO_IMAGE)
    specs = [spec(seed, method, model=folder, revision=revision) for seed in range(2) for method in methods]
    together, again, alone = Collector(), Collector(), Collector()
    run(specs, None, together, generator_for=load)
    run(specs, None, again, generator_for=load)
    run(specs, None, alone, generator_for=load, batch_size=1)
    for planned in specs:
        image = together.samples[planned.id].image
        assert np.array_equal(image, again.samples[planned.id].image)
        assert np.abs(image.astype(int) - alone.samples[planned.id].image).max() <= 1
        assert together.samples[planned.id].facts.exact


def test_a_size_that_the_model_cannot_draw_ends_the_run_with_the_sentence(tmp_path: Path) -> None:
    folder = str(save_tiny_sdxl(tmp_path / "tiny"))
    odd = spec(0, model=folder, revision=model_facts(folder).revision, size=(66, 66))
    with pytest.raises(InvalidRequest, match="the size is 66x66 px"):
        run([odd], None, Collector(), generator_for=load)
