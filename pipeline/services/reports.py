"""What services return: frozen values that a page or the command line can show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.domain.images import RGB
from pipeline.domain.quality import GateFailure
from pipeline.domain.spec import SampleSpec
from pipeline.domain.splits import shortage_of_test_photos
from pipeline.domain.texts import duration
from pipeline.rendering import DownloadProgress
from pipeline.rendering.runner import RenderedSample
from pipeline.services.review.acceptance_model import Quality
from pipeline.store import AutoReviewCheck, AutoReviewLimits, SampleRow

# items done, items in total if known, name of the current item
Progress = Callable[[int, int | None, str], None]


_NAMED_PAIRS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """A test photo and the most similar training photo."""

    test_id: str
    test_name: str  # file name in its source
    train_id: str
    train_name: str
    similarity: float  # cosine, -1 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did."""

    added: int
    already: int  # photos whose pixels the library held before
    doubtful: int  # added, but the mask needs checking by a person
    refused: tuple[tuple[str, str], ...]  # (file, reason)
    classes: dict[str, int]  # added per class
    note: str = ""  # e.g. which columns were guessed
    samples: int = 0  # accepted samples that came with a release
    repaired: int = 0  # photos that were there before, whose files were missing or damaged
    found: dict[str, dict[str, int]] = field(
        default_factory=dict
    )  # class → split → photos, added or there before
    other_class: tuple[
        tuple[str, str, str], ...
    ] = ()  # (file, class in the library before, class in the source)
    relabelled: bool = False  # whether the photos of `other_class` now have the class of the source
    alike: tuple[
        tuple[str, ...], ...
    ] = ()  # classes of the library whose names differ in capitals or blanks only
    dry_run: bool = False  # nothing was written
    near_duplicates: tuple[NearDuplicate, ...] = ()  # across the splits of the library after the import
    test_photos: Mapping[str, int] = field(
        default_factory=dict
    )  # class → test photos of the library after the import
    undivided: tuple[str, ...] = ()  # classes whose photos look too alike for enough test photos

    @property
    def summary(self) -> str:
        """Return what was found as one sentence: classes with their splits, refused files, doubtful masks."""
        classes = [
            f"{label} {sum(splits.values())} ({_listed(splits)})" for label, splits in self.found.items()
        ]
        parts = [", ".join(classes) or "no photos", f"{len(self.refused)} refused"]
        if self.doubtful:
            parts.append(f"{self.doubtful} masks need checking")
        return "; ".join(parts)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return sentences about classes and splits that a person should know of."""
        sentences = [
            "the classes "
            + " and ".join(f"'{label}'" for label in labels)
            + " differ in capitals or blanks only; if they are one, rename the folder and import it again with the "
            "new class"
            for labels in self.alike
        ]
        if self.other_class:
            name, before, now = self.other_class[0]
            count = len(self.other_class)
            sentences.append(
                f"{count} photos changed their class, the first is {name}: '{before}' is now '{now}'; "
                "samples that were made from them keep the old class"
                if self.relabelled
                else f"{count} photos are in the library under another class, the first is {name}: '{before}' in the "
                f"library, '{now}' in the source"
            )
        if self.near_duplicates:
            sentences.append(_leak(self.near_duplicates))
        if self.undivided:
            labels = ", ".join(f"'{label}'" for label in self.undivided)
            sentences.append(
                f"the photos of {labels} look too alike to be divided: near-duplicates would be on both sides"
            )
        if shortage := shortage_of_test_photos(self.test_photos):
            sentences.append(
                f"{shortage}: import more photos as test, best from where the model will be used"
            )
        return tuple(sentences)


def _leak(pairs: Sequence[NearDuplicate]) -> str:
    names = [f"{pair.test_name} ~ {pair.train_name}" for pair in pairs[:_NAMED_PAIRS]]
    found = (
        "1 test photo is a near-duplicate of a training photo"
        if len(pairs) == 1
        else f"{len(pairs)} test photos are near-duplicates of training photos"
    )
    return (
        f"{found}: {', '.join(names)}{', …' if len(pairs) > _NAMED_PAIRS else ''}; "
        "exclude one photo of each pair, or import both into one split"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UncheckedPhotos:
    """Training photos that no plan uses until a person has checked their mask; excluded photos do not count."""

    unchecked: int
    total: int  # training photos
    without: tuple[str, ...]  # classes with photos of which none can be used

    @property
    def sentence(self) -> str:
        """Say how many photos are left out, and which classes have none left; "" where none is left out."""
        if not self.unchecked:
            return ""
        verb = "is" if self.unchecked == 1 else "are"
        their = "its" if self.unchecked == 1 else "their"
        none = f"; {_classes(self.without)} none" if self.without else ""
        count = f"{self.unchecked} of {self.total} training photos"
        return f"{count} {verb} not used in plans until {their} outline is checked{none}"


def _classes(labels: Sequence[str]) -> str:
    if len(labels) == 1:
        return f"class '{labels[0]}' has"
    return "classes " + ", ".join(f"'{label}'" for label in labels[:-1]) + f" and '{labels[-1]}' have"


def _listed(splits: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {split}" for split, count in splits.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPreview:
    """What a recipe would generate from this library."""

    id: str  # equal ids: the same recipe, changes, model and photos, so the same plan
    name: str
    total: int  # specs in the plan
    new: int  # specs not rendered yet
    classes: dict[str, int]
    methods: dict[str, int]
    slots: dict[str, dict[str, int]]  # slot → value → count
    prompts: tuple[str, ...]  # a few examples
    seconds: float | None  # estimate for `new`; None where one of its methods was never used with its model
    size: int  # side of the images, px
    size_sentence: str  # the size and why it is that
    memory_sentence: str  # what a run takes; "" where it is not known
    warnings: tuple[str, ...]  # e.g. a prompt that is too long, or words that nano does not know
    distractors_note: str = ""  # how many images show distractors, and which
    exact: bool = True  # False: counts are shares of a large plan, of which the first samples were drawn
    further: int = (
        0  # at most so many images besides, in the place of those that differ least from the others
    )

    @property
    def summary(self) -> str:
        """Return what would be generated, and a line on the size of the images."""
        classes = ", ".join(f"{label} {count}" for label, count in self.classes.items())
        methods = ", ".join(f"{method} {count}" for method, count in self.methods.items())
        further = (
            f", and up to {self.further} more in the place of those that differ least" if self.further else ""
        )
        counts = f"{self.name}: {self.new} of {self.total} images to generate{further}; {classes}; {methods}"
        time = f"about {duration(self.seconds)}" if self.seconds and self.new else ""
        costs = "; ".join(filter(None, (self.size_sentence, time, self.memory_sentence)))
        return "\n".join(filter(None, (counts, self.distractors_note, costs)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run of a plan did."""

    planned: int  # specs in the plan
    already: int  # rendered before
    rendered: int  # rendered now
    failed: tuple[tuple[str, str], ...]  # (spec id, sentence)
    seconds: float
    inexact: int  # samples whose kept object differs from the warped photo; 0 unless something is broken
    rounds: tuple[str, ...] = ()  # what each round but the last has shown, a sentence each
    replaced: int = 0  # samples of the plan that others have taken the place of, since they differed least


