"""The training images of each arm of a study, or why a release has none for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.domain.arms import Arm
from pipeline.domain.release import Origin
from pipeline.errors import ReleaseRefused
from training.data.images import LabelledImages
from training.data.release import Release

_NAMED_CLASSES = 5  # of the classes that an arm lacks


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
        counts = Counter(self.images.labels.tolist())
        return {name: counts[index] for index, name in enumerate(classes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedArm:
    """An arm for which a release has no data, and why."""

    arm: Arm
    reason: str


def arm_data(release: Release, arm: Arm) -> ArmData | SkippedArm:
    """Collect the training images of an arm, or tell why it must be left out.

    An arm needs every class of the release: a network that never saw a class cannot be compared fairly.
    """
    images = _images(release, arm)
    if isinstance(images, str):
        return SkippedArm(arm=arm, reason=images)
    labels = set(images.labels.tolist())
    missing = [name for index, name in enumerate(release.classes) if index not in labels]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing[:_NAMED_CLASSES])
        more = " …" if len(missing) > _NAMED_CLASSES else ""
        return SkippedArm(arm=arm, reason=f"the release has no training images of {names}{more} for this arm")
    return ArmData(arm=arm, images=images)


def available_arms(release: Release, arms: Sequence[Arm]) -> tuple[list[ArmData], list[SkippedArm]]:
    """Separate arms into those with data and those without.

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
    return available, skipped


def _images(release: Release, arm: Arm) -> LabelledImages | str:
    facts = arm.facts
    if facts.real and not len(release.real_train):
        return "the release has no real training photos"
    if not facts.methods:
        return release.real_train
    synthetic = release.synthetic_train
    synthetic = synthetic.where(np.isin(synthetic.methods, [str(method) for method in facts.methods]))
    if not len(synthetic):
        return f"the release has no training images of method {' or '.join(facts.methods)}"
    return release.real_train.joined(synthetic) if facts.real else synthetic
