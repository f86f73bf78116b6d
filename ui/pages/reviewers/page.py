"""Reviewers: who decided how much, how quickly, and how far they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.charts import curves_svg
from ui.components.frame import build_bar, build_head
from ui.components.html import empty_html, link_html, note_html, table_html
from ui.errors import AT_ONCE
from ui.pages.reviewers.auto_reviewer import build_helper_section

if TYPE_CHECKING:
    from pipeline.domain.acceptance import Tally
    from pipeline.domain.habits import Habit
    from pipeline.services.review.insights import TeamReport
    from pipeline.studio import Studio

_EMPTY = empty_html(
    "Nobody has decided yet",
    "Pace and agreement are counted from decisions.",
    link=page_address("review"),
    action="Review",
)
_UNKNOWN = "–"


def team_html(report: TeamReport) -> str:
    """The figures as tables, the acceptance of each reviewer over time as lines."""
    if not report.habits:
        return _EMPTY
    needed = (
        "one person"
        if report.policy.overlap == 1
        else f"{report.policy.overlap} people ({report.policy.rule})"
    )
    decided = sum(one.decided for one in report.habits)
    head = f'<p class="figure"><b>{decided}</b> decisions; each picture is seen by {needed}</p>'
    waiting = (
        note_html([f"{report.disputed} pictures are disputed; a lead settles them."], kind="bad")
        + link_html("Settle them", page_address("review", view="grid", state="disputed"))
        if report.disputed
        else ""
    )
    people = table_html(
        ["", "decided", "accepted", "first half", "second half", "seconds each", "known answers"],
        [_row(one, report.gold.get(one.reviewer)) for one in report.habits],
    )
    drifting = [
        f"{one.reviewer} accepts differently now than at first." for one in report.habits if one.drifts
    ]
    curves = curves_svg(report.curves, title="Accepted among the last 20 decisions", unit="decisions")
    known = [] if report.gold_items else [
        "No known answers yet: make some in the grid, BACKLOT_GOLD=0.05 deals them among the others."
    ]  # fmt: skip
    return head + waiting + people + note_html(drifting + known) + _agreement_html(report) + curves


def _row(one: Habit, gold: Tally | None) -> list[str | int]:
    seconds = _UNKNOWN if one.seconds is None else f"{one.seconds:.1f}"
    return [
        one.reviewer,
        one.decided,
        f"{one.accepted.rate:.0%}",
        _share(one.early),
        _share(one.late),
        seconds,
        f"{gold.accepted} of {gold.decided}" if gold else _UNKNOWN,
    ]


def _share(tally: Tally) -> str:
    return f"{tally.rate:.0%}" if tally.decided else _UNKNOWN  # one decision has no first half


def _agreement_html(report: TeamReport) -> str:
    if not report.pairs:
        return note_html(
            ["No picture has two votes yet: agreement is not known. BACKLOT_OVERLAP=2 asks for them."]
        )
    pairs = table_html(
        ["", "both saw", "agreed", "Cohen's κ"],
        [[f"{one.first} and {one.second}", one.shared, f"{one.agreed / one.shared:.0%}", _number(one.kappa)]
         for one in report.pairs],
    )  # fmt: skip
    classes = table_html(
        ["", "Krippendorff's α"],
        [
            ["all classes", _number(report.alpha)],
            *([label, _number(value)] for label, value in report.alpha_by_class.items()),
            ["reasons of rejection", _number(report.alpha_of_reasons)],
            *(
                [f"rejected for {reason.replace('_', ' ')}", _number(value)]
                for reason, value in report.alpha_by_reason.items()
            ),
        ],
    )
    return f'<div class="charts"><section>{pairs}</section><section>{classes}</section></div>'


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.2f}"


def build_reviewers_page(page: gr.Blocks, studio: Studio) -> None:
    """Lay out the page; it is counted anew at every visit."""
    build_bar(page, studio, "review")
    build_head("Reviewers", "Who decided how much, how quickly, and how far they agree.")
    team = gr.HTML(elem_id="team", elem_classes="plan")
    build_helper_section(page, studio)
    look = handler(studio, Capability.LOOK)
    page.load(look(lambda: team_html(studio.review.insights.team_report())), None, team, **AT_ONCE)
