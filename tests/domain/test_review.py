"""The state of a sample is a view of its events; splits follow from content."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.domain.review import Decision, Verdict, states
from pipeline.domain.splits import split_of


def event(verdict: Verdict, reviewer: str = "ann", sample: str = "s") -> Decision:
    return Decision(
        sample_id=sample,
        reviewer=reviewer,
        verdict=verdict,
        at="2026-01-01T00:00:00+00:00",
        via="key",
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


def test_a_split_depends_on_the_content_alone_and_holds_its_share() -> None:
    counts = Counter(split_of(f"photo {number}") for number in range(2000))
    assert split_of("photo 1") == split_of("photo 1")
    assert counts["test"] == pytest.approx(400, abs=60)
    assert split_of("anything", {"train": 1.0}) == "train"
