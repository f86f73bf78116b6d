"""The page about reviewers."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from pipeline.domain.review import Policy, Verdict
from pipeline.errors import NotAllowed
from pipeline.services.reports import AutoReviewerReport
from pipeline.services.review.acceptance_model import Quality
from pipeline.store import AutoReviewCheck, AutoReviewLimits
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import decision, filled
from ui.pages.reviewers.auto_reviewer import auto_reviewer_html, build_auto_reviewer_section, limits_html
from ui.pages.reviewers.page import team_html


def test_without_decisions_it_says_what_to_do(studio: Studio) -> None:
    assert "Nobody has decided yet" in team_html(studio.review.insights.team_report())


def test_people_pairs_classes_and_disputes_are_told(studio: Studio) -> None:
    ids = filled(studio.library, samples=6)
    studio.library.review.set_policy(Policy(overlap=2))
    for index, one in enumerate(ids):
        studio.library.review.record(decision(one, reviewer="ann"))
        verdict = Verdict.ACCEPT if index < 4 else Verdict.REJECT
        studio.library.review.record(decision(one, verdict, reviewer="ben"))
    report = studio.review.insights.team_report()
    assert [(habit.reviewer, habit.decided, habit.accepted.accepted) for habit in report.habits] == [
        ("ann", 6, 6),
        ("ben", 6, 4),
    ]
    assert (report.disputed, report.pairs[0].agreed, report.pairs[0].kappa) == (2, 4, 0.0)
    page = team_html(report)
    assert "2 synthetic images are disputed" in page
    assert "view=grid&amp;state=disputed" in page
    assert "ann and ben" in page
    assert "bolt" in page


def test_gates_are_no_reviewers_and_one_vote_each_is_no_agreement(studio: Studio) -> None:
    first, *_ = filled(studio.library)
    studio.library.review.record(decision(first, reviewer="ann"))
    studio.review.decisions.gate()
    page = team_html(studio.review.insights.team_report())
    assert "<b>1</b> decisions" in page
    assert "agreement is unknown" in page


def test_known_answers_and_reasons_are_told(studio: Studio) -> None:
    first, second, third, _ = filled(studio.library, samples=4)
    studio.library.review.set_policy(Policy(overlap=2))
    studio.library.review.record(decision(third, reviewer="cy"))
    for one, reasons in ((first, ("seam", "halo")), (second, ("seam", "seam"))):
        for reviewer, reason in zip(("ann", "ben"), reasons, strict=True):
            studio.library.review.record(decision(one, Verdict.REJECT, reviewer=reviewer, reason=reason))
    assert "No gold items yet" in team_html(studio.review.insights.team_report())
    studio.review.gold.add([first], "ann")
    assert studio.library.gold.next_for("ben", 5) == []  # who decided it knows the answer
    (item,) = studio.library.gold.next_for("cy", 5)
    studio.review.decisions.decide(item.id, Verdict.ACCEPT, reviewer="cy")
    report = studio.review.insights.team_report()
    assert (report.gold_items, report.gold["cy"].accepted, report.gold["cy"].decided) == (1, 0, 1)
    assert report.alpha_of_reasons == 0.0  # one of two agrees: no better than chance
    page = team_html(report)
    assert "<td>0 of 1</td>" in page
    assert "reject reasons" in page
    assert "No gold items" not in page


def quality(accuracy: float) -> Quality:
    return Quality(decisions=40, accepted=24, accuracy=accuracy, baseline=0.6, brier=0.19, auc=0.81)


def test_half_of_a_single_decision_is_not_told(studio: Studio) -> None:
    first, *_ = filled(studio.library)
    studio.library.review.record(decision(first, reviewer="ann"))
    row = "<th>ann</th><td>1</td><td>100%</td><td>–</td><td>100%</td><td>–</td><td>–</td>"
    assert row in team_html(studio.review.insights.team_report())


def test_an_untrained_auto_reviewer_says_what_it_is_or_why_it_cannot_be_trained() -> None:
    assert auto_reviewer_html(AutoReviewerReport()) == (
        '<p class="said note">A small model learns from people&#x27;s decisions which synthetic images will be '
        "accepted.</p>"
    )
    cannot = auto_reviewer_html(AutoReviewerReport(sentence="there are 3 accepted"))
    assert "there are 3 accepted" in cannot
    assert "<table" not in cannot


def test_a_trained_auto_reviewer_shows_its_quality_and_orders_the_queue() -> None:
    page = auto_reviewer_html(
        AutoReviewerReport(quality=quality(0.85), predicted=1200, decided=300, left_to_people=15)
    )
    figures = ["<td>85%</td>", "<td>60%</td>", "<td>81%</td>", "<td>0.190</td>"]
    links = ['href="./review?order=doubt"', 'href="./review?order=promise"']
    for text in [*figures, *links, "1,200 undecided images", "It decided 300 and left 15"]:
        assert text in page
    assert "colours and edges" not in page
    partly = auto_reviewer_html(AutoReviewerReport(quality=quality(0.85), not_embedded=2100))
    assert "colours and edges, since 2,100 images are not compared yet; train again" in partly
    assert "do not let it decide" not in page
    assert "left" not in auto_reviewer_html(AutoReviewerReport(quality=quality(0.85)))


@pytest.mark.parametrize("accuracy", [0.55, 0.6])
def test_an_auto_reviewer_no_better_than_the_more_common_verdict_is_not_to_decide(accuracy: float) -> None:
    page = auto_reviewer_html(AutoReviewerReport(quality=quality(accuracy)))
    assert "It is not yet better than always giving the more common verdict; do not let it decide." in page


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (AutoReviewLimits(), "It decides nothing without people."),
        (
            AutoReviewLimits(accept_from=0.9, reject_below=0.1),
            "After each training, it accepts from a predicted acceptance of 0.90 and rejects below a predicted "
            "acceptance of 0.10.",
        ),
        (
            AutoReviewLimits(reject_below=0.2),
            "After each training, it rejects below a predicted acceptance of 0.20.",
        ),
    ],
)
def test_what_the_auto_reviewer_may_decide_is_shown(limits: AutoReviewLimits, text: str) -> None:
    page = limits_html(AutoReviewerReport(limits=limits))
    assert f">{text}<" in page
    assert ">5% of what it would decide goes to people as a check.<" in page


def test_how_the_checks_came_out_is_said() -> None:
    page = limits_html(AutoReviewerReport(checks=AutoReviewCheck(left=1, decided=9, agreed=8)))
    assert "People agreed on 8 of 9; 1 are still undecided." in page


def test_only_a_lead_sets_the_limits(studio: Studio) -> None:
    change_settings(studio, people="ann:lead, ben")
    with gr.Blocks() as page:
        build_auto_reviewer_section(page, studio)
    keep = next(
        function.fn for function in page.fns.values() if getattr(function.fn, "__name__", "") == "keep"
    )
    assert keep is not None

    def asked_by(name: str) -> SimpleNamespace:
        return SimpleNamespace(cookies={"backlot_reviewer": name})

    for name in ("ben", "somebody"):
        with pytest.raises(NotAllowed, match=f"'{name}' may not let the auto-reviewer decide"):
            keep(True, 0.9, 0.1, asked_by(name))
    assert studio.library.auto_review.limits() == AutoReviewLimits()
    assert "accepts from a predicted acceptance of 0.90" in keep(True, 0.9, 0.1, asked_by("ann"))
    assert studio.library.auto_review.limits() == AutoReviewLimits(accept_from=0.9, reject_below=0.1)
    assert "decides nothing" in keep(False, 0.9, 0.1, asked_by("ann"))
    assert studio.library.auto_review.limits() == AutoReviewLimits()
