"""Reviewers: how much each decided, how fast, and how well they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.charts import curves_svg
from ui.components.frame import build_head
from ui.components.html import empty_html, link_html, note_html, table_html
from ui.errors import AT_ONCE
from ui.pages.reviewers.auto_reviewer import build_auto_reviewer_section

if TYPE_CHECKING:
    from pipeline.domain.acceptance import Tally
    from pipeline.domain.habits import Habit
    from pipeline.services.review.insights import TeamReport
    from pipeline.studio import Studio

_EMPTY = empty_html(
    "Nobody has decided yet",
    "Pace and agreement are computed from decisions.",
    link=page_address("review"),
    action="Review",
)
_UNKNOWN = "–"


def team_html(report: TeamReport) -> str:
    """Show the figures as tables, and the acceptance rate of each reviewer over time as lines."""
    if not report.habits:
        return _EMPTY
    needed = (
        "one person"
        if report.policy.overlap == 1
        else f"{report.policy.overlap} people ({report.policy.rule})"
    )
    decided = sum(habit.decided for habit in report.habits)
    head = f'<p class="figure"><b>{decided}</b> decisions; each synthetic image is reviewed by {needed}</p>'
    waiting = (
        note_html([f"{report.disputed} synthetic images are disputed; a lead settles them."], kind="bad")
        + link_html("Settle them", page_address("review", view="grid", state="disputed"))
        if report.disputed
        else ""
    )
    people = table_html(
        ["", "decided", "accepted", "first half", "second half", "seconds each", "gold items"],
        [_row(habit, report.gold.get(habit.reviewer)) for habit in report.habits],
    )
    drifting = [
        f"The acceptance rate of {habit.reviewer} has changed over time."
        for habit in report.habits
        if habit.drifts
    ]
    curves = curves_svg(report.curves, title="Share accepted of the last 20 decisions", unit="decisions")
    hints = [] if report.gold_items else [
        "No gold items yet: make some in the grid; BACKLOT_GOLD=0.05 sets their share of the queue."
    ]  # fmt: skip
    return head + waiting + people + note_html(drifting + hints) + _agreement_html(report) + curves


def _row(habit: Habit, gold: Tally | None) -> list[str | int]:
    seconds = _UNKNOWN if habit.seconds is None else f"{habit.seconds:.1f}"
    return [
        habit.reviewer,
        habit.decided,
        f"{habit.accepted.rate:.0%}",
        _share(habit.early),
        _share(habit.late),
        seconds,
        f"{gold.accepted} of {gold.decided}" if gold else _UNKNOWN,
    ]


def _share(tally: Tally) -> str:
    return f"{tally.rate:.0%}" if tally.decided else _UNKNOWN  # one decision has no first half


def _agreement_html(report: TeamReport) -> str:
    if not report.pairs:
        return note_html(
            ["No synthetic image has two votes yet, so agreement is unknown; BACKLOT_OVERLAP=2 asks for two."]
        )
    pairs = table_html(
        ["", "reviewed by both", "agreed", "Cohen's κ"],
        [[f"{pair.first} and {pair.second}", pair.shared, f"{pair.agreed / pair.shared:.0%}", _number(pair.kappa)]
         for pair in report.pairs],
    )  # fmt: skip
    classes = table_html(
        ["", "Krippendorff's α"],
        [
            ["all classes", _number(report.alpha)],
            *([label, _number(value)] for label, value in report.alpha_by_class.items()),
            ["reject reasons", _number(report.alpha_of_reasons)],
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
    """Lay out the page; the figures are computed at every visit."""
    build_head("Reviewers", "How much each reviewer decided, how fast, and how well they agree.")
    team = gr.HTML(elem_id="team", elem_classes="plan")
    build_auto_reviewer_section(page, studio)
    look = handler(studio, Capability.LOOK)
    page.load(look(lambda: team_html(studio.review.insights.team_report())), None, team, **AT_ONCE)
