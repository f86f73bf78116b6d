"""The groups of images whose similarity is compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.domain.arms import Arm
from pipeline.domain.methods import METHODS, Method
from training.data.images import LabelledImages
from training.data.release import Release
from training.similarity.draws import balanced_size
from training.similarity.result import MissingGroup

REAL, OURS = "real", "ours"
OUR_METHODS = Arm.SYNTHETIC.facts.methods  # the photographed object in front of a generated background
BASELINES = (Method.TEXT_TO_IMAGE, Method.PASTE)
SMALLEST_SET = 16
LARGEST_SHARE = 0.75  # of a group in one set: sets that share more vary too little to tell anything


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageGroup:
    """Images of one origin. `methods` is empty for real photos."""

    name: str
    title: str
    images: LabelledImages
    methods: tuple[Method, ...] = ()

    @property
    def largest_set(self) -> int:
        """The size of the largest balanced set that is drawn of the group."""
        return int(LARGEST_SHARE * balanced_size(self.images.labels))


def image_groups(release: Release) -> tuple[list[ImageGroup], list[MissingGroup]]:
    """Separate the training images of a release by origin, and name the groups that are too small to be measured.

    Our methods are one group; each of them is also a group of its own where the release has several.
    """
    synthetic = release.synthetic_train
    ours = tuple(method for method in OUR_METHODS if (synthetic.methods == method).any())
    groups = [
        ImageGroup(name=REAL, title="real training photos", images=release.real_train),
        _method_group(synthetic, ours or OUR_METHODS, name=OURS),
        *(_method_group(synthetic, (method,), name=method) for method in ours if len(ours) > 1),
        *(_method_group(synthetic, (method,), name=method) for method in BASELINES),
    ]
    reasons = {group.name: _reason_against(group, release.classes) for group in groups}
    measurable = [group for group in groups if not reasons[group.name]]
    missing: list[MissingGroup] = [
        {"title": group.title, "reason": reasons[group.name]} for group in groups if reasons[group.name]
    ]
    return measurable, missing


def _method_group(images: LabelledImages, methods: tuple[Method, ...], *, name: str) -> ImageGroup:
    titles = " + ".join(METHODS[method].title for method in methods)
    return ImageGroup(
        name=str(name),
        title=f"Backlot ({titles})" if name == OURS else titles,
        images=images.where(np.isin(images.methods, [str(method) for method in methods])),
        methods=methods,
    )


def _reason_against(group: ImageGroup, classes: tuple[str, ...]) -> str:
    """Say why a group cannot be measured; "" where it can. Every class counts alike, so none may be missing."""
    if not len(group.images):
        return "the release has no such images"
    counts = np.bincount(group.images.labels, minlength=len(classes))
    fewest = int(counts.argmin())
    if group.largest_set < SMALLEST_SET or not counts[fewest]:
        needed = int(np.ceil(SMALLEST_SET / LARGEST_SHARE / len(classes)))
        return f"it has {counts[fewest]} images of '{classes[fewest]}'; at least {needed} of every class are needed"
    return ""
