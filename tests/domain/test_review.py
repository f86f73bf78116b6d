"""The state of a sample is a view of its events; splits follow from content."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipeline.domain.review import (
    AUTO_REVIEWER,
    GATE,
    REASON_TITLES,
    SETTLE,
    Outcome,
    Policy,
    RejectReason,
    Rule,
    Verdict,
    outcome,
    recipe_of_plan,
    release_plan,
    standing,
    votes,
)
from pipeline.errors import InvalidRequest


@dataclass(frozen=True)
class Event:
    """A stored event."""

    seq: int
    reviewer: str
    verdict: Verdict
    via: str = "key"
    reason: str | None = None
    undoes: int | None = None


A, R, S, F, U = Verdict.ACCEPT, Verdict.REJECT, Verdict.SKIP, Verdict.FLAG, Verdict.UNDO


def events(*said: tuple[str, Verdict] | tuple[str, Verdict, str]) -> list[Event]:
    """Events of one sample from (reviewer, verdict, via); an undo takes back the reviewer's last standing event."""
    listed: list[Event] = []
    for seq, (reviewer, verdict, *via) in enumerate(said, start=1):
        own = [event.seq for event in standing(listed) if event.reviewer == reviewer]
        undoes = own[-1] if verdict is U and own else None
        listed.append(Event(seq, reviewer, verdict, *via, undoes=undoes))
    return listed


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ([A], "accepted"),
        ([R], "rejected"),
        ([S], "pending"),
        ([A, R], "rejected"),
        ([A, S], "accepted"),
        ([A, U], "pending"),
        ([A, R, U], "accepted"),
        ([A, R, U, U], "pending"),
        ([A, S, U], "accepted"),
        ([U], "pending"),
        ([A, U, R], "rejected"),
    ],
)
def test_the_last_standing_decision_counts(verdicts: list[Verdict], state: str) -> None:
    assert outcome(events(*(("ann", verdict) for verdict in verdicts))).state == state


def test_an_undo_takes_back_the_same_reviewers_decision_only() -> None:
    assert outcome(events(("ann", R), ("ben", A), ("ann", U))).state == "accepted"


def test_an_undo_takes_back_the_event_that_it_names_whatever_came_after_it() -> None:
    listed = [Event(1, "ann", A, via="bulk"), Event(2, "ann", F), Event(3, "ann", U, undoes=1)]
    assert standing(listed) == [listed[1]]
    assert votes(listed) == {}
    assert outcome(listed) == Outcome("pending")


def test_the_event_that_gave_the_state_is_told() -> None:
    listed = [
        Event(1, "ann", R, reason="seam"),
        Event(2, "ben", R, reason="halo"),
        Event(3, "ann", A),
        Event(4, "cy", R, reason="light"),
    ]
    assert outcome(listed, Policy(overlap=3)) == Outcome("rejected", listed[3])
    settled = [*listed, Event(5, "lea", A, via=SETTLE), Event(6, "ben", R, reason="scale")]
    assert outcome(settled, Policy(overlap=3)) == Outcome("accepted", settled[4])


TWO, THREE = Policy(overlap=2), Policy(overlap=3)


@pytest.mark.parametrize(
    ("cast", "policy", "state"),
    [
        ([("ann", A)], TWO, "pending"),
        ([("ann", A), ("ann", R)], TWO, "pending"),
        ([("ann", A), ("ben", A)], TWO, "accepted"),
        ([("ann", R), ("ben", R)], TWO, "rejected"),
        ([("ann", A), ("ben", R)], TWO, "disputed"),
        ([("ann", A), ("ben", R), ("ben", U)], TWO, "pending"),
        ([("ann", A), ("ben", R), ("ben", U), ("ben", A)], TWO, "accepted"),
        ([("ann", A), ("ben", S)], TWO, "pending"),
        ([("ann", A), ("ben", R), ("cy", R)], THREE, "rejected"),
        ([("ann", A), ("ben", R), ("cy", R)], Policy(overlap=3, rule=Rule.UNANIMITY), "disputed"),
        ([("ann", A), ("ben", A), ("cy", A)], Policy(overlap=3, rule=Rule.UNANIMITY), "accepted"),
        ([("ann", A), ("ben", R), ("cy", A)], TWO, "accepted"),
    ],
)
def test_several_votes_become_one_state(cast: list[tuple[str, Verdict]], policy: Policy, state: str) -> None:
    assert outcome(events(*cast), policy).state == state


def test_what_a_lead_settles_holds_until_it_is_taken_back() -> None:
    said = [("ann", A), ("ben", R), ("lea", R, SETTLE), ("cy", A)]
    assert outcome(events(*said), TWO).state == "rejected"
    assert outcome(events(*said, ("lea", U)), TWO).state == "accepted"


def test_a_gate_decides_only_where_nobody_voted() -> None:
    gate = ("gate", R, GATE)
    assert outcome(events(gate), TWO).state == "rejected"
    assert outcome(events(gate, ("ann", A)), TWO).state == "pending"
    assert outcome(events(gate, ("ann", A), ("ben", A)), TWO).state == "accepted"


def test_an_overlap_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="the overlap is 0; it must lie in 1 to 9"):
        Policy(overlap=0)


@pytest.mark.parametrize("overlap", [1, 2])
def test_what_a_machine_says_after_a_person_counts_for_nothing(overlap: int) -> None:
    listed = events(("ann", R), ("ben", R), (GATE, A, GATE), (AUTO_REVIEWER, A, AUTO_REVIEWER))
    assert outcome(listed, Policy(overlap=overlap)).state == "rejected"
    assert outcome(listed[2:], Policy(overlap=overlap)).state == "accepted"


def test_every_reject_reason_has_a_title_and_the_keys_stay() -> None:
    assert list(REASON_TITLES) == list(RejectReason)
    assert list(RejectReason)[8] is RejectReason.OTHER  # key 9; what comes later has a button only
    assert all(title == title.strip().lower() and title for title in REASON_TITLES.values())


@pytest.mark.parametrize(
    "plan",
    [
        "surfaces",
        "surfaces, refill",
        "surfaces, novelty",
        "surfaces, refill 0123abcd",
        "surfaces, novelty 0123abcd",
        "surfaces, novelty, refill",
    ],
)
def test_refills_and_replacements_are_of_the_recipe_of_what_they_make_up_for(plan: str) -> None:
    assert recipe_of_plan(plan) == "surfaces"
    assert recipe_of_plan(release_plan("parts v2", 1, plan)) == "surfaces"
    assert recipe_of_plan(release_plan("parts v2", 1, "")) == ""
