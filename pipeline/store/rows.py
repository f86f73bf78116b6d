"""The values that the library takes and returns; all are frozen, and know nothing of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.domain.quality import GateFailure
from pipeline.domain.sample_facts import SampleFacts, SeenDistractor
from pipeline.domain.spec import SampleSpec
from pipeline.domain.warping import Box
from pipeline.errors import InvalidRequest

PEOPLE = "people"  # who decided a sample, unless a gate, the auto-reviewer or an imported release did


class SampleState(StrEnum):
    """Where a sample stands. A closed chain: planned → (failed |) pending → accepted | rejected | disputed."""

    PLANNED = "planned"  # decided in a plan, not rendered yet
    FAILED = "failed"  # rendering it failed; the next run tries again
    PENDING = "pending"  # rendered, undecided
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DISPUTED = "disputed"  # reviewers disagree; a lead settles it


RENDERED_STATES = (SampleState.PENDING, SampleState.ACCEPTED, SampleState.REJECTED, SampleState.DISPUTED)


class SampleOrder(StrEnum):
    """In which order samples are listed."""

    NEWEST = "newest"  # latest planned first
    PLAN = "plan"  # as planned
    QUEUE = "queue"  # as they are reviewed: by score, then as planned
    PREDICTED_ACCEPTANCE = "promise"  # most likely to be accepted first, as the auto-reviewer predicts
    UNCERTAINTY = "doubt"  # those first of which the auto-reviewer is least certain
    GROUPS = (
        "groups"  # groups of near-duplicates one after the other, the best of each first; others are left out
    )
    LOWEST = "lowest"  # by the score of the filter
    HIGHEST = "highest"


BY_SCORE = (SampleOrder.LOWEST, SampleOrder.HIGHEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFilter:
    """Which rendered samples to find, and in which order; None = any."""

    review: str | None = None  # pending, accepted, rejected or disputed
    label: str | None = None
    method: str | None = None
    model: str | None = None
    word: tuple[str, str] | None = None  # slot of the prompt, its value
    cluster: str | None = None  # id of the first of several near-duplicates
    reviewer: str | None = None  # somebody who voted on it
    since: str | None = None  # rendered at or after: ISO, UTC; a day alone is its first moment
    until: str | None = None  # rendered before
    score: str | None = None  # name of the score of the range below, and of the orders "lowest" and "highest"
    low: float | None = None  # at least
    high: float | None = None  # at most
    order: SampleOrder = SampleOrder.NEWEST

    def __post_init__(self) -> None:
        needs_score = self.low is not None or self.high is not None or self.order in BY_SCORE
        if needs_score and self.score is None:
            raise InvalidRequest(
                "a range and an order by score need the name of a score; choose one, e.g. seam"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPhoto:
    """One labelled photo with its cut-out, as an import adds it. Its images must be stored before."""

    id: str  # pixel hash of the photo
    label: str
    name: str  # file name in its source
    source: str
    split: str  # train or test
    image_id: str
    height: int
    width: int
    cutout_id: str | None = None  # RGBA image; None if the photo was not cut out
    mask_score: float = 0.0  # 0 bad .. 1 good
    mask_doubts: Sequence[str] = ()  # sentences; empty = fit for use
    mask_origin: str = ""
    box: Box | None = None  # extent of the object in the photo


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoDeletion:
    """What was deleted, and what stays of it."""

    photos: int
    samples: int  # made from them; these stay
    image_ids: tuple[str, ...] = ()  # of the files that were removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A file of a source that an import refused."""

    source: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan as it was last stored."""

    name: str
    recipe_yaml: str
    specs: int  # that it has, or will have once all are decided
    updated_at: str  # ISO, UTC
    request: Mapping[str, object] | None = None  # what was asked for; None in plans of earlier versions


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProgress:
    """How far a stored plan is."""

    plan: PlanRow
    rendered: int  # samples that have an image
    failed: int  # of the others, those whose last try failed
    stored: int  # specs that are decided and stored


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """The beginning of a stored plan."""

    recipe_yaml: str
    head: Mapping[int, SampleSpec]  # position → spec, of its first specs; dropped ones are left out
    rendered: int  # samples that have an image, among the first that were asked about


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMember:
    """A spec of a plan, and what became of it."""

    spec: SampleSpec
    state: SampleState
    image_id: str | None
    group: str | None  # of near-duplicates: the id of its first sample
    passes: bool  # no failed quality gate
    replaced: bool  # rejected so that another sample takes its place, whoever else rejected it, too
    has_votes: bool = False  # of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A rendered sample to be stored. Its images must be stored before."""

    spec_id: str
    image_id: str
    mask_id: str | None
    facts: SampleFacts = field(default_factory=SampleFacts)
    score: float = 0.0  # place in the queue, low first
    cluster: str | None = None  # id of the first sample that it is a near-duplicate of; None if there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One sample of the library, rendered or not."""

    spec: SampleSpec
    state: SampleState
    plan: str  # name of the plan that added it
    split: str
    image_id: str | None = None
    mask_id: str | None = None
    boxes: tuple[Box, ...] = ()
    homographies: tuple[tuple[tuple[float, ...], ...], ...] = ()
    visible: tuple[float, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    failed_gates: tuple[GateFailure, ...] = ()
    descriptor: bytes | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    exact: bool | None = None
    failure: str = ""  # why the last attempt failed
    created_at: str = ""  # ISO, UTC
    rendered_at: str = ""
    cluster: str = ""
    predicted_acceptance: float = 0.5  # probability, by the auto-reviewer; 1/2 where it was not asked
    distractors: tuple[SeenDistractor, ...] = ()  # of each distractor of the spec

    @property
    def id(self) -> str:
        """The id of its spec."""
        return self.spec.id

    @property
    def status(self) -> str:
        """planned, rendered or failed."""
        return "rendered" if self.state in RENDERED_STATES else str(self.state)

    @property
    def review(self) -> str:
        """pending, accepted, rejected or disputed; pending before it is rendered, too."""
        return str(self.state) if self.state in RENDERED_STATES else str(SampleState.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSample:
    """What a search by similarity knows of a rendered sample."""

    id: str
    image_id: str
    label: str
    group: str  # of near-duplicates: the id of its first sample


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSet:
    """The first samples of one plan, method and class that are rendered and not rejected."""

    plan: str
    method: str
    label: str
    total: int  # samples of the set
    images: tuple[
        tuple[str, bool], ...
    ]  # id of the first ones' image, and whether it has a vector; as planned


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """One stored decision with facts about its sample."""

    seq: int  # order of the decisions
    client_id: str
    sample_id: str
    label: str
    method: str
    plan: str
    reviewer: str
    verdict: str
    reason: str | None
    comment: str
    via: str
    at: str  # ISO, UTC
    undoes: int | None  # seq of the event that an undo takes back
    shown: Mapping[str, object]  # what the reviewer saw


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRow:
    """The standing vote of a person on a sample."""

    sample_id: str
    label: str
    reviewer: str
    verdict: str  # accept or reject
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much a library holds. `samples`: planned (all specs), rendered (all images), then by state."""

    subjects: int  # photos
    excluded: int
    classes: Mapping[str, int]  # label → photos, including excluded ones
    samples: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldItem:
    """A sample or a photo whose correct verdict is known."""

    id: str
    sample_id: str | None
    photo_id: str | None
    verdict: str  # accept or reject


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReviewLimits:
    """What the auto-reviewer may decide by itself; None = nothing."""

    accept_from: float | None = None  # predicted acceptance at or above which it accepts
    reject_below: float | None = None  # predicted acceptance below which it rejects

    def __post_init__(self) -> None:
        low = 0.0 if self.reject_below is None else self.reject_below
        high = 1.0 if self.accept_from is None else self.accept_from
        if not 0.0 <= low <= 0.5 <= high <= 1.0:
            raise InvalidRequest(
                f"the auto-reviewer cannot reject below {low:g} and accept from {high:g}; "
                "the first must lie in 0 to 0.5, the second in 0.5 to 1"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReviewCheck:
    """How people decided the samples that the auto-reviewer left to them as a check."""

    left: int = 0  # still undecided
    decided: int = 0
    agreed: int = 0  # with what the auto-reviewer would have decided
