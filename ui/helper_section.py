"""The helper that learns: how well it knows what people accept, and what a lead lets it decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ui.addresses import page_address
from ui.events import AT_ONCE, QUIET, shown_to_user
from ui.pieces import link_html, note_html, table_html
from ui.review_session import reviewer_of
from ui.rights import for_reviewers

if TYPE_CHECKING:
    from pipeline.studio import Studio
    from pipeline.studio.reports import HelperReport

_ACCEPT_FROM, _REJECT_BELOW = 0.95, 0.05  # what a lead is offered first
_WHAT = (
    "A small model learns from the decisions which pictures will be accepted. It decides nothing by itself."
)


def helper_html(report: HelperReport) -> str:
    """What it learned: a table in plain words, and the queues that it orders."""
    if report.quality is None:
        return note_html([report.sentence or _WHAT])
    found = report.quality
    table = table_html(
        ["", "on decisions that it had not seen"],
        [
            ["decides as people did", f"{found.accuracy:.0%}"],
            ["always saying the commoner verdict would", f"{found.baseline:.0%}"],
            ["ranks an accepted one above a rejected one (AUC)", f"{found.auc:.0%}"],
            ["squared error of its probability (Brier, a coin has 0.25)", f"{found.brier:.3f}"],
        ],
    )
    said = [
        f"Learned from {found.decisions:,} decisions; it has a say on {report.predicted:,} undecided pictures."
    ]
    if report.decided or report.left_to_people:
        said.append(
            f"Within the limits it decided {report.decided:,} and left {report.left_to_people:,} to people as a check."
        )
    checks = report.checks
    if checks.decided:
        said.append(f"Of the checks, people agreed with it on {checks.agreed:,} of {checks.decided:,}.")
    doubt = [] if found.accuracy > found.baseline else [
        "It does not know more than the commoner verdict yet; do not let it decide."
    ]  # fmt: skip
    links = link_html("Review what it is unsure about", page_address("review", order="doubt")) + link_html(
        "Review what it likes best", page_address("review", order="promise")
    )
    return table + note_html(said) + note_html(doubt, kind="bad") + f'<p class="links">{links}</p>'


def build_helper_section(page: gr.Blocks, studio: Studio) -> None:
    """The section: learn, look, and for leads the limits within which it may decide."""
    with gr.Column(elem_classes="pane", elem_id="helper"):
        gr.HTML("<h2>Helper</h2>")
        shown = gr.HTML(elem_classes="plan")
        learn = gr.Button("Learn now", size="sm", elem_id="learn")
        with gr.Accordion("Let it decide (leads)", open=False):
            gr.HTML(note_html(["5 % of what it would decide goes to people all the same, as a check."]))
            on = gr.Checkbox(label="It decides by itself outside these limits")
            with gr.Row():
                accept = gr.Slider(0.5, 1.0, _ACCEPT_FROM, step=0.01, label="Accept from this probability on")
                reject = gr.Slider(0.0, 0.5, _REJECT_BELOW, step=0.01, label="Reject below this one")
            save = gr.Button("Save limits", size="sm")

    def present() -> tuple[str, Any, Any, Any]:
        report = studio.helper_report()
        limits = report.limits
        deciding = limits.accept_from is not None or limits.reject_below is not None
        return (
            helper_html(report),
            gr.Checkbox(value=deciding),
            gr.Slider(value=_ACCEPT_FROM if limits.accept_from is None else limits.accept_from),
            gr.Slider(value=_REJECT_BELOW if limits.reject_below is None else limits.reject_below),
        )

    def keep(deciding: bool, high: float, low: float, request: gr.Request) -> None:
        studio.set_helper_limits(
            reviewer_of(studio, request),
            accept_from=high if deciding else None,
            reject_below=low if deciding else None,
        )
        gr.Info(
            "From the next learning on it decides within these limits." if deciding else "It decides nothing."
        )

    @for_reviewers(studio, "teach the helper")
    def teach() -> str:
        return helper_html(studio.teach_helper())

    page.load(present, None, [shown, on, accept, reject], **AT_ONCE)
    learn.click(shown_to_user(teach), None, shown)
    save.click(shown_to_user(keep), [on, accept, reject], None, **QUIET)
