"""What reviewers accept, beside the recipe, and the changes to it that they speak for."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.domain.acceptance import advice
from pipeline.domain.slots import SLOT
from ui.access import Capability, handler
from ui.errors import AT_ONCE, QUIET

if TYPE_CHECKING:
    from pipeline.domain.acceptance import Acceptance, Advice, Tally
    from pipeline.studio import Studio


def acceptance_html(found: Acceptance) -> str:
    """Acceptance by method, class, prompt word and pose: rate with its 95 % interval; "" before any decision."""
    if not found.total.decided:
        return ""
    groups = [
        ("Methods", found.methods),
        ("Classes", found.classes),
        *found.slots.items(),
        *found.poses.items(),
    ]
    charts = "".join(rate_chart_html(tallies, title=title) for title, tallies in groups if len(tallies) > 1)
    total = f"{found.total.rate:.0%} of {found.total.decided} reviewed pictures accepted"
    return f'<details class="accepted"><summary>{total}</summary><div class="charts">{charts}</div></details>'


def rate_chart_html(tallies: Mapping[str, Tally], *, title: str) -> str:
    """Rates as bars with a line for the interval, least accepted first."""
    rows = "".join(
        f"<dt>{escape(SLOT.sub('…', name) or 'nothing said')}</dt><dd>{_bar(tally)}"
        f"<span>{tally.rate:.0%} of {tally.decided}</span></dd>"
        for name, tally in sorted(tallies.items(), key=lambda pair: pair[1].rate)
    )
    return f'<section class="counts rates"><h3>{escape(title)}</h3><dl>{rows}</dl></section>'


def _bar(tally: Tally) -> str:
    low, high = tally.interval
    said = f"95 % interval {low:.0%} to {high:.0%}"
    return (
        f'<b title="{said}"><i style="width:{tally.rate:.1%}"></i>'
        f'<u style="left:{low:.1%};width:{high - low:.1%}"></u></b>'
    )


def build_advice(page: gr.Blocks, studio: Studio, recipe: gr.Code, charts: gr.HTML) -> None:
    """A list of changes to tick and a button that writes them into the recipe; not there without advice.

    Args:
        charts: filled with what reviewers accept, which is counted once a visit.
    """
    with gr.Column(elem_classes="pane", visible=False, elem_id="advice") as pane:
        ticked = gr.CheckboxGroup([], label="Reviewers suggest", elem_id="suggestions")
        apply = gr.Button("Change the recipe", size="sm", elem_id="apply-advice")

    @handler(studio, Capability.LOOK)
    def offer() -> tuple[str, Any, Any]:
        found = studio.review.insights.acceptance()
        choices = [(one.sentence, _key(one)) for one in advice(found)]
        return (
            acceptance_html(found),
            gr.Column(visible=bool(choices)),
            gr.CheckboxGroup(choices=choices, value=[]),
        )

    @handler(studio, Capability.PLAN)
    def change(text: str, keys: list[str]) -> tuple[str, Any]:
        chosen = [one for one in studio.review.insights.advice() if _key(one) in keys]
        if not chosen:
            gr.Info("Tick the changes that you want first.")
            return text, gr.CheckboxGroup()
        gr.Info(f"{len(chosen)} changed in the recipe below; the plan shows what it makes now.")
        return studio.plans.changed_recipe(text, chosen), gr.CheckboxGroup(value=[])

    page.load(offer, None, [charts, pane, ticked], **AT_ONCE)
    apply.click(change, [recipe, ticked], [recipe, ticked], **QUIET)


def _key(one: Advice) -> str:
    return f"{one.change}|{one.slot}|{one.value}"
