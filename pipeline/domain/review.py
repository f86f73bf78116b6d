"""Decisions of people and automatic reviewers as events, and the one fold that derives the state of a sample.

Everything that follows from the events (state, votes, who decided, the reason) is derived from `standing`: the
events that no undo takes back. An undo names the event that it takes back (`undoes`), so the order in which undos
arrive does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from pipeline.errors import InvalidRequest

MOST_VOTES = 9  # the highest overlap


class Verdict(StrEnum):
    """A reviewer's verdict on a sample."""

    ACCEPT = "accept"
    REJECT = "reject"
    SKIP = "skip"  # not now; the sample stays pending
    FLAG = "flag"  # to be discussed; the state of the sample does not change
    UNDO = "undo"  # takes back one earlier decision of this reviewer


class RejectReason(StrEnum):
    """Why a sample is rejected. The first nine have the keys 1 to 9 in this order, later ones only a button."""

    LABEL_LOST = "label_lost"
    SEAM = "seam"
    HALO = "halo"
    SECOND_OBJECT = "second_object"
    SCALE = "scale"
    LIGHT = "light"
    UNREAL = "unreal"
    DUPLICATE = "duplicate"
    OTHER = "other"


REASON_TITLES = {  # as pages show them
    RejectReason.LABEL_LOST: "label lost",
    RejectReason.SEAM: "seam",
    RejectReason.HALO: "halo",
    RejectReason.SECOND_OBJECT: "second object",
    RejectReason.SCALE: "scale",
    RejectReason.LIGHT: "light",
    RejectReason.UNREAL: "unreal",
    RejectReason.DUPLICATE: "duplicate",
    RejectReason.OTHER: "other",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One event, as it is sent to the store; it never changes once it is stored."""

    sample_id: str
    reviewer: str
    verdict: Verdict
    at: str  # ISO 8601, UTC
    via: str  # "key", "click", "bulk" or "cli"; "settle" (a lead), or one of AUTOMATIC
    client_id: str  # the sender's own number for this event; a repeat counts once
    reason: str | None = None  # one of RejectReason for a rejection
    comment: str = ""
    shown: dict[str, object] = field(default_factory=dict)  # what the reviewer saw


class StoredEvent(Protocol):
    """A decision with its place in the order of events: a row of the store."""

    @property
    def seq(self) -> int: ...
    @property
    def reviewer(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def via(self) -> str: ...
    @property
    def undoes(self) -> int | None: ...


Event = TypeVar("Event", bound=StoredEvent)


class Rule(StrEnum):
    """How the votes of several reviewers become one state."""

    MAJORITY = "majority"  # more than half
    UNANIMITY = "unanimity"  # all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How many people review a sample, and how their votes decide."""

    overlap: int = 1  # votes of different people that a sample needs
    rule: Rule = Rule.MAJORITY

    def __post_init__(self) -> None:
        if not 1 <= self.overlap <= MOST_VOTES:
            raise InvalidRequest(f"the overlap is {self.overlap}; it must lie in 1 to {MOST_VOTES}")


LASTING = (Verdict.ACCEPT, Verdict.REJECT)  # the verdicts that change a sample's state
PENDING, ACCEPTED, REJECTED, DISPUTED = "pending", "accepted", "rejected", "disputed"
GATE = "gate"  # Decision.via of the quality gates
AUTO_REVIEWER = "helper"  # Decision.via of the auto-reviewer
RELEASE = "release"  # Decision.via of an imported release: accepted by somebody in another library
RELEASE_PLAN = "release:"  # how the plans of its samples begin; no recipe's name does
_OF_RECIPE = " / "  # in the name of such a plan, before that of the recipe
REFILL_ENDING = ", refill"  # of the plan that makes up for the rejected samples of another
NOVELTY_REVIEWER = "novelty gate"  # Decision.reviewer of what rejects samples that another one replaces
NOVELTY_ENDING = ", novelty"  # of the plan that replaces samples of another which differ least
_ENDINGS = re.compile(rf"({NOVELTY_ENDING}( [0-9a-f]{{8}})?)?({REFILL_ENDING}( [0-9a-f]{{8}})?)?$")
AUTOMATIC = (GATE, AUTO_REVIEWER, RELEASE)  # not verdicts of a person of this library
BULK = "bulk"  # Decision.via of many at once
SETTLE = "settle"  # Decision.via of a lead who settles a dispute
ONE_VOTE = Policy()


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Event]):
    """The result of the events on one sample."""

    state: str  # PENDING, ACCEPTED, REJECTED or DISPUTED
    decisive: Event | None = None  # the event that gave the state; None where nothing is decided


def standing(events: Iterable[Event]) -> list[Event]:
    """Return the events that no undo takes back, in the given order, without the undos themselves."""
    listed = list(events)
    undone = {event.undoes for event in listed if event.undoes is not None}
    return [event for event in listed if event.verdict != Verdict.UNDO and event.seq not in undone]


def votes(events: Iterable[Event]) -> dict[str, Event]:
    """Return the vote of each person on one sample: their last standing accept or reject.

    Args:
        events: all events on the sample, oldest first.
    """
    return {
        event.reviewer: event
        for event in standing(events)
        if event.verdict in LASTING and event.via not in AUTOMATIC
    }


def outcome(events: Iterable[Event], policy: Policy = ONE_VOTE) -> Outcome[Event]:
    """Derive the state of one sample, and the event that decided it.

    With an overlap of 1 the last standing accept or reject of a person counts. With a higher one the vote of each
    person counts: too few leave the sample pending, no clear result makes it disputed. What a lead settles holds in
    either case. Gates, the auto-reviewer and an imported release decide only where no person voted.

    Args:
        events: all events on the sample, oldest first.
    """
    lasting = [event for event in standing(events) if event.verdict in LASTING]
    settled = [event for event in lasting if event.via == SETTLE]
    people = [event for event in lasting if event.via not in AUTOMATIC]
    if policy.overlap == 1 or settled or not people:
        deciding = settled or people or lasting
        return Outcome(_STATES[Verdict(deciding[-1].verdict)], deciding[-1]) if deciding else Outcome(PENDING)
    cast = votes(lasting)
    if len(cast) < policy.overlap:
        return Outcome(PENDING)
    needed = len(cast) if policy.rule is Rule.UNANIMITY else len(cast) // 2 + 1
    for verdict in LASTING:
        agreeing = [event for event in people if event.verdict == verdict and cast[event.reviewer] is event]
        if len(agreeing) >= needed:
            return Outcome(_STATES[verdict], agreeing[-1])
    return Outcome(DISPUTED)


_STATES = {Verdict.ACCEPT: ACCEPTED, Verdict.REJECT: REJECTED}


def release_plan(release: str, part: int, recipe: str) -> str:
    """Return the name of the plan of samples that came with a release, 200 characters at most.

    Args:
        release: its name with its version.
        part: samples are planned in parts, from 1.
        recipe: of the samples, "" where the release does not tell.
    """
    name = f"{RELEASE_PLAN}{release}"[:100] + (f" ({part})" if part > 1 else "")
    return f"{name}{_OF_RECIPE}{recipe}"[:200] if recipe else name


def recipe_of_plan(plan: str) -> str:
    """Return the name of the recipe of a plan; "" where the samples came with a release that does not tell it.

    A refill is of the recipe that it refills, and replacements are of the recipe of what they replace.
    """
    recipe = plan.partition(_OF_RECIPE)[2] if plan.startswith(RELEASE_PLAN) else plan
    return _ENDINGS.sub("", recipe)
