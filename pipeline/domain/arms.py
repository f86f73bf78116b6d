"""The arms of a study: uses of a release for training that are compared.

An arm is named USE[@RECIPE][:RATIO][%SHARE], such as `paste`, `synthetic@heaps`, `mixed:0.5` or `real%25`. The uses
stand in one table, which the command line, the study, its reports and the Train page read; to add a use, add a row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from pipeline.domain.methods import METHODS, Method

_NAME = re.compile(
    r"(?P<use>[a-z_]+)(@(?P<recipe>[^@:%]+))?(:(?P<ratio>\d+(\.\d+)?))?(%(?P<share>\d+(\.\d+)?))?"
)
_RATIOS = (0.05, 20.0)  # synthetic images for each real photo
_OURS = (Method.INPAINT, Method.CONTROLNET)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """What an arm trains on, and how it is shown."""

    title: str  # in tables, plots and sentences
    description: str  # what it trains on, one line
    colour: str  # in every plot; distinguishable for colour-blind readers (after Okabe & Ito 2008)
    real: bool = False  # whether it trains on the real training photos
    methods: tuple[Method, ...] = ()  # it trains on the synthetic images of these methods
    recipe: str = ""  # only on those of this recipe; "" for all
    ratio: float | None = None  # synthetic images for each real photo; None: all, half of every batch
    share: float = 1.0  # of the training photos; of the synthetic images those that show no other photo
    strong_augmentation: bool = False  # on top of the light augmentation of every arm
    fine_tuned: bool = False  # the synthetic images first, then the real photos
    preselected: bool = False  # whether the Train page selects it at first
    old_names: tuple[str, ...] = ()  # of earlier versions


class Arm(str):
    """One arm by its name: USE[@RECIPE][:RATIO][%SHARE].

    - USE: a row of `ARMS`.
    - RECIPE: only the synthetic images of this recipe.
    - RATIO: 0.05 to 20 synthetic images for each real photo of a class, where a use has both.
    - SHARE: over 0 to 100 % of the training photos of each class, and the images that show no other photo.

    Raises:
        ValueError: there is no such arm.
    """

    REAL: ClassVar[Arm]
    REAL_AUGMENTED: ClassVar[Arm]
    SYNTHETIC: ClassVar[Arm]
    INPAINT: ClassVar[Arm]
    CONTROLNET: ClassVar[Arm]
    MIXED: ClassVar[Arm]
    FINE_TUNED: ClassVar[Arm]
    TEXT_TO_IMAGE: ClassVar[Arm]
    PASTE: ClassVar[Arm]
    REAL_PASTE: ClassVar[Arm]

    def __new__(cls, name: str) -> Arm:
        """Read a name, also one of an earlier version."""
        use = use_of(name)
        present = next((known for known, facts in ARMS.items() if use in facts.old_names), use)
        arm = super().__new__(cls, present + name.removeprefix(use))
        _facts(str(arm))
        return arm

    @property
    def facts(self) -> ArmFacts:
        """The row of the table, with recipe, ratio and share."""
        return _facts(str(self))


def use_of(name: str) -> str:
    """Return the first part of an arm's name, before recipe, ratio and share; it need not be a row of `ARMS`."""
    return re.split("[@:%]", name, maxsplit=1)[0]


@lru_cache
def _facts(name: str) -> ArmFacts:
    parts = _NAME.fullmatch(name)
    if parts is None or parts["use"] not in ARMS:
        raise ValueError(f"'{name}' is not an arm; write USE[@RECIPE][:RATIO][%SHARE], such as mixed:0.5")
    facts = ARMS[parts["use"]]
    if parts["recipe"]:
        if not facts.methods:
            raise ValueError(
                f"'{name}' is not an arm: {parts['use']} has no synthetic images, so no recipe; leave it out"
            )
        facts = replace(facts, recipe=parts["recipe"], title=f"{facts.title}, {parts['recipe']}")
    if parts["ratio"]:
        ratio = float(parts["ratio"])
        if not (facts.real and facts.methods) or not _RATIOS[0] <= ratio <= _RATIOS[1]:
            raise ValueError(
                f"'{name}' is not an arm: a ratio is {_RATIOS[0]:g} to {_RATIOS[1]:g} and needs real and "
                "synthetic images; write for example mixed:2"
            )
        facts = replace(
            facts,
            ratio=ratio,
            title=f"{facts.title}, 1 : {ratio:g}",
            description=f"{facts.description.split(',')[0]}, {ratio:g} for each photo",
        )
    if parts["share"]:
        share = float(parts["share"]) / 100
        if not 0 < share <= 1:
            raise ValueError(f"'{name}' is not an arm: a share is over 0 to 100 %; write for example real%25")
        facts = replace(facts, share=share, title=f"{facts.title}, {parts['share']} %")
    return facts


