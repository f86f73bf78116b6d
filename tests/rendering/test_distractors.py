"""Distractors in images: kept exactly, blended as the objects are, behind them; each with box and mask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.domain.distractor_draws import shape_box
from pipeline.domain.distractors import OtherObjectSpec, ShapeForm, ShapeSpec
from pipeline.domain.look import CameraSpec, EdgeKind, EdgeSpec, ObjectLightSpec, ShadowSpec
from pipeline.domain.placement import Cutout, Placement, object_box, place
from pipeline.domain.quality import object_share, scores
from pipeline.domain.run_lengths import mask_of_runs
from pipeline.domain.spec import Method, ObjectSpec, SampleSpec
from pipeline.rendering import NO_MODEL, Job, load
from pipeline.rendering.detail import matched_detail
from pipeline.rendering.runner import RenderedSample, render_specs
from pipeline.rendering.shapes import shape_cutout
from tests.rendering.jobs import noise, soft_square, spec
from tests.rendering.test_runner import Collector, Painter

SIZE = (96, 96)
CUTOUTS = {
    name: Cutout(rgb=noise(seed, (80, 80)), alpha=soft_square((80, 80))) for seed, name in enumerate("ab")
}
SHAPE = ShapeSpec(
    form=ShapeForm.BOX, placement=Placement(x=0.8, y=0.2, scale=0.25, rotation=20.0), colour=(90, 120, 130),
    aspect=0.6, roundness=0.3, relief=0.4, texture=0.1, azimuth=70.0, seed=5,
)  # fmt: skip
OTHER = OtherObjectSpec(
    label="nut", photo_id="n", cutout_id="b", placement=Placement(x=0.3, y=0.3, scale=0.4, rotation=30.0)
)
OWN = ObjectSpec(photo_id="p", cutout_id="a", placement=Placement(x=0.5, y=0.6, scale=0.5, yaw=20.0))


def of(method: Method = Method.PASTE, **given: Any) -> SampleSpec:
    model = {"model": NO_MODEL, "revision": "", "steps": 0} if method is Method.PASTE else {}
    return spec(
        3, method, **{"objects": (OWN,), "size": SIZE, "distractors": (OTHER, SHAPE), **model, **given}
    )


def rendered(wanted: SampleSpec, generator: Any = None) -> RenderedSample:
    collector = Collector()
    render_specs(
        [wanted],
        load_cutout=CUTOUTS.__getitem__,
        load_scene=lambda _id: CUTOUTS["a"].rgb,
        load_image=lambda _id: noise(12, (128, 100)),
        generator_for=lambda _name: generator or load(NO_MODEL),
        batch_size=4,
        on_sample=collector.take,
        on_failure=collector.refuse,
    )
    assert collector.failures == []
    return collector.samples[wanted.id]


def whole_layer(wanted: SampleSpec) -> Any:
    cutouts = [CUTOUTS["b"], shape_cutout(SHAPE, SIZE), CUTOUTS["a"]]
    return place(cutouts, [OTHER.placement, SHAPE.placement, OWN.placement], wanted.size)


@pytest.mark.parametrize("kind", [None, *EdgeKind])
def test_objects_and_distractors_keep_their_pixels_whatever_the_edge(kind: EdgeKind | None) -> None:
    edge = EdgeSpec(kind=kind, reach_px=2.0) if kind else None
    wanted = of(edge=edge, shadow=ShadowSpec(azimuth=90, elevation=45, pitch=60, height=0.3, darkness=0.6))
    sample, placed = rendered(wanted), whole_layer(wanted)
    opaque = placed.layer.alpha == 255
    assert np.array_equal(sample.image[opaque], placed.layer.rgb[opaque])
    assert sample.facts.exact
    assert sample.facts.scores["exact"] == 1.0


def test_the_object_is_as_it_would_be_alone() -> None:
    sample, alone = rendered(of()), rendered(of(distractors=()))
    opaque = alone.layer.alpha == 255
    assert np.array_equal(sample.layer.alpha, alone.layer.alpha)
    assert np.array_equal(sample.image[opaque], alone.image[opaque])
    for name in ("boxes", "homographies", "visible"):
        assert getattr(sample.facts, name) == getattr(alone.facts, name)
    assert sample.facts.scores["object_share"] == alone.facts.scores["object_share"]
    assert (len(sample.facts.distractors), alone.facts.distractors) == (2, [])


def test_each_distractor_has_the_box_and_the_mask_of_its_visible_part() -> None:
    wanted = of()
    sample, placed = rendered(wanted), whole_layer(wanted)
    for place_, seen in enumerate(sample.facts.distractors):
        assert seen.box == placed.boxes[place_] == object_box(mask_of_runs(seen.runs, SIZE))
        assert np.array_equal(mask_of_runs(seen.runs, SIZE) == 255, placed.masks[place_] > 127)
    other, shape = sample.facts.distractors
    assert not np.any((mask_of_runs(other.runs, SIZE) == 255) & (sample.layer.alpha == 255))
    assert other.visible < 0.95 < shape.visible  # the object stands before the one, the other stands alone


def test_a_distractor_that_is_changed_makes_the_sample_inexact() -> None:
    class Smearing:
        facts = Painter().facts

        def generate(self, jobs: list[Job], **_given: Any) -> list[np.ndarray]:
            images = []
            for job in jobs:
                image = job.layer.rgb.copy()
                image[job.objects == 0] = 77  # all but the object itself
                images.append(image)
            return images

    sample = rendered(of(Method.INPAINT), Smearing())
    assert not sample.facts.exact
    assert [failure.gate for failure in sample.facts.failed_gates if failure.gate == "exact"] == ["exact"]
    assert rendered(of(Method.INPAINT, distractors=()), Smearing()).facts.exact


def test_what_is_painted_leaves_distractors_out_and_edges_guide_round_them() -> None:
    painter = Painter()
    rendered(of(Method.CONTROLNET), painter)
    (job,) = painter.batches[0]
    shape_box_ = whole_layer(job.spec).boxes[1]
    x0, y0, x1, y1 = shape_box_
    assert (job.layer.alpha[y0:y1, x0:x1] == 255).mean() > 0.4
    assert job.control is not None
    assert job.control[y0:y1, x0:x1].max() == 255
    assert job.objects is not None
    assert job.objects[y0:y1, x0:x1].max() == 0


def test_the_light_on_the_objects_falls_on_distractors_too() -> None:
    plain, dark = rendered(of()), rendered(of(object_light=ObjectLightSpec(brightness=0.5)))
    inside = mask_of_runs(plain.facts.distractors[1].runs, SIZE) == 255
    layer = whole_layer(of()).layer
    opaque = inside & (layer.alpha == 255)
    assert np.abs(dark.image[opaque].astype(int) - plain.image[opaque] / 2).max() <= 1


def test_a_camera_sees_distractors_too() -> None:
    sample, seen = rendered(of()), rendered(of(camera=CameraSpec(blur_px=2.0)))
    inside = mask_of_runs(sample.facts.distractors[1].runs, SIZE) == 255
    assert (sample.image[inside] != seen.image[inside]).any()
    assert not seen.facts.exact
    assert seen.facts.distractors == sample.facts.distractors


def test_shadows_fall_below_distractors() -> None:
    shadow = ShadowSpec(azimuth=90, elevation=30, pitch=60, height=0.5, darkness=0.9)
    with_shape, without = (
        rendered(of(shadow=shadow, distractors=distractors)) for distractors in ((SHAPE,), ())
    )
    x0, _, x1, y1 = with_shape.facts.distractors[0].box
    below = np.s_[y1 + 1 : y1 + 5, x0:x1]
    assert with_shape.image[below].mean() < without.image[below].mean() - 5


def test_the_background_is_matched_to_the_object_not_to_what_stands_behind_it() -> None:
    layer, background = whole_layer(of()).layer, noise(5, SIZE)
    objects = place([CUTOUTS["a"]], [OWN.placement], SIZE).layer
    matched = matched_detail(background, layer, objects=objects.alpha, seed=1)
    outside = layer.alpha == 0
    alone = matched_detail(background, replace(objects, rgb=layer.rgb), seed=1)
    assert np.abs(matched[outside].astype(int) - alone[outside]).mean() < 3


def test_scores_count_the_objects_share_and_all_outlines() -> None:
    placed, own = whole_layer(of()), place([CUTOUTS["a"]], [OWN.placement], SIZE).layer.alpha
    image = placed.layer.rgb.copy()
    image[placed.layer.alpha == 0] = 255
    both = scores(image, placed.layer.alpha, objects=own)
    assert both["object_share"] == round(object_share(own), 6)
    assert both["seam"] == scores(image, placed.layer.alpha)["seam"]
    assert both["over_exposed"] == 1.0  # of what neither objects nor distractors cover


@pytest.mark.parametrize("form", list(ShapeForm))
@pytest.mark.parametrize(("side", "times"), [(128, 1), (1024, 2)])
def test_a_shape_fills_its_box_and_is_of_its_colour(form: ShapeForm, side: int, times: int) -> None:
    shape = replace(SHAPE, form=form, aspect=1.0 if form is ShapeForm.DISC else 0.25, texture=0.0)
    cutout = shape_cutout(shape, (side, side))
    assert object_box(cutout.alpha) == tuple(times * edge for edge in shape_box(shape))
    height, width = cutout.alpha.shape
    assert cutout.alpha[height // 2, width // 2] == 255
    assert np.abs(cutout.rgb[height // 2, width // 2].astype(int) - shape.colour).max() <= 12
    assert np.array_equal(cutout.rgb, shape_cutout(shape, (side, side)).rgb)


def test_a_shape_is_lit_from_the_azimuth_however_it_is_turned() -> None:
    disc = replace(
        SHAPE, form=ShapeForm.DISC, aspect=1.0, roundness=1.0, relief=0.3, texture=0.0, azimuth=0.0
    )
    turned = replace(disc, placement=Placement(rotation=90.0))
    lit, moved = (shape_cutout(each, SIZE).rgb.mean(axis=2) for each in (disc, turned))
    middle = lit.shape[0] // 2
    assert lit[middle, -12] > lit[middle, 12] + 20  # the right rim of the first
    assert (
        moved[-12, middle] > moved[12, middle] + 20
    )  # the lower rim, which a quarter turn brings to the right
