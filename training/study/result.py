"""What `study.json` holds: the verdict, the arms and the comparisons. Rates are 0 to 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from training.diagnosis.result import DiagnosisFindings

if TYPE_CHECKING:  # they import torch
    from training.fit.machine import Machine, Settings
    from training.similarity.class_context import ClassContextFindings
    from training.similarity.context import ContextFindings
    from training.similarity.efficiency import EfficiencyFindings
    from training.similarity.recognition import RecognitionFindings
    from training.similarity.result import SimilarityFindings


class IntervalFields(TypedDict):
    """A mean with its 95 % interval; without ends where one value gives none."""

    mean: float
    low: float | None
    high: float | None


class Spread(IntervalFields):
    """A rate over the seeds, with its values in the order of the seeds."""

    values: list[float]


class CurvePoint(TypedDict):
    """One point of a training curve, the mean over the seeds."""

    step: int
    balanced_accuracy: float
    loss: float


class MeasureMeans(TypedDict):
    """Means over the seeds; see `training.fit.scores.Measures`."""

    macro_f1: float
    worst_class: float
    ece: float
    brier: float
    nll: float


class ArmResult(TypedDict):
    """What one arm reached over all seeds."""

    arm: str
    title: str
    says: str  # what it trains on
    counts: dict[str, int]  # training images by origin
    class_counts: dict[str, int]
    balanced_accuracy: Spread
    accuracy: Spread
    measures: MeasureMeans
    per_class: dict[str, float]  # recall
    confusion: list[list[int]]  # summed over the seeds; rows true, columns predicted
    curve: list[CurvePoint]
    seconds: float  # mean per run


class SkippedResult(TypedDict):
    """An arm that was left out, and why."""

    arm: str
    title: str
    reason: str


class ComparisonResult(TypedDict):
    """One arm compared with another, over the same seeds and test photos."""

    arm: str
    title: str
    against: str
    against_title: str
    difference: float  # mean of balanced accuracy, arm minus the other
    low: float | None
    high: float | None
    p: float  # over the seeds, this comparison alone
    p_adjusted: float  # over the seeds, corrected for the number of comparisons
    p_photos: float | None  # over seeds and test photos, corrected likewise
    p_claim: float  # the larger of the corrected ones, on which a claim rests
    effect: float | None  # Cohen's d of the paired differences
    equivalent: bool  # shown to differ by less than the margin
    smallest_p: float
    significant: bool
    better_in: int  # seeds in which the arm is ahead
    of: int


class PhotoCount(TypedDict):
    """A number of real photos; less than 0 where an arm does worse than its own photos alone."""

    photos: float
    beyond: Literal[
        "", "fewer", "more"
    ]  # "" for this number, else fewer or more: outside what the curve covers


class PhotoRange(TypedDict):
    """A number of real photos with its 95 % interval over seeds and test photos; one seed gives no interval."""

    estimate: PhotoCount
    low: PhotoCount | None
    high: PhotoCount | None


class CurveArm(TypedDict):
    """One measured point of the learning curve of real photos; arms with equally many photos share one."""

    arm: str
    photos: int  # real training photos of all classes together
    balanced_accuracy: IntervalFields


class RealCurve(TypedDict):
    """The fit: balanced accuracy = plateau - scale * photos ** -exponent."""

    points: list[CurveArm]  # by growing number of photos
    plateau: float
    scale: float
    exponent: float
    misfit: float  # root mean square of measured minus fitted accuracies
    most: int  # photos up to which the curve is extrapolated


class EquivalentPhotos(TypedDict):
    """How many real photos an arm is worth."""

    arm: str
    title: str
    real: int  # real training photos that it uses
    synthetic: int
    balanced_accuracy: float
    equivalent: PhotoRange  # as many real photos alone reach its accuracy
    additional: PhotoRange  # the same, less the real photos that it uses
    sentence: str


class DataEfficiency(TypedDict):
    """What arms are worth in real photos; `skipped` says why there is no curve."""

    curve: RealCurve | None
    arms: list[EquivalentPhotos]
    skipped: str


class Selection(TypedDict):
    """Which selection a release folder held, by its index."""

    index: str  # SHA-256 of the index file; "" where there is none
    pictures: int  # rows of the index


class StudyFindings(TypedDict):
    """What the runs of a study show."""

    verdict: str
    finding: str
    best: str | None
    praise: str
    dataset: str
    test: str
    classes: list[str]
    seeds: list[int]
    settings: Settings
    arms: list[ArmResult]
    skipped: list[SkippedResult]
    share_notes: NotRequired[list[str]]  # what arms of a share of the photos train on, where there are some
    comparisons: list[ComparisonResult]  # with the real photos
    planned: list[ComparisonResult]  # of other pairs, fixed before the study
    data_efficiency: NotRequired[DataEfficiency]  # where an arm other than the real photos is there
    margin: float  # smallest difference of balanced accuracy that matters
    notes: list[str]
    test_counts: dict[str, int]


class ImageFindings(TypedDict):
    """What the images themselves show; a part is missing where it cannot be measured, and in earlier studies."""

    similarity: NotRequired[SimilarityFindings]
    context: NotRequired[ContextFindings]
    recognition: NotRequired[RecognitionFindings]
    class_context: NotRequired[ClassContextFindings]
    efficiency: NotRequired[EfficiencyFindings]


class ArmSummary(TypedDict):
    """What an arm reached with another network."""

    arm: str
    title: str
    balanced_accuracy: Spread


class OtherNetwork(TypedDict):
    """The same study with another network."""

    network: str
    verdict: str
    arms: list[ArmSummary]
    agreement: float | None  # Kendall's tau of the arms' order with that of the first network, -1 to 1
    warning: NotRequired[str]  # where the real photos alone hardly teach it anything


class TuningSetting(TypedDict):
    """A setting that a tuning budget tries."""

    lr: float
    weight_decay: float


class TunedArm(TuningSetting):
    """The setting that was chosen for an arm, and what the arm reached with it on the test photos."""

    arm: str
    title: str
    is_default: bool  # the chosen setting is the one of the other tables
    validation_accuracy: list[float]  # balanced accuracy on the validation photos with each setting tried
    balanced_accuracy: Spread


class TuningFindings(TypedDict):
    """The study again, every arm with the same budget for choosing its setting."""

    sentence: str  # whether the arms keep their order
    settings: list[TuningSetting]  # that were tried for every arm, the default first
    validation_counts: dict[str, int]  # validation photos of each class
    arms: list[TunedArm]
    skipped: list[SkippedResult]
    comparisons: list[ComparisonResult]  # with the real photos
    agreement: float | None  # Kendall's tau of the arms' order with that of the default setting, -1 to 1


class StudyResult(StudyFindings, ImageFindings, DiagnosisFindings):
    """What `study.json` holds."""

    selection: Selection
    machine: Machine
    seconds: float
    tuning: NotRequired[TuningFindings]
    other_networks: NotRequired[list[OtherNetwork]]
