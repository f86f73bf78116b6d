"""What a study is asked for: a frozen value, checked once. Light to import (no torch)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.domain.arms import ALL_USES, BASELINE, Arm
from pipeline.domain.studies import MAX_SEEDS, Network
from pipeline.errors import InvalidRequest
from training.fit.options import TrainingOptions
from training.fit.trackers import Tracker

MAX_TUNING = 64  # settings tried for an arm
DEFAULT_MARGIN = 0.02  # of balanced accuracy
CHEAP_TEST_PHOTOS = 300  # up to which the probe is tested on counterfactual sets without being asked to


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """The runs of a study: every arm with every seed.

    Raises:
        InvalidRequest: not 1 to 16 different seeds, a margin that is not between 0 and 0.5, or not 0 to 64 settings to
            try.
    """

    arms: tuple[Arm, ...] = ALL_USES
    seeds: tuple[int, ...]
    training: TrainingOptions = field(default_factory=TrainingOptions)
    allow_leak: bool = False  # train even if test photos are near-duplicates of training photos
    equal_counts: bool = (
        False  # let all arms have as many synthetic images of a class as the arm with the fewest
    )
    features: Path | None = None  # folder that keeps the probe's features; None: the study's own
    similarity: bool = True  # measure how alike the images are, too (with the probe)
    diagnosis: bool = True  # find out which factors of the test photos explain the errors
    counterfactual: bool | None = None  # test on counterfactual sets, too; None: where that is cheap
    learning_curve: bool = (
        False  # add shares of the real photos, by which other arms are valued in real photos
    )
    tuning: int = 0  # settings tried for every arm, see `training.study.tuning`; 0: no tuning
    trackers: tuple[Tracker, ...] = ()  # what logs the training curves, too; may change between starts
    margin: float = DEFAULT_MARGIN  # smallest difference of balanced accuracy that matters, 0 to 1

    def __post_init__(self) -> None:
        if not 1 <= len(self.seeds) <= MAX_SEEDS:
            raise InvalidRequest(
                f"the number of seeds is {len(self.seeds)}; it must be between 1 and {MAX_SEEDS}"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise InvalidRequest(
                f"the seeds are {', '.join(map(str, self.seeds))}; each may be given only once"
            )
        if not 0 < self.margin < 0.5:
            raise InvalidRequest(
                f"the smallest difference that matters is {100 * self.margin:g} points; it must be between 0 and 50"
            )

        if not 0 <= self.tuning <= MAX_TUNING:
            raise InvalidRequest(
                f"the number of settings to try is {self.tuning}; it must be between 1 and {MAX_TUNING}, "
                "or 0 for no tuning"
            )

    def compares(self, arm: Arm) -> bool:
        """Whether an arm is judged and tuned; a share of the photos that only the learning curve needs is not."""
        return arm == BASELINE or arm in self.arms

    def counterfactual_for(self, test_photos: int) -> bool:
        """Whether the runs are tested on counterfactual sets, for a number of test photos."""
        if self.counterfactual is not None:
            return self.counterfactual
        is_cheap = self.training.network is Network.PROBE and test_photos <= CHEAP_TEST_PHOTOS
        return self.diagnosis and is_cheap