ARMS: dict[str, ArmFacts] = {
    "real": ArmFacts(
        title="Real photos",
        description="the photos as they are",
        colour="#7a7f87",
        real=True,
        preselected=True,
    ),
    "real_augmented": ArmFacts(
        title="Real, strongly augmented",
        description="the photos with TrivialAugment, and CutMix where the whole network is trained",
        colour="#56a5d8",
        real=True,
        strong_augmentation=True,
        preselected=True,
    ),
    "synthetic": ArmFacts(
        title="Synthetic",
        description="the photographed objects in front of generated backgrounds (inpaint, controlnet)",
        colour="#b06000",
        methods=_OURS,
        preselected=True,
    ),
    "inpaint": ArmFacts(
        title="Inpainted",
        description="of the synthetic images those of inpaint",
        colour=METHODS[Method.INPAINT].colour,
        methods=(Method.INPAINT,),
    ),
    "controlnet": ArmFacts(
        title="ControlNet",
        description="of the synthetic images those of controlnet",
        colour=METHODS[Method.CONTROLNET].colour,
        methods=(Method.CONTROLNET,),
    ),
    "mixed": ArmFacts(
        title="Real + synthetic",
        description="photos and synthetic images, half of every batch each",
        colour="#0a9a74",
        real=True,
        methods=_OURS,
        preselected=True,
    ),
    "fine_tuned": ArmFacts(
        title="Synthetic, then real",
        description="synthetic images for the first half of the steps, then the photos",
        colour="#5fbf9f",
        real=True,
        methods=_OURS,
        fine_tuned=True,
    ),
    "text_to_image": ArmFacts(
        title="Text to image",
        description="whole images generated from the prompt alone, without the photographed object",
        colour=METHODS[Method.TEXT_TO_IMAGE].colour,
        methods=(Method.TEXT_TO_IMAGE,),
        old_names=("sdxl",),
    ),
    "paste": ArmFacts(
        title="Pasted",
        description="the photographed objects pasted onto background photos, no diffusion",
        colour=METHODS[Method.PASTE].colour,
        methods=(Method.PASTE,),
    ),
    "real_paste": ArmFacts(
        title="Real + pasted",
        description="photos and pasted images, half of every batch each",
        colour="#4c4fa3",
        real=True,
        methods=(Method.PASTE,),
    ),
}

Arm.REAL = Arm("real")
Arm.REAL_AUGMENTED = Arm("real_augmented")
Arm.SYNTHETIC = Arm("synthetic")
Arm.INPAINT = Arm("inpaint")
Arm.CONTROLNET = Arm("controlnet")
Arm.MIXED = Arm("mixed")
Arm.FINE_TUNED = Arm("fine_tuned")
Arm.TEXT_TO_IMAGE = Arm("text_to_image")
Arm.PASTE = Arm("paste")
Arm.REAL_PASTE = Arm("real_paste")

BASELINE = Arm.REAL  # every other arm is compared with it
ALL_USES = tuple(Arm(name) for name in ARMS)
PLANNED_COMPARISONS = (  # arm and what it is compared with, fixed before any study
    (Arm.INPAINT, Arm.PASTE),
    (Arm.SYNTHETIC, Arm.TEXT_TO_IMAGE),
    (Arm.MIXED, Arm.REAL_AUGMENTED),
    (Arm.MIXED, Arm.REAL_PASTE),
)
