"""The auto-reviewer: how well it predicts what people accept, and what a lead lets it decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

_ACCEPT_FROM, _REJECT_BELOW = 0.95, 0.05  # the proposed limits
_WHAT = "A small model learns from people's decisions which synthetic images will be accepted."


def auto_reviewer_html(report: AutoReviewerReport) -> str:
    """Show how well it predicts decisions, and link to the queues that it orders."""
    if report.quality is None:
        return note_html([_WHAT, *filter(None, [report.sentence])])
    quality = report.quality
    facts = [
        f"Learned from {quality.decisions:,} decisions; predicts the acceptance of {report.predicted:,} "
        "undecided images."
    ]
    if report.not_embedded:
        facts.append(
            f"It judged by colours and edges, since {report.not_embedded:,} images are not compared yet; train again "
            "to compare more."
        )
    if report.decided or report.left_to_people:
        facts.append(
            f"It decided {report.decided:,} and left {report.left_to_people:,} to people as a check."
        )
    warnings = [] if quality.accuracy > quality.baseline else [
        "It is not yet better than always giving the more common verdict; do not let it decide."
    ]  # fmt: skip
    links = link_html("Review the most uncertain first", page_address("review", order="doubt")) + link_html(
        "Review the highest predicted acceptance first", page_address("review", order="promise")
    )
    return (
        note_html([_WHAT])
        + _quality_html(quality)
        + note_html(facts)
        + note_html(warnings, kind="bad")
        + f'<p class="links">{links}</p>'
    )


def _quality_html(quality: Quality) -> str:
    return table_html(
        ["", "on held-out decisions"],
        [
            ["agrees with people", f"{quality.accuracy:.0%}"],
            ["always giving the more common verdict", f"{quality.baseline:.0%}"],
            ["ranks an accepted image above a rejected one (AUC)", f"{quality.auc:.0%}"],
            ["Brier score of the predicted acceptance (0.25 for a coin toss)", f"{quality.brier:.3f}"],
        ],
    )


def limits_html(report: AutoReviewerReport) -> str:
    """Show what it may decide without people, and how the checks on that came out."""
    checks = report.checks
    checked = f"{CHECKED:.0%} of what it would decide goes to people as a check."
    if checks.decided or checks.left:
        checked += (
            f" People agreed on {checks.agreed:,} of {checks.decided:,}; {checks.left:,} are still undecided."
        )
    return note_html([_limits_sentence(report.limits), checked])


def _limits_sentence(limits: AutoReviewLimits) -> str:
    rules = []
    if limits.accept_from is not None:
        rules.append(f"accepts from a predicted acceptance of {limits.accept_from:.2f}")
    if limits.reject_below is not None:
        rules.append(f"rejects below a predicted acceptance of {limits.reject_below:.2f}")
    if not rules:
        return "It decides nothing without people."
    return f"After each training, it {' and '.join(rules)}."


@dataclass(frozen=True, slots=True)
class AutoReviewerSection:
    """The handlers of the section."""

    studio: Studio

    def present(self) -> tuple[str, str, gr.Checkbox, gr.Slider, gr.Slider, gr.Button]:
        """Show the report, and the limits in their widgets, which can be changed and saved from then on."""
        report = self.studio.review.auto_reviewer.report()
        high, low = report.limits.accept_from, report.limits.reject_below
        return (
            auto_reviewer_html(report),
            limits_html(report),
            gr.Checkbox(value=high is not None or low is not None, interactive=True),
            gr.Slider(value=_ACCEPT_FROM if high is None else high, interactive=True),
            gr.Slider(value=_REJECT_BELOW if low is None else low, interactive=True),
            gr.Button(interactive=True),
        )

    def teach(self) -> tuple[str, str]:
        """Train on all decisions and show the new report."""
        report = self.studio.review.auto_reviewer.train()
        return auto_reviewer_html(report), limits_html(report)

    def keep(self, deciding: bool, high: float, low: float, request: gr.Request) -> str:
        """Store the limits."""
        self.studio.review.auto_reviewer.set_limits(
            reviewer_of(self.studio, request),
            accept_from=high if deciding else None,
            reject_below=low if deciding else None,
        )
        gr.Info("Limits saved.")
        return limits_html(self.studio.review.auto_reviewer.report())


def build_auto_reviewer_section(page: gr.Blocks, studio: Studio) -> None:
    """Lay out and wire the section: training, the report, and for leads the limits within which it may decide."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, elem_classes=["main", "pane"], elem_id="auto-reviewer"):
            gr.HTML("<h2>Auto-reviewer</h2>")
            learned = gr.HTML(elem_classes="plan")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            learn = gr.Button("Train now", variant="primary", elem_id="learn")
            with gr.Column(elem_classes="pane", elem_id="auto-reviewer-limits"):
                gr.HTML("<h2>What it may decide (leads)</h2>")
                allowed = gr.HTML()
                on, accept, reject, save = _build_limits()
    section, look = AutoReviewerSection(studio), handler(studio, Capability.LOOK)
    page.load(look(section.present), None, [learned, allowed, on, accept, reject, save], **AT_ONCE)
    learn.click(handler(studio, Capability.TEACH)(section.teach), None, [learned, allowed])
    keep = handler(studio, Capability.SETTLE)(section.keep)
    save.click(keep, [on, accept, reject], allowed, **QUIET)


def _build_limits() -> tuple[gr.Checkbox, gr.Slider, gr.Slider, gr.Button]:
    """Build the widgets of the limits; until they show those that are stored, nothing can be changed or saved."""
    on = gr.Checkbox(label="Let it decide without people", container=False, interactive=False)
    accept = gr.Slider(0.5, 1, _ACCEPT_FROM, step=0.01, label="Accept from", buttons=[], interactive=False)
    reject = gr.Slider(0, 0.5, _REJECT_BELOW, step=0.01, label="Reject below", buttons=[], interactive=False)
    save = gr.Button("Save limits", size="sm", interactive=False, elem_id="save-limits")
    return on, accept, reject, save
