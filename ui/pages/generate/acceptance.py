"""What reviewers accept, shown beside the recipe, and the changes to it that follow."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.acceptance import advice
from pipeline.domain.contexts import DISTRACTORS_NOTE, context_tables
from pipeline.domain.slots import shown_value
from pipeline.errors import InvalidRequest
from ui.access import Capability, handler
from ui.components.charts import rate_chart_html
from ui.components.html import note_html, table_html
from ui.errors import AT_ONCE, QUIET

if TYPE_CHECKING:
    from pipeline.domain.acceptance import Acceptance, Advice
    from pipeline.domain.contexts import Contexts
    from pipeline.studio import Studio


def acceptance_html(acceptance: Acceptance) -> str:
    """Return acceptance by method, class, slot value and pose with 95 % intervals; "" before any decision."""
    if not acceptance.total.decided:
        return ""
    groups = [
        ("Methods", acceptance.methods),
        ("Classes", acceptance.classes),
        *acceptance.slots.items(),
        *acceptance.poses.items(),
    ]
    charts = "".join(rate_chart_html(tallies, title=title) for title, tallies in groups if len(tallies) > 1)
    total = f"{acceptance.total.rate:.0%} of {acceptance.total.decided} reviewed images accepted"
    return f'<details class="accepted"><summary>{total}</summary><div class="charts">{charts}</div></details>'


def contexts_html(contexts: Contexts, *, with_distractors: bool = False) -> str:
    """Return the accepted images by class and slot value, one table a slot; "" where there is nothing to compare.

    Args:
        with_distractors: whether any of the images shows some.
    """
    tables = context_tables(contexts)
    if not tables:
        return ""
    shown = "".join(
        f"<h3>{escape(table.slot)}</h3>"
        + note_html(
            [
                f"It shares {table.bits:.3f} bit with the class; values drawn without regard to it would share "
                f"{table.chance:.3f}."
            ]
        )
        + table_html(
            [table.slot, *table.labels],
            [[shown_value(value), *counts] for value, counts in table.rows],
        )
        for table in tables
    )
    most = max(tables, key=lambda table: table.bits - table.chance)
    found = "none tells the class more than by chance"
    if most.bits > most.chance:
        found = f"{escape(most.slot)} tells {most.bits:.3f} bit of the class, by chance {most.chance:.3f}"
    summary = f"Accepted images by class and context: {found}"
    note = note_html([DISTRACTORS_NOTE]) if with_distractors else ""
    return f'<details class="contexts"><summary>{summary}</summary>{note}{shown}</details>'


def build_advice(page: gr.Blocks, studio: Studio, recipe: gr.Code, charts: gr.HTML) -> None:
    """Build a list of changes to tick and a button that writes them into the recipe; hidden without advice.

    Args:
        charts: shows what reviewers accept, counted once per visit.
    """
    with gr.Column(elem_classes="pane", visible=False, elem_id="advice") as pane:
        ticked = gr.CheckboxGroup([], label="Reviewers suggest", elem_id="suggestions")
        apply = gr.Button("Change the recipe", size="sm", elem_id="apply-advice")

    @handler(studio, Capability.LOOK)
    def offer() -> tuple[str, gr.Column, gr.CheckboxGroup]:
        acceptance, samples = studio.review.insights.acceptance(), studio.library.samples
        contexts = contexts_html(
            samples.accepted_contexts(), with_distractors=samples.accepted_show_distractors()
        )
        choices = [(change.sentence, _key(change)) for change in advice(acceptance)]
        return (
            acceptance_html(acceptance) + contexts,
            gr.Column(visible=bool(choices)),
            gr.CheckboxGroup(choices=choices, value=[]),
        )

    @handler(studio, Capability.PLAN)
    def apply_changes(text: str, keys: list[str]) -> tuple[str, gr.CheckboxGroup]:
        chosen = [change for change in studio.review.insights.advice() if _key(change) in keys]
        if not chosen:
            raise InvalidRequest("no change is ticked; tick the changes that you want first")
        gr.Info(f"{len(chosen)} changes applied to the recipe; the plan is updated.")
        return studio.plans.changed_recipe(text, chosen), gr.CheckboxGroup(value=[])

    page.load(offer, None, [charts, pane, ticked], **AT_ONCE)
    apply.click(apply_changes, [recipe, ticked], [recipe, ticked], **QUIET)


def _key(change: Advice) -> str:
    return f"{change.change}|{change.slot}|{change.value}"
