"""The rows of a release, one an image, and the facts of its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Matrix = tuple[tuple[float, float, float], ...]  # 3 x 3, row by row
IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class Origin(StrEnum):
    """Whether the image is a photo (or a rendered starter image) or comes from a generator."""

    REAL = "real"
    SYNTHETIC = "synthetic"


class Subset(StrEnum):
    """The rows that lie in files of their own; configurations are made of them."""

    REAL = "real"
    SYNTHETIC = "synthetic"
    REJECTED = "rejected"  # rejected samples with the reason; only on request


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDistractor:
    """Something else that an image shows: an object of another class, or a neutral shape of none."""

    box: tuple[int, int, int, int]  # of its visible part; (0, 0, 0, 0) where nothing is seen
    runs: tuple[int, ...]  # its visible part, see `run_lengths`
    label: str = ""  # its class; "" for a shape
    shape: str = ""  # the form of a shape; "" for an object
    source_id: str = ""  # the photo that an object was cut out of; "" for a shape


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """One image of a release. Ids of images are those of the library's files.

    For a real row `method` is "photo", prompt and model are empty, `seed` is -1, the homography the identity.
    Where the photographed object is not in the image (method `text_to_image`), `mask_id` is None and `boxes` empty.
    Mask, boxes and homographies are those of the objects of class `label`.
    """

    image_id: str
    mask_id: str | None
    label: str
    split: str
    origin: Origin
    method: str
    sample_id: str  # the photo's id for a real row
    source_ids: tuple[str, ...]  # photos that the image is made of, back to front
    prompt: str = ""
    slots: tuple[tuple[str, str], ...] = ()  # (slot, value) pairs of the prompt
    seed: int = -1
    model: str = ""
    revision: str = ""
    boxes: tuple[tuple[int, int, int, int], ...] = ()
    homographies: tuple[Matrix, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    source: str = ""  # where a real image was imported from
    reason: str = ""  # why a sample was rejected
    recipe: str = ""  # name of the recipe that planned the sample first
    distractors: tuple[ReleaseDistractor, ...] = ()  # back to front, behind the objects
    place: int = 0  # order in which it joined its subset; later rows have higher places


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodYield:
    """What came of all samples that one method rendered with one model, and how long an image took."""

    method: str
    model: str
    rendered: int
    accepted: int
    rejected: int
    seconds: (
        float | None
    )  # median of the newest images, on the machine that rendered them; None: none was timed
    review_seconds: float | None = (
        None  # of people on all these samples, see `domain.habits`; None: not known
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """How the samples of a library were decided."""

    accepted_by_people: int = 0
    accepted_by_gates: int = 0  # without a standing verdict of a person
    accepted_by_auto_reviewer: int = 0  # likewise, by the auto-reviewer
    accepted_by_release: int = 0  # likewise, with an imported release, whose card tells who decided
    rejected_by_people: int = 0
    rejected_by_gates: int = 0
    rejected_by_auto_reviewer: int = 0
    pending: int = 0
    reviewers: int = 0  # people with a standing verdict
    agreement: float | None = (
        None  # Krippendorff's alpha over samples with two votes or more; None without any
    )
    shared: int = 0  # samples with two votes or more
    reasons: Mapping[str, int] = field(default_factory=dict)  # reject reason → samples

    @property
    def decided(self) -> int:
        """Samples that are accepted or rejected."""
        return (
            self.accepted + self.rejected_by_people + self.rejected_by_gates + self.rejected_by_auto_reviewer
        )

    @property
    def decided_here(self) -> int:
        """Samples that are accepted or rejected, but for those accepted in a release that was imported."""
        return self.decided - self.accepted_by_release

    @property
    def accepted(self) -> int:
        """Samples that are accepted, by whomever."""
        here = self.accepted_by_people + self.accepted_by_gates + self.accepted_by_auto_reviewer
        return here + self.accepted_by_release

    @property
    def acceptance(self) -> float:
        """Share that was accepted of the samples decided here, 0 to 1; 0 before anything was decided.

        Those of an imported release do not count: it brought no rejected ones.
        """
        return (self.accepted - self.accepted_by_release) / self.decided_here if self.decided_here else 0.0
