"""The store of photos, plans, samples and decisions: the only database code, the only writer of pictures."""

from pipeline.library.kept import KeptLibrary
from pipeline.library.restoring import Restored
from pipeline.library.rows import (
    Counts,
    DecisionRow,
    GoldItem,
    HelperCheck,
    HelperLimits,
    NewSubject,
    PlanRow,
    Refusal,
    Rendered,
    SampleFilter,
    SampleOrder,
    SampleRow,
    SampleState,
    Subject,
    VoteRow,
)
from pipeline.library.state_folder import StateFolder
from pipeline.library.store import Library

__all__ = [
    "Counts",
    "DecisionRow",
    "GoldItem",
    "HelperCheck",
    "HelperLimits",
    "KeptLibrary",
    "Library",
    "NewSubject",
    "PlanRow",
    "Refusal",
    "Rendered",
    "Restored",
    "SampleFilter",
    "SampleOrder",
    "SampleRow",
    "SampleState",
    "StateFolder",
    "Subject",
    "VoteRow",
]
