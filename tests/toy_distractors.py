"""A small library with a sample that shows a nut and a shape behind its bolt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.domain.distractors import OtherObjectSpec, ShapeForm, ShapeSpec
from pipeline.domain.photos import Photo
from pipeline.domain.placement import Placement
from pipeline.domain.run_lengths import run_lengths
from pipeline.domain.sample_facts import SeenDistractor
from pipeline.domain.spec import SampleSpec
from pipeline.store import Library
from tests.toy_library import SIDE_PX, add_subject, picture, record_image, spec

NUT_BOX, SHAPE_BOX = (0, 0, 5, 4), (19, 20, 24, 24)
SHAPE = ShapeSpec(
    form=ShapeForm.ROD, placement=Placement(scale=0.2), colour=(90, 120, 130), aspect=0.2, roundness=1.0, relief=0.8,
    texture=0.1, azimuth=70.0, seed=5,
)  # fmt: skip


def part_mask(box: tuple[int, int, int, int]) -> np.ndarray:
    """(SIDE_PX, SIDE_PX) uint8: 255 in a box but for its first pixel."""
    alpha = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    x0, y0, x1, y1 = box
    alpha[y0:y1, x0:x1] = 255
    alpha[y0, x0] = 0
    return alpha


def seen(box: tuple[int, int, int, int]) -> SeenDistractor:
    """What is seen of a distractor that fills a box."""
    return SeenDistractor(box=box, visible=0.9, runs=run_lengths(part_mask(box)))


def with_distractors(bolt: Photo, nut: Photo, *, seed: int = 77) -> SampleSpec:
    """A spec of a bolt, with a nut and a shape behind it."""
    other = OtherObjectSpec(
        label=nut.label, photo_id=nut.id, cutout_id=nut.cutout_id or "", placement=Placement(scale=0.2)
    )
    return replace(spec(bolt, seed=seed), distractors=(other, SHAPE))


def render_with_distractors(library: Library, planned: SampleSpec) -> str:
    """Store an image of a spec with two distractors; its id."""
    image = picture(2000 + planned.seed)
    return record_image(library, planned, image, distractors=(seen(NUT_BOX), seen(SHAPE_BOX)))


def add_sample_with_distractors(library: Library, *, label: str = "nut") -> SampleSpec:
    """Photos of a bolt and of another class, and a rendered sample of the bolt before the other one."""
    planned = with_distractors(add_subject(library, 101), add_subject(library, 102, label=label))
    library.plans.add("crowded", "name: crowded", [planned])
    render_with_distractors(library, planned)
    return planned
