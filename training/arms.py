"""The arms of a study: the uses of a data set that are compared with one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pipeline.domain.release import Origin
from pipeline.domain.spec import Method
from pipeline.errors import ReleaseRefused
from training.release import Pictures, Release


class Arm(StrEnum):
    """One use of the data."""

    REAL = "real"
    REAL_AUGMENTED = "real_augmented"
    SYNTHETIC = "synthetic"
    MIXED = "mixed"
    SDXL = "sdxl"
    PASTE = "paste"

    @property
    def heading(self) -> str:
        """Its name in tables and curves."""
        return _SAYS[self][0]

    @property
    def says(self) -> str:
        """What it trains on, in one line."""
        return _SAYS[self][1]

    @property
    def strong_augmentation(self) -> bool:
        """Whether RandAugment comes on top of the light augmentation that every arm has."""
        return self is Arm.REAL_AUGMENTED


BASELINE = Arm.REAL  # every other arm is held against it
_SAYS = {
    Arm.REAL: ("Real photos", "the photographs as they are"),
    Arm.REAL_AUGMENTED: ("Real, strongly augmented", "the photographs with RandAugment"),
    Arm.SYNTHETIC: ("Synthetic", "the cut-out objects before new painted backgrounds (inpaint, controlnet)"),
    Arm.MIXED: ("Real + synthetic", "photographs and synthetic pictures, half of every batch each"),
    Arm.SDXL: ("Prompt alone", "whole pictures by the model (plain SDXL), without the real object"),
    Arm.PASTE: ("Pasted", "the cut-out objects pasted onto background photographs, no diffusion"),
}
_METHODS = {
    Arm.SYNTHETIC: (Method.INPAINT, Method.CONTROLNET),
    Arm.MIXED: (Method.INPAINT, Method.CONTROLNET),
    Arm.SDXL: (Method.TEXT_TO_IMAGE,),
    Arm.PASTE: (Method.PASTE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmData:
    """The training pictures of one arm."""

    arm: Arm
    pictures: Pictures

    @property
    def counts(self) -> dict[str, int]:
        """Pictures by origin."""
        return {str(origin): int((self.pictures.origins == origin).sum()) for origin in Origin}

    def class_counts(self, classes: Sequence[str]) -> dict[str, int]:
        """Pictures by class."""
        held = Counter(self.pictures.labels.tolist())
        return {name: held[index] for index, name in enumerate(classes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedArm:
    """An arm that this release cannot fill, and why."""

    arm: Arm
    reason: str


def arm_data(release: Release, arm: Arm) -> ArmData | SkippedArm:
    """The training pictures of an arm, or the reason why it must be left out.

    An arm needs every class of the release, since a network that never saw a class cannot be compared fairly.
    """
    pictures = _pictures(release, arm)
    if isinstance(pictures, str):
        return SkippedArm(arm=arm, reason=pictures)
    seen = set(pictures.labels.tolist())
    lacking = [name for index, name in enumerate(release.classes) if index not in seen]
    if lacking:
        named = ", ".join(f"'{name}'" for name in lacking[:5]) + (" …" if len(lacking) > 5 else "")
        return SkippedArm(arm=arm, reason=f"it has no training picture of {named}")
    return ArmData(arm=arm, pictures=pictures)


def filled_arms(release: Release, wanted: Sequence[Arm]) -> tuple[list[ArmData], list[SkippedArm]]:
    """The wanted arms that have data, and those left out with their reasons.

    Raises:
        ReleaseRefused: not one of them has data.
    """
    found = [arm_data(release, arm) for arm in dict.fromkeys(wanted)]
    skipped = [arm for arm in found if isinstance(arm, SkippedArm)]
    filled = [arm for arm in found if isinstance(arm, ArmData)]
    if not filled:
        reasons = "; ".join(f"{arm.arm}: {arm.reason}" for arm in skipped)
        raise ReleaseRefused(
            f"nothing in {release.name} can be trained on ({reasons}); publish it with more pictures"
        )
    return filled, skipped


def _pictures(release: Release, arm: Arm) -> Pictures | str:
    real, synthetic = release.real_train, release.synthetic_train
    if arm in (Arm.REAL, Arm.REAL_AUGMENTED, Arm.MIXED) and not len(real):
        return "the release has no real training photographs"
    if arm in (Arm.REAL, Arm.REAL_AUGMENTED):
        return real
    methods = _METHODS[arm]
    made = synthetic.only(np.isin(synthetic.methods, [str(method) for method in methods]))
    if not len(made):
        return f"the release has no training pictures of method {' or '.join(methods)}"
    return real.joined(made) if arm is Arm.MIXED else made
