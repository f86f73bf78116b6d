"""The section of a report on which class comes in which context."""

from __future__ import annotations

from html import escape

from training.report.tables import html_number, html_table, markdown_table
from training.similarity.class_context import ClassContextFindings, SlotLink

_HEADING = "Does the background tell the class?"
_HEAD = ("prompt slot", "values", "bits shared with the class", "bits by chance", "pairs without an image")
_EXPLANATION = (
    "Mutual information of class and slot value over the accepted synthetic images of the release: 0 where every "
    "class comes in every context equally often. A network can learn such a link instead of the object. By chance: "
    "what values drawn without regard to the class would share on average. `generate --refill` makes up for rejected "
    "images."
)


def class_context_html(findings: ClassContextFindings) -> str:
    """Write the section of the page."""
    rows = [
        (f"<th>{escape(slot['slot'])}</th>", *(html_number(cell) for cell in _cells(slot)))
        for slot in findings["slots"]
    ]
    explanation = _EXPLANATION.replace("`", "")
    return (
        f'<section><h2>{_HEADING}</h2>{html_table(_HEAD, rows)}<p class="small">{explanation}</p></section>'
    )


def class_context_markdown(findings: ClassContextFindings) -> list[str]:
    """Write the section as paragraphs of Markdown."""
    rows = [(slot["slot"], *_cells(slot)) for slot in findings["slots"]]
    return [f"## {_HEADING}", markdown_table(_HEAD, rows), _EXPLANATION]


def _cells(slot: SlotLink) -> list[str]:
    return [
        f"{slot['values']}",
        f"{slot['bits']:.3f}",
        f"{slot['chance']:.3f}",
        f"{slot['empty']} of {slot['pairs']}",
    ]
