"""The store of photos, plans, samples and decisions: the only database code, the only writer of image files."""

from pipeline.store.library import Library
from pipeline.store.plan_writer import PlanWriter
from pipeline.store.replica.folder import ReplicaFolder
from pipeline.store.replica.replica import Replica
from pipeline.store.replica.restore import Restored
from pipeline.store.rows import (
    AutoReviewCheck,
    AutoReviewLimits,
    Counts,
    DecisionRow,
    EmbeddedSample,
    GoldItem,
    NewPhoto,
    PhotoDeletion,
    PlanMember,
    PlanProgress,
    PlanRow,
    Refusal,
    Rendered,
    SampleFilter,
    SampleOrder,
    SampleRow,
    SampleSet,
    SampleState,
    VoteRow,
)

__all__ = [
    "AutoReviewCheck",
    "AutoReviewLimits",
    "Counts",
    "DecisionRow",
    "EmbeddedSample",
    "GoldItem",
    "Library",
    "NewPhoto",
    "PhotoDeletion",
    "PlanMember",
    "PlanProgress",
    "PlanRow",
    "PlanWriter",
    "Refusal",
    "Rendered",
    "Replica",
    "ReplicaFolder",
    "Restored",
    "SampleFilter",
    "SampleOrder",
    "SampleRow",
    "SampleSet",
    "SampleState",
    "VoteRow",
]
