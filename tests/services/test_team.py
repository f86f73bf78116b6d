"""The report on a team: known answers and the agreement on reasons, over a small real library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.domain.acceptance import Tally
from pipeline.domain.review import Policy, Verdict
from pipeline.services.review.insights import InsightService
from pipeline.store import Library
from tests.toy_library import decision, filled


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def answer(library: Library, gold_id: str, verdict: str, *, reviewer: str) -> None:
    library.gold.answer(
        gold_id, reviewer=reviewer, verdict=verdict, reason=None, via="key", client_id=f"{gold_id}{verdict}"
    )


def test_nobody_has_answered_what_is_not_there(library: Library) -> None:
    filled(library)
    report = InsightService(library).team_report()
    assert (report.gold, report.gold_items, report.alpha_of_reasons) == ({}, 0, None)


def test_answers_to_gold_items_are_counted_for_each_reviewer_and_decide_nothing(library: Library) -> None:
    good, bad, third, _ = filled(library)
    library.review.record(decision(good, reviewer="ann"))
    library.review.record(decision(bad, Verdict.REJECT, reviewer="ann", reason="seam"))
    library.review.record(decision(third, reviewer="ann"))
    library.gold.add([good, bad, third], made_by="ann")
    right, wrong, undone = (one.id for one in library.gold.next_for("ben", 5))
    answer(library, right, "accept", reviewer="ben")
    answer(library, wrong, "accept", reviewer="ben")
    answer(library, undone, "accept", reviewer="ben")
    answer(library, undone, "undo", reviewer="ben")
    report = InsightService(library).team_report()
    assert (report.gold, report.gold_items) == ({"ben": Tally(1, 2)}, 3)
    assert [(habit.reviewer, habit.decided) for habit in report.habits] == [("ann", 3)]


def test_what_was_taken_back_counts_for_no_reviewer(library: Library) -> None:
    first, second, *_ = filled(library)
    library.review.record(decision(first, Verdict.REJECT, reviewer="ann"))
    library.review.record(decision(second, reviewer="ann"))
    library.review.record(decision(first, Verdict.UNDO, reviewer="ann"))
    (habit,) = InsightService(library).team_report().habits
    assert (habit.decided, habit.accepted) == (1, Tally(1, 1))


def test_an_undone_answer_to_a_gold_item_brings_the_one_before_it_back(library: Library) -> None:
    first, *_ = filled(library)
    library.review.record(decision(first, reviewer="ann"))
    library.gold.add([first], made_by="ann")
    (item,) = library.gold.next_for("ben", 5)
    for verdict in ("accept", "reject", "undo"):
        answer(library, item.id, verdict, reviewer="ben")
    assert library.gold.results() == {"ben": (1, 1)}


def test_reasons_agree_or_not_where_two_people_rejected(library: Library) -> None:
    ids = filled(library, samples=6)
    library.review.set_policy(Policy(overlap=2))
    reasons = [("seam", "seam"), ("seam", "halo"), ("halo", "halo"), ("light", None)]
    for one, both in zip(ids, reasons, strict=False):
        for reviewer, reason in zip(("ann", "ben"), both, strict=True):
            library.review.record(decision(one, Verdict.REJECT, reviewer=reviewer, reason=reason))
    for reviewer, verdict in (
        ("ann", Verdict.REJECT),
        ("ben", Verdict.ACCEPT),
    ):  # what an accept says is no reason
        library.review.record(decision(ids[4], verdict, reviewer=reviewer, reason="light"))
    # three pairs, three of each reason: disagreement 2 observed, (36 - 18) / 5 expected
    report = InsightService(library).team_report()
    assert report.alpha_of_reasons == pytest.approx(1 - 2 / 3.6)
    # seam: one of five pairs disagrees, 3 of the 10 ratings are yes: 1 - (9 * 2) / (2 * 3 * 7)
    assert report.alpha_by_reason["seam"] == pytest.approx(1 - 18 / 42)
    assert list(report.alpha_by_reason) == ["halo", "light", "seam"]


def test_reasons_that_are_all_alike_say_nothing(library: Library) -> None:
    first, *_ = filled(library)
    library.review.set_policy(Policy(overlap=2))
    for reviewer in ("ann", "ben"):
        library.review.record(decision(first, Verdict.REJECT, reviewer=reviewer, reason="seam"))
    assert InsightService(library).team_report().alpha_of_reasons is None
