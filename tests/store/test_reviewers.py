"""Several reviewers: leases, overlap, votes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from pipeline.domain.review import SETTLE, Policy, Rule, Verdict
from pipeline.store import Library
from pipeline.store.schema import votes
from tests.toy_library import decision, filled

A, R = Verdict.ACCEPT, Verdict.REJECT


def taken(library: Library, reviewer: str, *, limit: int = 30, after: str | None = None) -> list[str]:
    return [row.id for row in library.queue.take_next(reviewer, limit=limit, after=after)]


def test_no_two_reviewers_get_the_same_sample(library: Library) -> None:
    ids = filled(library, samples=6)
    ann, ben = taken(library, "ann", limit=2), taken(library, "ben", limit=2)
    assert (ann, ben) == (ids[:2], ids[2:4])
    assert taken(library, "ann", limit=2) == ann  # again, in another tab
    assert taken(library, "ann", after=ann[-1]) == ids[4:]
    assert taken(library, "cy") == []


def test_a_lease_ends_with_the_decision_with_time_and_with_a_clock_that_jumped_back(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = filled(library, samples=2)
    assert taken(library, "ann") == [first, second]
    library.review.record(decision(first, Verdict.SKIP))
    assert taken(library, "ben") == [first]
    present = time.time()
    monkeypatch.setattr(time, "time", lambda: present + 601)
    assert taken(library, "ben") == [first, second]
    monkeypatch.setattr(time, "time", lambda: present - 3600)
    assert taken(library, "cy") == [first, second]


def test_who_leaves_gives_everything_back(library: Library) -> None:
    ids = filled(library, samples=2)
    assert taken(library, "ann") == ids
    assert taken(library, "ben") == []
    library.queue.release("ann")
    assert taken(library, "ben") == ids


def test_many_at_once_share_the_queue_without_a_gap_or_a_double(library: Library) -> None:
    ids = filled(library, samples=24)
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda n: taken(library, f"r{n}", limit=3), range(8)))
    assert sorted(one for part in parts for one in part) == sorted(ids)


def test_with_an_overlap_each_sample_is_seen_by_so_many_and_blind(library: Library) -> None:
    first, second = filled(library, samples=2)
    library.review.set_policy(Policy(overlap=2))
    assert taken(library, "ann") == taken(library, "ben") == [first, second]
    assert taken(library, "cy") == []
    assert library.review.record(decision(first, A, reviewer="ann")) == "pending"
    assert taken(library, "ann") == [second]
    assert (library.queue.left_for("ann"), library.queue.left_for("ben")) == (1, 2)
    assert library.review.record(decision(first, R, reviewer="ben", reason="seam")) == "disputed"
    assert library.counts().samples["disputed"] == 1
    assert [(one.reviewer, one.verdict, one.reason) for one in library.review.votes(first)] == [
        ("ann", "accept", None),
        ("ben", "reject", "seam"),
    ]
    assert library.review.record(decision(first, R, reviewer="lea", via=SETTLE)) == "rejected"
    assert library.review.undo("lea") == first
    assert library.samples.get(first).review == "disputed"
    assert library.review.undo("ben") == first
    assert library.samples.get(first).review == "pending"
    assert library.verify() == []


def test_a_changed_policy_changes_the_states_that_follow_from_it(library: Library) -> None:
    first, second = filled(library, samples=2)
    library.review.record(decision(first, A, reviewer="ann"))
    library.review.record(decision(second, A, reviewer="ann"))
    library.review.record(decision(second, A, reviewer="ben"))
    assert library.review.set_policy(Policy(overlap=2, rule=Rule.UNANIMITY)) == 1
    assert library.review.policy() == Policy(overlap=2, rule=Rule.UNANIMITY)
    assert [library.samples.get(sample_id).review for sample_id in (first, second)] == ["pending", "accepted"]
    assert library.review.set_policy(Policy(overlap=2, rule=Rule.UNANIMITY)) == 0
    assert library.review.set_policy(Policy()) == 1
    assert library.verify() == []


def test_lost_votes_are_noticed_and_replayed(library: Library) -> None:
    first, *_ = filled(library)
    library.review.record(decision(first))
    with library._database.writing() as transaction:
        connection = transaction.connection
        connection.execute(delete(votes))
    assert library.verify() == [f"the votes on sample {first} are not those of its decisions"]
    library.recompute()
    assert library.verify() == []