class RunState(StrEnum):
    """The state of a background run."""

    IDLE = "idle"
    LOADING = "loading"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"


_AT_WORK = (RunState.LOADING, RunState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """The progress of a background run, as a page polls it."""

    state: RunState = RunState.IDLE
    recipe: str = ""
    done: int = 0
    total: int = 0
    step: int = 0  # denoising step of the current batch
    steps: int = 0
    seconds_left: float | None = None
    latest: tuple[str, ...] = ()  # ids of the last few samples, newest first
    sentence: str = ""  # why it failed
    download: DownloadProgress | None = None  # of the run's model; None while nothing is downloaded

    @property
    def is_working(self) -> bool:
        """Return whether the run is in progress."""
        return self.state in _AT_WORK

    @property
    def count(self) -> str:
        """Return how far a run in progress is, "12 of 120"; "" where none is, or its plan is not begun."""
        return f"{self.done} of {self.total}" if self.is_working and self.total else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """A run in the list of runs: one for each plan that was stored from a recipe."""

    name: str  # of the plan
    state: RunState
    done: int  # images
    total: int  # images that the plan has or will have
    failed: int = 0  # of those that are missing, how many could not be rendered
    seconds_left: float | None = None  # estimated; None where nothing is left or nothing is known
    updated_at: str = ""  # when the plan was last stored: ISO, UTC; "" for one that is not stored yet

    @property
    def is_working(self) -> bool:
        """Return whether the run is in progress."""
        return self.state in _AT_WORK

    @property
    def left(self) -> int:
        """Return how many images are missing."""
        return self.total - self.done

    @property
    def time_left(self) -> str:
        """Return the estimated time left as people read it; "" where there is none."""
        return f"about {duration(self.seconds_left)}" if self.seconds_left else ""

    @property
    def sentence(self) -> str:
        """Return the run as one sentence."""
        time = f", {self.time_left} left" if self.time_left else ""
        failed = f", {self.failed} could not be rendered" if self.failed else ""
        return f"{self.name}: {self.state}, {self.done} of {self.total} images{time}{failed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One variant of the Create page; it enters the library only when it is kept."""

    spec: SampleSpec
    sample: RenderedSample
    before: RGB  # (H, W, 3) uint8: the placed object on a checkerboard

    @property
    def image(self) -> RGB:
        """Return the finished image; (H, W, 3) uint8."""
        return self.sample.image

    @property
    def scores(self) -> Mapping[str, float]:
        """Return the quality scores by name."""
        return self.sample.facts.scores

    @property
    def failed_gates(self) -> tuple[GateFailure, ...]:
        """Return the quality gates that the variant fails."""
        return self.sample.facts.failed_gates


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """What the automatic gates decided."""

    accepted: int
    rejected: int
    reasons: dict[str, int]  # gate → rejected samples


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarSample:
    """A sample that looks like another image."""

    row: SampleRow
    similarity: float  # cosine of the embeddings, -1 to 1
    is_near_duplicate: bool  # so similar that one of the two is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReviewerReport:
    """What the auto-reviewer learned, and what it decided."""

    quality: Quality | None = None  # None: not trained
    not_embedded: int = 0  # samples without an embedding, so that it judged by colours and edges
    predicted: int = 0  # undecided samples with a predicted acceptance
    decided: int = 0  # samples that it decided itself
    left_to_people: int = 0  # samples that it left to people as a check
    sentence: str = ""  # why it could not be trained
    limits: AutoReviewLimits = field(default_factory=AutoReviewLimits)
    checks: AutoReviewCheck = field(default_factory=AutoReviewCheck)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePreview:
    """What a release would contain."""

    real: Mapping[str, Mapping[str, int]]  # split → class → count
    synthetic: Mapping[str, Mapping[str, int]]
    methods: Mapping[str, int]
    card: str  # Markdown of the dataset card
    decided_by_gate: int  # accepted samples that no person has seen


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyProgress:
    """The progress of a study in a child process, as a page polls it."""

    running: bool
    out: Path
    done: int = 0  # finished arm x seed runs
    total: int = 0
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)  # "arm" → [(step, accuracy)]
    verdict: str = ""
    report_html: str = ""  # "" until the study has ended
    sentence: str = ""  # why it failed
    stage: str = ""  # what is done now, where no run has ended since
    network: str = ""  # folder of the further network that is trained now; "" for the study's first
    seconds_left: float | None = None  # of the runs; None before the first has ended, and after the last
