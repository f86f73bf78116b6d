"""What a study is asked for: a frozen value, checked once. Light to import (no torch)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.domain.arms import Arm
from pipeline.domain.studies import MAX_SEEDS
from pipeline.errors import InvalidRequest
from training.fit.options import TrainingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """The runs of a study: every arm with every seed.

    Raises:
        InvalidRequest: not 1 to 16 different seeds.
    """

    arms: tuple[Arm, ...] = tuple(Arm)
    seeds: tuple[int, ...]
    training: TrainingOptions = field(default_factory=TrainingOptions)
    allow_leak: bool = False  # train even if test photos are near-duplicates of training photos

    def __post_init__(self) -> None:
        if not 1 <= len(self.seeds) <= MAX_SEEDS:
            raise InvalidRequest(
                f"the number of seeds is {len(self.seeds)}; it must be between 1 and {MAX_SEEDS}"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise InvalidRequest(
                f"the seeds are {', '.join(map(str, self.seeds))}; each may be given only once"
            )
