"""The arms of a study in one table.

An arm is one use of a release for training. The command line, the study, its reports and the Train page read this
table; to add an arm, add a member and its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.methods import METHODS, Method


class Arm(StrEnum):
    """One use of the data."""

    REAL = "real"
    REAL_AUGMENTED = "real_augmented"
    SYNTHETIC = "synthetic"
    MIXED = "mixed"
    TEXT_TO_IMAGE = "text_to_image"  # earlier versions wrote "sdxl", which is still read
    PASTE = "paste"

    @classmethod
    def _missing_(cls, value: object) -> Arm | None:
        """Read the names of earlier versions."""
        return next((arm for arm, facts in ARMS.items() if value in facts.old_names), None)

    @property
    def facts(self) -> ArmFacts:
        """The arm's row of the table."""
        return ARMS[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """One row of the table of arms."""

    title: str  # in tables, plots and sentences
    description: str  # what it trains on, one line
    colour: str  # in every plot; distinguishable for colour-blind readers (after Okabe & Ito 2008)
    real: bool = False  # whether it trains on the real training photos
    methods: tuple[Method, ...] = ()  # it trains on the synthetic images of these methods
    strong_augmentation: bool = False  # RandAugment on top of the light augmentation of every arm
    preselected: bool = False  # whether the Train page selects it at first
    old_names: tuple[str, ...] = ()  # of earlier versions


ARMS: dict[Arm, ArmFacts] = {
    Arm.REAL: ArmFacts(
        title="Real photos",
        description="the photos as they are",
        colour="#7a7f87",
        real=True,
        preselected=True,
    ),
    Arm.REAL_AUGMENTED: ArmFacts(
        title="Real, strongly augmented",
        description="the photos with RandAugment",
        colour="#56a5d8",
        real=True,
        strong_augmentation=True,
        preselected=True,
    ),
    Arm.SYNTHETIC: ArmFacts(
        title="Synthetic",
        description="the photographed objects in front of generated backgrounds (inpaint, controlnet)",
        colour=METHODS[Method.INPAINT].colour,
        methods=(Method.INPAINT, Method.CONTROLNET),
        preselected=True,
    ),
    Arm.MIXED: ArmFacts(
        title="Real + synthetic",
        description="photos and synthetic images, half of every batch each",
        colour="#0a9a74",
        real=True,
        methods=(Method.INPAINT, Method.CONTROLNET),
        preselected=True,
    ),
    Arm.TEXT_TO_IMAGE: ArmFacts(
        title="Text to image",
        description="whole images generated from the prompt alone, without the photographed object",
        colour=METHODS[Method.TEXT_TO_IMAGE].colour,
        methods=(Method.TEXT_TO_IMAGE,),
        old_names=("sdxl",),
    ),
    Arm.PASTE: ArmFacts(
        title="Pasted",
        description="the photographed objects pasted onto background photos, no diffusion",
        colour=METHODS[Method.PASTE].colour,
        methods=(Method.PASTE,),
    ),
}
BASELINE = Arm.REAL  # every other arm is compared with it
