"""The training images of each arm of a study, or why a release has none for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.arms import Arm, ArmFacts
from pipeline.domain.release import Origin
from pipeline.errors import ReleaseRefused
from training.data.images import LabelledImages
from training.data.release import Release
from training.data.shares import ORDER_SEED, images_of_share, kept_photos

_NAMED_CLASSES = 5  # of the classes that an arm lacks
FEWEST_OF_A_CLASS = 2  # images
ENOUGH_OF_A_RATIO = 0.95  # of the images that a ratio asks for: gates and reviewers reject a few
_MORE_OF_SHARE = "publish more images of a single object without distractors"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmData:
    """The training images of one arm."""

    arm: Arm
    images: LabelledImages

    @property
    def counts(self) -> dict[str, int]:
        """Images by origin."""
        return {str(origin): int((self.images.origins == origin).sum()) for origin in Origin}

    def class_counts(self, classes: Sequence[str]) -> dict[str, int]:
        """Count the images of each class."""
        return count_classes(self.images, classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedArm:
    """An arm for which a release has no data, and why."""

    arm: Arm
    reason: str


def arm_data(release: Release, arm: Arm) -> ArmData | SkippedArm:
    """Collect the training images of an arm, or tell why it must be left out.

    An arm needs every class of the release: a network that never saw a class cannot be compared fairly. One image of a
    class is no sample of it, either.
    """
    images = _images(release, arm.facts)
    if isinstance(images, str):
        return SkippedArm(arm=arm, reason=images)
    counts = count_classes(images, release.classes)
    for lacking, least in (("no training images", 1), ("only one training image", FEWEST_OF_A_CLASS)):
        scarce = [name for name, count in counts.items() if count < least]
        if scarce:
            names = ", ".join(f"'{name}'" for name in scarce[:_NAMED_CLASSES])
            more = " …" if len(scarce) > _NAMED_CLASSES else ""
            return SkippedArm(arm=arm, reason=f"the release has {lacking} of {names}{more} for this arm")
    return ArmData(arm=arm, images=images)


def available_arms(
    release: Release, arms: Sequence[Arm], *, equal_counts: bool = False
) -> tuple[list[ArmData], list[SkippedArm]]:
    """Separate arms into those with data and those without; an arm with the images of an earlier one is without.

    Args:
        equal_counts: let all arms have as many synthetic images of a class as the arm with the fewest.

    Raises:
        ReleaseRefused: none has data.
    """
    candidates = [arm_data(release, arm) for arm in dict.fromkeys(arms)]
    available = [arm for arm in candidates if isinstance(arm, ArmData)]
    skipped = [arm for arm in candidates if isinstance(arm, SkippedArm)]
    if not available:
        reasons = "; ".join(f"{arm.arm}: {arm.reason}" for arm in skipped)
        raise ReleaseRefused(
            f"{release.name} has no training data for any requested arm ({reasons}); publish it with more images"
        )
    different, repeated = _without_repeated(available)
    return (_equalised(different) if equal_counts else different), [*skipped, *repeated]


def _images(release: Release, facts: ArmFacts) -> LabelledImages | str:
    real = release.real_train
    if facts.real and not len(real):
        return "the release has no real training photos"
    if not facts.methods:
        return images_of_share(release, real, facts.share)
    every = synthetic_images(release.synthetic_train, facts)
    if not len(every):
        recipe = f" and recipe {facts.recipe}" if facts.recipe else ""
        return f"the release has no training images of method {' or '.join(facts.methods)}{recipe}"
    synthetic, real = (images_of_share(release, images, facts.share) for images in (every, real))
    if fault := _share_fault(release, facts, every, synthetic):
        return fault
    if facts.ratio is not None:
        photos = count_classes(real, release.classes)
        wanted = images_of_ratio(facts.ratio, photos)
        if fault := ratio_fault(photos, wanted):
            return fault
        shortage = _shortage(wanted, count_classes(synthetic, release.classes))
        if shortage:
            # a larger share asks for more images, too
            return shortage if facts.share == 1 else f"{shortage}: {_MORE_OF_SHARE}, or take a smaller ratio"
        synthetic = _first_of_each_class(synthetic, list(wanted.values()))
    return real.joined(synthetic) if facts.real else synthetic


def synthetic_images(images: LabelledImages, facts: ArmFacts) -> LabelledImages:
    """Select the synthetic images of an arm's methods and recipe."""
    chosen = np.isin(images.methods, [str(method) for method in facts.methods])
    if facts.recipe:
        chosen &= images.recipes == facts.recipe
    return images.where(chosen)


def shows_no_photo(facts: ArmFacts) -> bool:
    """Whether an arm trains on synthetic images alone, none of which shows an object of a photo."""
    placing = any(method.facts.places_object for method in facts.methods)
    return bool(facts.methods) and not facts.real and not placing


