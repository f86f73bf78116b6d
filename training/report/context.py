"""The section of a report on context manipulation: objects kept, backgrounds varied."""

from __future__ import annotations

from html import escape

from pipeline.domain.methods import Method
from training.report.tables import html_number, html_table, markdown_table, markdown_text
from training.similarity.context import ContextFindings, ContextGroup
from training.similarity.result import Band

_HEADING = "Is the object kept, and does the background vary?"
_HEAD = ("method", "object to its source photo", "images of one class and prompt")
_EXPLANATION = (
    "Mean cosine similarities on the features of EfficientNet-Lite0, with 95 % bootstrap intervals over samples or "
    "prompts. Object: as its photo shows it, position, scale and perspective taken back, on grey; of an image "
    "without a photographed object the whole, which its background lowers. "
    "Images of one class and prompt: the lower, the more they vary; photographed objects of the class are alike, too."
)


def context_html(findings: ContextFindings) -> str:
    """Write the section of the page."""
    rows = [
        (f"<th>{_key(group)}</th>", *(html_number(cell) for cell in _cells(group)))
        for group in findings["methods"]
    ]
    return (
        f"<section><h2>{_HEADING}</h2><p>{escape(findings['sentence'])}</p>{html_table(_HEAD, rows)}"
        f'<p class="small">{_EXPLANATION}</p></section>'
    )


def context_markdown(findings: ContextFindings) -> list[str]:
    """Write the section as paragraphs of Markdown."""
    rows = [(group["title"], *_cells(group)) for group in findings["methods"]]
    sentence = f"**{markdown_text(findings['sentence'])}**"
    return [f"## {_HEADING}", sentence, markdown_table(_HEAD, rows), _EXPLANATION]


def _key(group: ContextGroup) -> str:
    colour = Method(group["method"]).facts.colour
    return f'<i class="key" style="background:{colour}"></i>{escape(group["title"])}'


def _cells(group: ContextGroup) -> tuple[str, str]:
    return (
        _cell(group["object_kept"], f"{group['objects']:,} samples"),
        _cell(group["same_prompt"], f"{group['prompts']:,} prompts"),
    )


def _cell(similarity: Band | None, of: str) -> str:
    """Write a mean as '0.81 (0.79 to 0.83), 120 samples'."""
    if similarity is None:
        return f"too few: {of}"
    return f"{similarity['mean']:.2f} ({similarity['low']:.2f} to {similarity['high']:.2f}), {of}"
