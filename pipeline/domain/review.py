"""Verdicts on samples as events that are only ever appended; the state of a sample is a view of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.errors import InvalidRequest


class Verdict(StrEnum):
    """What a reviewer did with a sample."""

    ACCEPT = "accept"
    REJECT = "reject"
    SKIP = "skip"  # look at it later; changes no state
    UNDO = "undo"  # takes back this reviewer's last standing decision on the sample


class RejectReason(StrEnum):
    """Why a sample is of no use."""

    LABEL_LOST = "label_lost"  # the class cannot be told any more
    SEAM = "seam"  # the object looks cut out
    HALO = "halo"  # a rim of the old ground
    SECOND_OBJECT = "second_object"  # the background shows another object of some class
    SCALE = "scale"  # too large or small for its surroundings
    LIGHT = "light"  # object and surroundings are lit differently
    UNREAL = "unreal"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Via(StrEnum):
    """How a decision was given."""

    KEY = "key"
    CLICK = "click"
    GATE = "gate"  # by the automatic gates alone
    CLI = "cli"


class ReviewState(StrEnum):
    """Where a rendered sample stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


_STATE_AFTER = {Verdict.ACCEPT: ReviewState.ACCEPTED, Verdict.REJECT: ReviewState.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One event. `shown` says what the reviewer saw (size of the picture, what was laid over it …)."""

    sample_id: str
    reviewer: str
    verdict: Verdict
    reason: str | None = None  # one of RejectReason, for a rejection
    comment: str = ""
    at: str  # ISO 8601, UTC
    via: str = Via.KEY
    client_id: str = ""  # the sender's own name of this event; the same one counts once
    shown: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.via not in set(Via):
            raise InvalidRequest(f"a decision came via '{self.via}'; it must be one of {', '.join(Via)}")


def states(events: Iterable[Decision]) -> dict[str, ReviewState]:
    """The state of every sample that has an event, from all events in the order in which they came.

    The last standing accept or reject counts, whoever gave it. An undo takes back the last decision (skips
    included) of the same reviewer on the same sample that no undo has taken back yet; without one it does nothing.
    """
    standing: dict[str, list[Decision]] = {}
    for event in events:
        decisions = standing.setdefault(event.sample_id, [])
        if event.verdict is not Verdict.UNDO:
            decisions.append(event)
            continue
        own = [index for index, one in enumerate(decisions) if one.reviewer == event.reviewer]
        if own:
            del decisions[own[-1]]
    return {sample_id: _state(decisions) for sample_id, decisions in standing.items()}


def _state(standing: list[Decision]) -> ReviewState:
    lasting = [one.verdict for one in standing if one.verdict in _STATE_AFTER]
    return _STATE_AFTER[lasting[-1]] if lasting else ReviewState.PENDING
