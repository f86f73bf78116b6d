"""Decisions as events: what people and gates said of samples, and the state that follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
    via: str  # "key", "click", "gate" or "cli"
    client_id: str  # the sender's own number for this event; a repeat counts once
    reason: str | None = None  # one of RejectReason for a rejection
    comment: str = ""
    shown: dict[str, Any] = field(default_factory=dict)  # what the reviewer saw


_STATES = {Verdict.ACCEPT: "accepted", Verdict.REJECT: "rejected"}
PENDING = "pending"


def states(events: Iterable[Decision]) -> dict[str, str]:
    """The review state of every sample that the events, oldest first, speak of.

    The last standing accept or reject counts. An undo takes back the same reviewer's last standing event on the same
    sample; an undo with nothing to take back does nothing.
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
    return {sample_id: _state(stack) for sample_id, stack in standing.items()}


def _state(stack: list[Decision]) -> str:
    lasting = [_STATES[event.verdict] for event in stack if event.verdict in _STATES]
    return lasting[-1] if lasting else PENDING
