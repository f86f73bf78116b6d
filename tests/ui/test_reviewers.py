"""The page about reviewers."""

from __future__ import annotations

from pipeline.domain.review import Policy, Verdict
from pipeline.library import HelperCheck
from pipeline.studio import Studio
from pipeline.studio.helper import Quality
from pipeline.studio.reports import HelperReport
from tests.toy_library import decision, filled
from ui.helper_section import helper_html
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


def test_known_answers_and_reasons_are_told(studio: Studio) -> None:
    first, second, *_ = filled(studio.library, samples=4)
    studio.library.set_review_policy(Policy(overlap=2))
    for one, reasons in ((first, ("seam", "halo")), (second, ("seam", "seam"))):
        for reviewer, reason in zip(("ann", "ben"), reasons, strict=True):
            studio.library.record_decision(decision(one, Verdict.REJECT, reviewer=reviewer, reason=reason))
    assert "No known answers yet" in team_html(studio.team_report())
    studio.add_gold([first], "ann")
    (item,) = studio.library.gold_for("ben", 5)
    studio.decide(item.id, Verdict.ACCEPT, reviewer="ben")
    report = studio.team_report()
    assert (report.gold_items, report.gold["ben"].accepted, report.gold["ben"].decided) == (1, 0, 1)
    assert report.alpha_of_reasons == 0.0  # one of two agrees: no better than chance
    page = team_html(report)
    assert "0 of 1 right" in page
    assert "reasons of rejections" in page
    assert "No known answers" not in page


def quality(accuracy: float) -> Quality:
    return Quality(decisions=40, accepted=24, accuracy=accuracy, baseline=0.6, brier=0.19, auc=0.81)


def test_the_helper_says_what_it_knows_and_warns_where_that_is_nothing() -> None:
    assert "learns from the decisions" in helper_html(HelperReport())
    assert "there are 3 accepted" in helper_html(HelperReport(sentence="there are 3 accepted"))
    checks = HelperCheck(left=1, decided=9, agreed=8)
    good = helper_html(
        HelperReport(quality=quality(0.85), predicted=1200, decided=300, left_to_people=15, checks=checks)
    )
    assert all(said in good for said in ("85%", "60%", "0.190", "1,200 undecided", "8 of 9", "order=doubt"))
    assert "do not let it decide" not in good
    assert "do not let it decide" in helper_html(HelperReport(quality=quality(0.6)))
