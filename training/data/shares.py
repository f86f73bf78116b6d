"""Shares of the photos of a release: which photos they keep, and which images show no other ones."""

from __future__ import annotations

import math

import numpy as np

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from training.data.images import LabelledImages
from training.data.release import Release

SHARE_RULES = {  # what decides whether an image belongs to a share; add one when the same share holds other images
    1: "the photo of the front object",
    2: "the photos of all objects",
}
SHARE_RULE = max(SHARE_RULES)
ORDER_SEED = 1735  # of the order in which photos and images are taken where an arm takes some of them only


def kept_photos(release: Release, share: float) -> frozenset[str]:
    """Choose a share of the photos of each class; smaller shares are subsets of larger ones.

    They are drawn by chance alone. Photos chosen so that most images remain would be no random sample of their class,
    and would favour the arms with synthetic images over the real photos of the same share.

    Args:
        share: over 0 to 1; rounded up to whole photos of each class.
    """
    kept: set[str] = set()
    for label in range(len(release.classes)):
        photos = np.unique(_photos_of(release, label))
        order = np.random.default_rng([ORDER_SEED, label]).permutation(photos)
        kept.update(order[: math.ceil(share * len(order))].tolist())
    return frozenset(kept)


def images_of_share(release: Release, images: LabelledImages, share: float) -> LabelledImages:
    """Select the images that show no photo outside a share of the photos of each class.

    Every object counts, those of distractors included: an image with one object of another photo would show what the
    arm is not to know. So of the images of k photos about share ** k belong to it. As the photos of a smaller share are
    part of a larger one, so are its images. Where a release tells the photo of the front object alone, that one
    decides; the photo that a background came from is told by no release.
    """
    if share == 1:
        return images
    kept = kept_photos(release, share)
    pairs = zip(images.sources.tolist(), images.all_sources.tolist(), strict=True)
    return images.where(
        np.array([kept.issuperset(every.split("\n") if every else (front,)) for front, every in pairs], bool)
    )


def depends_on_share_rule(arm: Arm) -> bool:
    """Whether `SHARE_RULE` decides which images an arm trains on: photos alone are not affected."""
    return arm.facts.share < 1 and bool(arm.facts.methods)


def tells_front_only(images: LabelledImages) -> int:
    """Count the images of which the release tells the photo of the front object alone."""
    return int((images.all_sources == "").sum())


def _photos_of(release: Release, label: int) -> list[str]:
    """Return the photos of a class; where the release holds none, those that its images show in front."""
    real, synthetic = release.real_train, release.synthetic_train
    photos: list[str] = real.sources[real.labels == label].tolist()
    if photos:
        return photos
    placing = [str(method) for method in Method if method.facts.places_object]
    shown: list[str] = synthetic.sources[
        (synthetic.labels == label) & np.isin(synthetic.methods, placing)
    ].tolist()
    return shown
