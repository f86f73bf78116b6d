"""Decisions: append-only, counted once, undone without limit."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, event, select, update

from pipeline.domain.release import ReviewFacts
from pipeline.domain.review import Verdict
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store import Library, SampleFilter
from pipeline.store.counters import recount
from pipeline.store.schema import sample_scores, sample_slot_values, samples
from tests.toy_library import add_subject, decision, filled, render, spec


def test_a_decision_moves_the_sample_and_the_counters(library: Library) -> None:
    first, second, third, _ = filled(library)
    assert library.review.record(decision(first)) == "accepted"
    assert library.review.record(decision(second, Verdict.REJECT, reason="seam")) == "rejected"
    assert library.review.record(decision(third, Verdict.SKIP)) == "pending"
    counted = library.counts().samples
    assert (counted["pending"], counted["accepted"], counted["rejected"]) == (2, 1, 1)
    assert [row.id for row in library.samples.list(SampleFilter(review="rejected"))] == [second]
    assert library.verify() == []


def test_the_same_client_id_counts_once(library: Library) -> None:
    first, *_ = filled(library)
    assert library.review.record(decision(first, client_id="tab-1")) == "accepted"
    assert library.review.record(decision(first, Verdict.REJECT, client_id="tab-1")) == "accepted"
    assert len(library.review.decisions()) == 1


def test_undo_goes_back_one_by_one_and_only_over_ones_own(library: Library) -> None:
    first, second, third, _ = filled(library)
    library.review.record(decision(first))
    library.review.record(decision(second, Verdict.REJECT))
    library.review.record(decision(third, reviewer="ben"))
    assert [library.review.undo("ann") for _ in range(3)] == [second, first, None]
    assert [library.samples.get(sample_id).review for sample_id in (first, second, third)] == [
        "pending",
        "pending",
        "accepted",
    ]
    assert [event.verdict for event in library.review.decisions()] == [
        "accept",
        "reject",
        "accept",
        "undo",
        "undo",
    ]
    assert library.verify() == []


def test_undo_brings_the_decision_before_it_back(library: Library) -> None:
    first, *_ = filled(library)
    library.review.record(decision(first, Verdict.REJECT, reason="halo"))
    library.review.record(decision(first))
    assert library.review.undo("ann") == first
    assert library.samples.get(first).review == "rejected"
    assert library.review.facts().reasons == {"halo": 1}


def test_a_repeated_undo_counts_once(library: Library) -> None:
    first, second, *_ = filled(library)
    library.review.record(decision(first))
    library.review.record(decision(second))
    assert library.review.undo("ann", client_id="u1") == second
    assert library.review.undo("ann", client_id="u1") == second
    assert library.samples.get(first).review == "accepted"


def test_an_undo_event_for_one_sample_takes_back_the_decision_there(library: Library) -> None:
    first, second, *_ = filled(library)
    library.review.record(decision(first))
    library.review.record(decision(second))
    assert library.review.record(decision(first, Verdict.UNDO)) == "pending"
    assert library.review.record(decision(first, Verdict.UNDO)) == "pending"
    assert library.samples.get(second).review == "accepted"
    assert len(library.review.decisions(first)) == 2


def test_what_is_not_there_or_not_rendered_cannot_be_decided(library: Library) -> None:
    planned = spec(add_subject(library, 1))
    library.plans.add("floors", "v1", [planned])
    with pytest.raises(NotFound, match="no sample 's-17'"):
        library.review.record(decision("s-17"))
    with pytest.raises(InvalidRequest, match="has no image yet"):
        library.review.record(decision(planned.id))
    assert library.review.decisions() == []


def test_the_queue_holds_undecided_samples_and_goes_on_behind_a_skip(library: Library) -> None:
    first, second, third, fourth = filled(library)
    library.review.record(decision(second))
    assert [row.id for row in library.queue.next_pending()] == [first, third, fourth]
    library.review.record(decision(first, Verdict.SKIP))
    assert [row.id for row in library.queue.next_pending(after=first)] == [third, fourth]
    library.review.record(decision(third))
    assert [row.id for row in library.queue.next_pending(after=third, limit=1)] == [fourth]


def test_replaying_all_events_rebuilds_the_states(library: Library) -> None:
    ids = filled(library)
    library.review.record(decision(ids[0]))
    library.review.record(decision(ids[1], Verdict.REJECT, reason="seam", via="gate", reviewer="gate"))
    library.review.record(decision(ids[2]))
    library.review.undo("ann")
    facts = library.review.facts()
    with sqlite3.connect(library.path / "backlot.sqlite") as database:
        database.execute("UPDATE samples SET state = 'pending', decided_by = NULL, reason = NULL")
    database.close()
    library.recompute()
    assert [library.samples.get(sample_id).review for sample_id in ids] == [
        "accepted",
        "rejected",
        "pending",
        "pending",
    ]
    assert library.review.facts().reasons == facts.reasons == {"seam": 1}


def test_facts_tell_people_from_gates(library: Library) -> None:
    first, second, third, _ = filled(library)
    library.review.record(decision(first, via="gate", reviewer="gate"))
    library.review.record(decision(second, Verdict.REJECT, via="gate", reviewer="gate", reason="seam"))
    library.review.record(decision(second, reviewer="ann"))
    library.review.record(decision(third, Verdict.REJECT, reviewer="ben", reason="halo"))
    assert library.review.facts() == ReviewFacts(
        accepted_by_people=1,
        accepted_by_gates=1,
        rejected_by_people=1,
        pending=1,
        reviewers=2,
        reasons={"halo": 1},
    )
    assert library.review.facts().acceptance == 2 / 3


def test_many_threads_lose_and_double_no_decision(library: Library) -> None:
    ids = filled(library, samples=40)
    with ThreadPoolExecutor(8) as pool:
        states = list(
            pool.map(
                lambda number: library.review.record(
                    decision(ids[number % 40], client_id=f"c{number % 40}", reviewer=f"r{number % 3}")
                ),
                range(80),
            )
        )
    assert states == ["accepted"] * 80
    assert len(library.review.decisions()) == 40
    assert library.counts().samples["accepted"] == 40
    assert library.verify() == []


def test_recording_a_sample_again_replays_its_own_decisions_only(library: Library) -> None:
    first, *others = filled(library, samples=6)
    for sample_id in (first, *others):
        library.review.record(decision(sample_id, Verdict.REJECT, reason="seam"))
    lose_picture(library, first)
    asked = statements_of(library)
    render(library, library.plans.spec(first))
    reads = [sql for sql in asked if sql.startswith("SELECT decisions")]
    assert len(reads) == 1
    assert "WHERE decisions.sample_id = ?" in reads[0]
    assert not [sql for sql in asked if sql.startswith("SELECT") and "FROM votes" in sql]
    assert library.samples.get(first).review == "rejected"
    assert library.verify() == []


def lose_picture(library: Library, sample_id: str) -> None:
    """Leave a sample as a library that was restored without its picture holds it."""
    with library._database.writing() as transaction:
        connection = transaction.connection
        (seq,) = connection.execute(select(samples.c.seq).where(samples.c.id == sample_id)).one()
        for table in (sample_slot_values, sample_scores):
            connection.execute(delete(table).where(table.c.seq == seq))
        values = {"state": "planned", "image_id": None, "decided_by": None, "reason": None}
        connection.execute(update(samples).where(samples.c.seq == seq).values(**values))
        recount(connection)


def statements_of(library: Library) -> list[str]:
    """The SQL that the library runs from now on, each statement on one line."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        asked.append(" ".join(sql.split()))

    event.listen(library._database.engine, "before_cursor_execute", note)
    return asked


def test_undoing_a_decision_on_a_sample_whose_picture_is_lost_does_not_make_it_pending(
    library: Library,
) -> None:
    first, *_ = filled(library)
    library.review.record(decision(first))
    lose_picture(library, first)
    assert library.review.undo("ann") == first
    assert library.samples.get(first).state == "planned"
    assert library.verify() == []
