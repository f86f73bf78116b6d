"""The progress of a study, as its caller follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.domain.arms import Arm


@dataclass(frozen=True, slots=True)
class StudyStep:
    """The progress of a study."""

    steps_done: int  # optimiser steps over all runs, those of earlier starts included
    steps_total: int
    arm: Arm
    seed: int


OnStep = Callable[[StudyStep], None]