def _share_fault(release: Release, facts: ArmFacts, every: LabelledImages, synthetic: LabelledImages) -> str:
    """Say why a share of the photos leaves an arm without the images that it needs; "" where it does not.

    Args:
        every: the synthetic images of the arm without its share.
        synthetic: those of the share.
    """
    if facts.share == 1:
        return ""
    if shows_no_photo(facts):
        return "its images show no photo, so that a share of the photos changes nothing; leave out the share"
    if not np.isin(every.sources, list(kept_photos(release, 1))).any():
        return (
            "the release does not tell which of its photos the synthetic images show; publish the library again, or "
            "leave out the share"
        )
    if facts.ratio is not None:  # how many it needs is another question
        return ""
    before, left = (count_classes(images, release.classes) for images in (every, synthetic))
    scarce = [name for name, count in left.items() if count < min(FEWEST_OF_A_CLASS, before[name])]
    if not scarce:
        return ""
    name = min(scarce, key=lambda name: left[name])
    more = len(scarce) - 1
    others = f", and too few of {more} more {'class' if more == 1 else 'classes'} do" if more else ""
    return (
        f"{'just 1' if left[name] else 'none'} of the {before[name]} synthetic images of '{name}' shows only photos of "
        f"the share{others}; take a larger share, or {_MORE_OF_SHARE}"
    )


def images_of_ratio(ratio: float, photos: Mapping[str, int]) -> dict[str, int]:
    """Return how many synthetic images of each class a ratio asks for, given the photos of each class."""
    return {name: round(ratio * count) for name, count in photos.items()}


def ratio_fault(photos: Mapping[str, int], wanted: Mapping[str, int]) -> str:
    """Say that a ratio asks for too few images, however many the release holds; "" where it does not."""
    is_lone = any(count + wanted[name] == 1 for name, count in photos.items())
    if any(wanted.values()) and not is_lone:
        return ""
    return "its ratio asks for no synthetic image of so few photos; take a larger ratio, or more photos"


def _shortage(wanted: Mapping[str, int], counts: Mapping[str, int]) -> str:
    """Say what is missing for a ratio; "" where nothing is."""
    missing = {
        name: number - counts[name]
        for name, number in wanted.items()
        if counts[name] < ENOUGH_OF_A_RATIO * number
    }
    if not missing:
        return ""
    return (
        f"it needs {sum(wanted.values())} synthetic images in equal proportion to the photos of each class; "
        f"{sum(missing.values())} are missing, the most of '{max(missing, key=lambda name: missing[name])}'"
    )


def _first_of_each_class(images: LabelledImages, counts: Sequence[int]) -> LabelledImages:
    """Take so many images of each class, in an order decided by chance once and for all."""
    chosen: list[NDArray[np.int64]] = []
    for label, count in enumerate(counts):
        of_class = np.flatnonzero(images.labels == label)
        chosen.append(np.random.default_rng([ORDER_SEED, label]).permutation(of_class)[:count])
    return images.at(np.sort(np.concatenate(chosen)))


def _without_repeated(available: Sequence[ArmData]) -> tuple[list[ArmData], list[SkippedArm]]:
    """Leave out arms that train on the images of an earlier one, in the same way."""
    different: dict[object, ArmData] = {}
    repeated = []
    for data in available:
        facts, images = data.arm.facts, data.images
        kinds = set(zip(images.methods.tolist(), images.recipes.tolist(), strict=True))
        key = (
            len(images),
            frozenset(kinds),
            facts.strong_augmentation,
            facts.fine_tuned,
            facts.ratio,
            facts.share,
        )
        earlier = different.setdefault(key, data)
        if earlier is not data:
            reason = f"it would train on the same images as '{earlier.arm}'"
            repeated.append(SkippedArm(arm=data.arm, reason=reason))
    return list(different.values()), repeated


def _equalised(available: Sequence[ArmData]) -> list[ArmData]:
    """Cut the synthetic images of all arms to the number of the arm with the fewest, class by class.

    Arms that have none of a class do not count: others have images of every class, and are to keep them.
    """
    synthetic = {data.arm: data.images.where(data.images.origins == Origin.SYNTHETIC) for data in available}
    classes = 1 + max(int(data.images.labels.max()) for data in available)
    counts = np.stack([np.bincount(images.labels, minlength=classes) for images in synthetic.values()])
    least = np.where(counts, counts, counts.max(axis=0)).min(axis=0).tolist()
    return [
        replace(data, images=_with_synthetic(data.images, _first_of_each_class(synthetic[data.arm], least)))
        for data in available
    ]


def _with_synthetic(images: LabelledImages, synthetic: LabelledImages) -> LabelledImages:
    return images.where(images.origins == Origin.REAL).joined(synthetic)


def count_classes(images: LabelledImages, classes: Sequence[str]) -> dict[str, int]:
    """Count the images of each class; classes without images have 0."""
    counts = Counter(images.labels.tolist())
    return {name: counts[index] for index, name in enumerate(classes)}
