"""The page about reviewers."""

from __future__ import annotations

from pipeline.domain.review import Policy, Verdict
from pipeline.studio import Studio
from tests.toy_library import decision, filled
from ui.reviewers_page import team_html


def test_without_decisions_it_says_what_to_do(studio: Studio) -> None:
    assert "Nobody has decided yet" in team_html(studio.team_report())


def test_people_pairs_classes_and_disputes_are_told(studio: Studio) -> None:
    ids = filled(studio.library, samples=6)
    studio.library.set_review_policy(Policy(overlap=2))
    for index, one in enumerate(ids):
        studio.library.record_decision(decision(one, reviewer="ann"))
        verdict = Verdict.ACCEPT if index < 4 else Verdict.REJECT
        studio.library.record_decision(decision(one, verdict, reviewer="ben"))
    report = studio.team_report()
    assert [(one.reviewer, one.decided, one.accepted.accepted) for one in report.habits] == [
        ("ann", 6, 6),
        ("ben", 6, 4),
    ]
    assert (report.disputed, report.pairs[0].agreed, report.pairs[0].kappa) == (2, 4, 0.0)
    page = team_html(report)
    assert "2 pictures are disputed" in page
    assert "view=grid&amp;state=disputed" in page
    assert "ann and ben" in page
    assert "bolt" in page


def test_gates_are_no_reviewers_and_one_vote_each_is_no_agreement(studio: Studio) -> None:
    first, *_ = filled(studio.library)
    studio.library.record_decision(decision(first, reviewer="ann"))
    studio.gate()
    page = team_html(studio.team_report())
    assert "<b>1</b> decisions" in page
    assert "agreement is not known" in page
