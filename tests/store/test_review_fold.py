"""One fold of the events: stored states and votes always agree with it, and undo-all always works."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.review import BULK, Decision, Policy, Rule, Verdict
from pipeline.store import Library
from tests.toy_library import AT, decision, filled

SAMPLES = 3
SAMPLE = st.integers(0, SAMPLES - 1)
REVIEWER = st.sampled_from(["ann", "ben", "cy"])
SINGLE = st.tuples(
    st.sampled_from([Verdict.ACCEPT, Verdict.REJECT, Verdict.SKIP, Verdict.FLAG]), REVIEWER, SAMPLE
)
IN_BULK = st.tuples(st.just("bulk"), REVIEWER, st.sampled_from([Verdict.ACCEPT, Verdict.REJECT]))
UNDO = st.tuples(st.sampled_from(["undo", "undo_all"]), REVIEWER, st.none())
UNDO_ONE = st.tuples(st.just(Verdict.UNDO), REVIEWER, SAMPLE)
POLICY = st.builds(Policy, overlap=st.integers(1, 3), rule=st.sampled_from(Rule))


@dataclass
class Model:
    """What the library should hold, kept in the plainest way: a list of events, each standing or taken back."""

    policy: Policy
    events: list[dict[str, object]] = field(default_factory=list)

    def add(self, sample: int, reviewer: str, verdict: Verdict, batch: str | None = None) -> None:
        self.events.append(
            {"sample": sample, "reviewer": reviewer, "verdict": verdict, "batch": batch, "stands": True}
        )

    def undo(self, reviewer: str, fits: Callable[[dict[str, object]], bool] = lambda event: True) -> None:
        for event in reversed(self.events):
            if event["stands"] and event["reviewer"] == reviewer and fits(event):
                event["stands"] = False
                return

    def votes(self, sample: int) -> dict[str, Verdict]:
        return {
            str(event["reviewer"]): Verdict(str(event["verdict"]))
            for event in self.events
            if event["stands"] and event["sample"] == sample and event["verdict"] in ("accept", "reject")
        }

    def state(self, sample: int) -> str:
        lasting = [
            event["verdict"]
            for event in self.events
            if event["stands"] and event["sample"] == sample and event["verdict"] in ("accept", "reject")
        ]
        if not lasting:
            return "pending"
        if self.policy.overlap == 1:
            return f"{lasting[-1]}ed"
        cast = list(self.votes(sample).values())
        if len(cast) < self.policy.overlap:
            return "pending"
        for verdict in ("accept", "reject"):
            if cast.count(Verdict(verdict)) == len(cast):
                return f"{verdict}ed"
            if self.policy.rule is Rule.MAJORITY and cast.count(Verdict(verdict)) * 2 > len(cast):
                return f"{verdict}ed"
        return "disputed"


def bulk_decision(sample_id: str, reviewer: str, verdict: Verdict, batch: str) -> Decision:
    return Decision(
        sample_id=sample_id,
        reviewer=reviewer,
        verdict=verdict,
        at=AT,
        via=BULK,
        client_id=f"{batch}:{sample_id}",
    )


@settings(max_examples=60, derandomize=True, deadline=None)
@given(POLICY, st.lists(st.one_of(SINGLE, IN_BULK, UNDO, UNDO_ONE), max_size=25))
def test_states_and_votes_follow_from_the_events_and_undo_all_takes_back_exactly_the_batch(
    policy: Policy, steps: list[tuple[str, str, object]]
) -> None:
    model = Model(policy)
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder), create=True) as library:
        ids = filled(library, subjects=1, samples=SAMPLES)
        library.review.set_policy(policy)
        batches: dict[str, str] = {}  # reviewer → their newest batch
        for number, (what, reviewer, detail) in enumerate(steps):
            if what == "bulk":
                batches[reviewer] = batch = f"batch-{number}"
                undisputed = [index for index in range(SAMPLES) if model.state(index) != "disputed"]
                verdict = Verdict(str(detail))
                library.review.record_all(
                    [bulk_decision(ids[index], reviewer, verdict, batch) for index in undisputed]
                )
                for index in undisputed:
                    model.add(index, reviewer, verdict, batch)
            elif what == "undo_all":
                batch = batches.get(reviewer, "none")
                standing = [event for event in model.events if event["stands"] and event["batch"] == batch]
                assert library.review.undo_batch(reviewer, batch) == len(standing)
                assert library.review.undo_batch(reviewer, batch) == 0
                for event in standing:
                    event["stands"] = False
            elif what == "undo":
                library.review.undo(reviewer)
                model.undo(reviewer)
            elif what == Verdict.UNDO:
                library.review.record(decision(ids[int(str(detail))], Verdict.UNDO, reviewer=reviewer))
                model.undo(reviewer, lambda event, sample=detail: event["sample"] == sample)
            else:
                sample, verdict = int(str(detail)), Verdict(what)
                if model.state(sample) == "disputed" and verdict in (Verdict.ACCEPT, Verdict.REJECT):
                    continue  # a lead's to settle
                library.review.record(decision(ids[sample], verdict, reviewer=reviewer))
                model.add(sample, reviewer, verdict)
            assert [library.review.state(sample_id) for sample_id in ids] == [
                model.state(index) for index in range(SAMPLES)
            ]
        for index, sample_id in enumerate(ids):
            stored = {vote.reviewer: vote.verdict for vote in library.review.votes(sample_id)}
            assert stored == model.votes(index)
        assert library.verify() == []  # states and votes agree with the fold of the stored events


@pytest.mark.parametrize("later", [Verdict.SKIP, Verdict.FLAG, Verdict.REJECT])
def test_a_batch_is_taken_back_whatever_the_reviewer_did_with_its_samples_afterwards(
    library: Library, later: Verdict
) -> None:
    ids = filled(library, samples=3)
    library.review.record_all([bulk_decision(sample_id, "ann", Verdict.ACCEPT, "b") for sample_id in ids])
    library.review.record(decision(ids[1], later, reviewer="ann"))
    assert library.review.undo_batch("ann", "b") == 3
    expected = "rejected" if later is Verdict.REJECT else "pending"
    assert [library.review.state(sample_id) for sample_id in ids] == ["pending", expected, "pending"]
    assert library.verify() == []
