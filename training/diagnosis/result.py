"""What `study.json` holds of the diagnosis. Rates are 0 to 1."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class FactorFinding(TypedDict):
    """How one factor of the test photos goes with the errors of one arm."""

    arm: str
    arm_title: str
    factor: str  # see `training.diagnosis.factors.Factor`
    title: str
    direction: str  # "low" or "high": the values at which photos are recognised less often
    effect: float  # rank correlation of factor and errors within classes, -1 to 1
    p: float  # corrected for the number of factors
    p_alone: float  # of this factor alone
    photos: int  # of which the factor is known
    low_recognised: float  # share of the photos with low values that is recognised
    high_recognised: float
    certain: bool  # p below 0.05, and the ends differ by at least 5 points in the same direction
    sentence: str  # "" where it is not certain


class LeftOutFactor(TypedDict):
    """A factor that could not be tested, and why."""

    factor: str
    title: str
    reason: str


class ExamplePhoto(TypedDict):
    """A test photo that a report shows."""

    photo: str  # its name
    image: str  # JPEG file, relative to the study's folder
    value: float  # of the factor that the pair shows
    error_share: float  # share of the seeds that classify it wrongly


class ExamplePair(TypedDict):
    """Two test photos of one class that differ in one factor and little else."""

    factor: str
    title: str
    label: str
    wrong: ExamplePhoto
    right: ExamplePhoto


class ConfidentError(TypedDict):
    """A wrongly classified test photo."""

    photo: str
    image: str
    label: str
    predicted: str
    probability: float  # of the predicted class, mean over the seeds


class ErrorAnalysis(TypedDict):
    """The errors of the arms: sentences, examples, and what could not be told."""

    sentences: list[str]  # one of each factor that is certain, or that there is none; arm by arm
    best: str  # the arm whose errors the examples show
    best_title: str
    photos: int  # test photos
    usable_masks: int
    note: str  # how the masks were found
    left_out: list[LeftOutFactor]
    pairs: list[ExamplePair]
    errors: list[ConfidentError]  # the most confident ones first


class RateInterval(TypedDict):
    """A rate, or a difference of rates, with its 95 % interval over the seeds; without ends for a single seed."""

    mean: float
    low: float | None
    high: float | None


class CounterfactualSet(TypedDict):
    """One counterfactual test set."""

    set: str  # see `training.diagnosis.counterfactual.SetName`
    title: str
    images: int


class CounterfactualArm(TypedDict):
    """What one arm reaches on the counterfactual test sets."""

    arm: str
    title: str
    seeds: int
    accuracy: dict[str, RateInterval]  # balanced, by set
    differences: dict[
        str, RateInterval
    ]  # see `training.diagnosis.reliance.Reliance`; above 0: the change costs
    sentence: str


class CounterfactualFindings(TypedDict):
    """The counterfactual test sets, and what the arms reach on them."""

    skipped: str  # why there are none; "" where there are
    objects: dict[str, int]  # by class
    left_out: list[str]  # tested classes with too few usable cut-outs
    sets: list[CounterfactualSet]
    arms: list[CounterfactualArm]
    missing_runs: int  # trained before these sets, so without predictions


class DiagnosisFindings(TypedDict):
    """The keys of `study.json`; missing where they were not asked for, and in earlier studies."""

    diagnosis: NotRequired[list[FactorFinding]]
    error_analysis: NotRequired[ErrorAnalysis]
    counterfactual: NotRequired[CounterfactualFindings]
