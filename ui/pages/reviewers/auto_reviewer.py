"""The helper that learns: how well it knows what people accept, and what a lead lets it decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.services.review.auto_reviewer import CHECKED
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.html import link_html, note_html, table_html
from ui.errors import AT_ONCE, QUIET
from ui.session import reviewer_of

if TYPE_CHECKING:
    from pipeline.services.reports import AutoReviewerReport
    from pipeline.services.review.acceptance_model import Quality
    from pipeline.store import AutoReviewLimits
    from pipeline.studio import Studio

_ACCEPT_FROM, _REJECT_BELOW = 0.95, 0.05  # what a lead is offered first
_WHAT = "A small model learns from the decisions which pictures will be accepted."


def helper_html(report: AutoReviewerReport) -> str:
    """What it learned: a table in plain words, and the queues that it orders."""
    if report.quality is None:
        return note_html([_WHAT, *filter(None, [report.sentence])])
    found = report.quality
    said = [
        f"Learned from {found.decisions:,} decisions; it has a say on {report.predicted:,} undecided pictures."
    ]
    if report.decided or report.left_to_people:
        said.append(f"It decided {report.decided:,} and left {report.left_to_people:,} to people as a check.")
    doubt = [] if found.accuracy > found.baseline else [
        "It does not know more than the commoner verdict yet; do not let it decide."
    ]  # fmt: skip
    links = link_html("Review what it is unsure about", page_address("review", order="doubt")) + link_html(
        "Review what it likes best", page_address("review", order="promise")
    )
    return (
        note_html([_WHAT])
        + _quality_html(found)
        + note_html(said)
        + note_html(doubt, kind="bad")
        + f'<p class="links">{links}</p>'
    )


def _quality_html(found: Quality) -> str:
    return table_html(
        ["", "on decisions that it had not seen"],
        [
            ["decides as people did", f"{found.accuracy:.0%}"],
            ["always saying the commoner verdict would", f"{found.baseline:.0%}"],
            ["ranks an accepted one above a rejected one (AUC)", f"{found.auc:.0%}"],
            ["squared error of its probability (Brier, a coin has 0.25)", f"{found.brier:.3f}"],
        ],
    )


def limits_html(report: AutoReviewerReport) -> str:
    """What it may decide by itself, and how the checks on that came out."""
    checks = report.checks
    checked = f"{CHECKED:.0%} of what it would decide goes to people as a check."
    if checks.decided or checks.left:
        checked += (
            f" They agreed with it on {checks.agreed:,} of {checks.decided:,}; {checks.left:,} are left."
        )
    return note_html([_allowed(report.limits), checked])


def _allowed(limits: AutoReviewLimits) -> str:
    parts = []
    if limits.accept_from is not None:
        parts.append(f"accepts from {limits.accept_from:.2f} on")
    if limits.reject_below is not None:
        parts.append(f"rejects below {limits.reject_below:.2f}")
    return f"Each time it learns, it {' and '.join(parts)}." if parts else "It decides nothing by itself."


def build_helper_section(page: gr.Blocks, studio: Studio) -> None:
    """The section: learn, look, and for leads the limits within which it may decide."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, elem_classes=["main", "pane"], elem_id="helper"):
            gr.HTML("<h2>Helper</h2>")
            learned = gr.HTML(elem_classes="plan")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            learn = gr.Button("Learn now", variant="primary", elem_id="learn")
            with gr.Column(elem_classes="pane", elem_id="helper-limits"):
                gr.HTML("<h2>What it may decide (leads)</h2>")
                allowed = gr.HTML()
                on = gr.Checkbox(label="Let it decide by itself", container=False)
                accept = gr.Slider(0.5, 1, _ACCEPT_FROM, step=0.01, label="Accept from", buttons=[])
                reject = gr.Slider(0, 0.5, _REJECT_BELOW, step=0.01, label="Reject below", buttons=[])
                save = gr.Button("Save limits", size="sm", elem_id="save-limits")

    @handler(studio, Capability.LOOK)
    def present() -> tuple[str, str, Any, Any, Any]:
        report = studio.review.auto_reviewer.report()
        high, low = report.limits.accept_from, report.limits.reject_below
        return (
            helper_html(report),
            limits_html(report),
            gr.Checkbox(value=high is not None or low is not None),
            gr.Slider(value=_ACCEPT_FROM if high is None else high),
            gr.Slider(value=_REJECT_BELOW if low is None else low),
        )

    @handler(studio, Capability.TEACH)
    def teach() -> tuple[str, str]:
        report = studio.review.auto_reviewer.train()
        return helper_html(report), limits_html(report)

    @handler(studio, Capability.SETTLE)
    def keep(deciding: bool, high: float, low: float, request: gr.Request) -> str:
        studio.review.auto_reviewer.set_limits(
            reviewer_of(studio, request),
            accept_from=high if deciding else None,
            reject_below=low if deciding else None,
        )
        gr.Info("Limits saved.")
        return limits_html(studio.review.auto_reviewer.report())

    page.load(present, None, [learned, allowed, on, accept, reject], **AT_ONCE)
    learn.click(teach, None, [learned, allowed])
    save.click(keep, [on, accept, reject], allowed, **QUIET)
