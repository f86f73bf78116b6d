"""Sentences on what the arms of a share of the photos train on, for reports and the console."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain.release import Origin
from training.data.arm_data import ArmData, count_classes, synthetic_images
from training.data.release import Release
from training.data.shares import depends_on_share_rule, images_of_share, kept_photos, tells_front_only

_RULE = (
    "An image belongs to a share of the photos if every photo that it shows does, those of distractors included; so "
    "the smaller the share, the rarer are images of several objects."
)


def share_notes(release: Release, arms: Sequence[ArmData]) -> list[str]:
    """Say how many photos and synthetic images the arms of a share hold, and by which rule; [] without such arms."""
    of_share = [data for data in arms if data.arm.facts.share < 1]
    counts = [_counts(release, data) for data in of_share]
    with_images = [data for data in of_share if depends_on_share_rule(data.arm)]
    if not with_images:
        return counts
    untold = max(
        tells_front_only(synthetic_images(release.synthetic_train, data.arm.facts)) for data in with_images
    )
    return [*counts, _RULE, *([_untold(untold)] if untold else [])]


def _counts(release: Release, data: ArmData) -> str:
    facts = data.arm.facts
    kept, photos = (len(kept_photos(release, share)) for share in (facts.share, 1))
    sentence = f"{facts.title}: {kept:,} of {photos:,} photos"
    if not facts.methods:
        return f"{sentence}."
    every = synthetic_images(release.synthetic_train, facts)
    belonging = len(images_of_share(release, every, facts.share))
    used = data.images.where(data.images.origins == Origin.SYNTHETIC)
    part = "" if len(used) == belonging else f", of which {len(used):,} are used"
    counts = count_classes(used, release.classes).values()
    least, most = min(counts), max(counts)
    of_class = f"{least:,} of each class" if least == most else f"{least:,} to {most:,} of a class"
    return f"{sentence} and {belonging:,} of {len(every):,} synthetic images{part}: {of_class}."


def _untold(count: int) -> str:
    images = "1 synthetic image" if count == 1 else f"{count:,} synthetic images"
    return (
        f"Of {images} the release tells the photo of the front object alone, which decides whether they belong to a "
        "share: they may show objects of other photos, too."
    )
