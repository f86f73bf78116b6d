"""Decisions as events: what people and gates said of samples, and the state that follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from pipeline.errors import InvalidRequest

MOST_VOTES = 9  # the highest overlap


class Verdict(StrEnum):
    """What a reviewer says of a sample."""

    ACCEPT = "accept"
    REJECT = "reject"
    SKIP = "skip"  # not now; the sample stays pending
    FLAG = "flag"  # to be talked about; the state of the sample does not change
    UNDO = "undo"  # takes back this reviewer's last standing decision on the sample


class RejectReason(StrEnum):
    """Why a sample is no good; keys 1 to 9 in this order."""

    LABEL_LOST = "label_lost"
    SEAM = "seam"
    HALO = "halo"
    SECOND_OBJECT = "second_object"
    SCALE = "scale"
    LIGHT = "light"
    UNREAL = "unreal"
    DUPLICATE = "duplicate"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One event; never changed once it is stored."""

    sample_id: str
    reviewer: str
    verdict: Verdict
    at: str  # ISO 8601, UTC
    via: str  # "key", "click", "bulk" or "cli"; "gate", "helper" and "release" are no person's; "settle" a lead's
    client_id: str  # the sender's own number for this event; a repeat counts once
    reason: str | None = None  # one of RejectReason for a rejection
    comment: str = ""
    shown: dict[str, Any] = field(default_factory=dict)  # what the reviewer saw


class _Voted(Protocol):
    """What a vote is read from: a `Decision`, or a stored row of one."""

    @property
    def reviewer(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def via(self) -> str: ...


Event = TypeVar("Event", bound=_Voted)


class Rule(StrEnum):
    """How the votes of several reviewers become one state."""

    MAJORITY = "majority"  # more than half
    UNANIMITY = "unanimity"  # all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How many people look at a sample, and what their votes add up to."""

    overlap: int = 1  # votes of different people that a sample needs
    rule: Rule = Rule.MAJORITY

    def __post_init__(self) -> None:
        if not 1 <= self.overlap <= MOST_VOTES:
            raise InvalidRequest(f"the overlap is {self.overlap}; it must lie in 1 to {MOST_VOTES}")


_STATES = {Verdict.ACCEPT: "accepted", Verdict.REJECT: "rejected"}
PENDING, DISPUTED = "pending", "disputed"
GATE = "gate"  # Decision.via of the automatic gates
HELPER = "helper"  # Decision.via of the helper that learns
RELEASE = (
    "release"  # Decision.via of what an imported release holds: accepted by somebody, in another library
)
RELEASE_PLAN = "release:"  # how the plans of its samples begin; no recipe's name does
AUTOMATIC = (GATE, HELPER, RELEASE)  # no verdict of a person of this library
BULK = "bulk"  # Decision.via of many at once
SETTLE = "settle"  # Decision.via of a lead who settles what others disagree on
ONE_VOTE = Policy()


def states(events: Iterable[Decision], policy: Policy = ONE_VOTE) -> dict[str, str]:
    """The review state of every sample that the events, oldest first, speak of.

    An undo takes back the same reviewer's last standing event on the same sample; an undo with nothing to take back
    does nothing. With an overlap of 1 the last standing accept or reject of a person counts. With more, the last
    standing vote of each person counts: too few leave the sample pending, no clear result makes it disputed, and what
    a lead settles holds. Gates and the helper decide only where no person voted.
    """
    standing: dict[str, list[Decision]] = {}
    for event in events:
        stack = standing.setdefault(event.sample_id, [])
        if event.verdict is Verdict.UNDO:
            own = [index for index, earlier in enumerate(stack) if earlier.reviewer == event.reviewer]
            if own:
                del stack[own[-1]]
        else:
            stack.append(event)
    return {sample_id: _state(stack, policy) for sample_id, stack in standing.items()}


def votes(stack: Iterable[Event]) -> dict[str, Event]:
    """The last accept or reject of each person among the standing events on one sample, oldest first."""
    return {
        event.reviewer: event for event in stack if event.verdict in _STATES and event.via not in AUTOMATIC
    }


def _state(stack: list[Decision], policy: Policy) -> str:
    lasting = [event for event in stack if event.verdict in _STATES]
    if not lasting:
        return PENDING
    settled = [event for event in lasting if event.via == SETTLE]
    people = votes(lasting)
    if policy.overlap == 1 or settled or not people:
        by_people = [event for event in lasting if event.via not in AUTOMATIC]
        return _STATES[(settled or by_people or lasting)[-1].verdict]
    if len(people) < policy.overlap:
        return PENDING
    accepted = sum(event.verdict is Verdict.ACCEPT for event in people.values())
    needed = len(people) if policy.rule is Rule.UNANIMITY else len(people) // 2 + 1
    if accepted >= needed:
        return _STATES[Verdict.ACCEPT]
    return _STATES[Verdict.REJECT] if len(people) - accepted >= needed else DISPUTED
