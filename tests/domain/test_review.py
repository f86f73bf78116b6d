"""The state of a sample is a view of its events; splits follow from content."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.domain.review import GATE, HELPER, SETTLE, Decision, Policy, Rule, Verdict, states
from pipeline.domain.splits import split_of
from pipeline.errors import InvalidRequest


def event(verdict: Verdict, reviewer: str = "ann", sample: str = "s", via: str = "key") -> Decision:
    return Decision(
        sample_id=sample,
        reviewer=reviewer,
        verdict=verdict,
        at="2026-01-01T00:00:00+00:00",
        via=via,
        client_id="",
    )


A, R, S, U = Verdict.ACCEPT, Verdict.REJECT, Verdict.SKIP, Verdict.UNDO


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
    assert states([event(verdict) for verdict in verdicts]) == {"s": state}


def test_an_undo_takes_back_the_same_reviewers_decision_only() -> None:
    assert states([event(R, "ann"), event(A, "ben"), event(U, "ann")]) == {"s": "accepted"}


def test_samples_do_not_mix() -> None:
    assert states([event(A), event(R, sample="t"), event(U)]) == {"s": "pending", "t": "rejected"}


TWO, THREE = Policy(overlap=2), Policy(overlap=3)


@pytest.mark.parametrize(
    ("votes", "policy", "state"),
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
def test_several_votes_become_one_state(votes: list[tuple[str, Verdict]], policy: Policy, state: str) -> None:
    assert states([event(verdict, name) for name, verdict in votes], policy) == {"s": state}


def test_what_a_lead_settles_holds_until_it_is_taken_back() -> None:
    events = [event(A, "ann"), event(R, "ben"), event(R, "lea", via=SETTLE), event(A, "cy")]
    assert states(events, TWO) == {"s": "rejected"}
    assert states([*events, event(U, "lea")], TWO) == {"s": "accepted"}


def test_a_gate_decides_only_where_nobody_voted() -> None:
    gate = event(R, "gate", via=GATE)
    assert states([gate], TWO) == {"s": "rejected"}
    assert states([gate, event(A, "ann")], TWO) == {"s": "pending"}
    assert states([gate, event(A, "ann"), event(A, "ben")], TWO) == {"s": "accepted"}


def test_an_overlap_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="the overlap is 0; it must lie in 1 to 9"):
        Policy(overlap=0)


def test_a_split_depends_on_the_content_alone_and_holds_its_share() -> None:
    counts = Counter(split_of(f"photo {number}") for number in range(2000))
    assert split_of("photo 1") == split_of("photo 1")
    assert counts["test"] == pytest.approx(400, abs=60)
    assert split_of("anything", {"train": 1.0}) == "train"


@pytest.mark.parametrize("overlap", [1, 2])
def test_what_a_machine_says_after_a_person_counts_for_nothing(overlap: int) -> None:
    events = [event(R, "ann"), event(R, "ben"), event(A, GATE, via=GATE), event(A, HELPER, via=HELPER)]
    assert states(events, Policy(overlap=overlap)) == {"s": "rejected"}
    assert states(events[2:], Policy(overlap=overlap)) == {"s": "accepted"}
