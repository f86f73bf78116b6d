"""The section of a report on what the images of each method cost."""

from __future__ import annotations

from html import escape

from pipeline.domain.methods import METHODS, Method
from training.report.tables import html_number, html_table, markdown_table
from training.similarity.efficiency import EfficiencyFindings, MethodEfficiency

_HEADING = "What an accepted image costs"
_HEAD = ("method", "rendered", "accepted", "acceptance", "seconds per image", "seconds per accepted image")
_EXPLANATION = (
    "Over all samples of the library that the release was published from. Acceptance: the share of the decided "
    "samples. Seconds: the median of the newest images on the machine that rendered them; the time of reviewers is "
    "not included."
)


def efficiency_html(findings: EfficiencyFindings) -> str:
    """Write the section of the page."""
    rows = [
        (f"<th>{_key(method)}</th>", *(html_number(cell) for cell in _cells(method)))
        for method in findings["methods"]
    ]
    table = html_table(_HEAD, rows)
    return f'<section><h2>{_HEADING}</h2>{table}<p class="small">{_EXPLANATION}</p></section>'


def efficiency_markdown(findings: EfficiencyFindings) -> list[str]:
    """Write the section as paragraphs of Markdown."""
    rows = [(_name(method), *_cells(method)) for method in findings["methods"]]
    return [f"## {_HEADING}", markdown_table(_HEAD, rows), _EXPLANATION]


def _key(method: MethodEfficiency) -> str:
    colour = METHODS[Method(method["method"])].colour
    return f'<i class="key" style="background:{colour}"></i>{escape(_name(method))}'


def _name(method: MethodEfficiency) -> str:
    """Name a method with its model, where it has one."""
    generated = METHODS[Method(method["method"])].needs_prompt
    return f"{method['title']}, {method['model']}" if generated else method["title"]


def _cells(method: MethodEfficiency) -> list[str]:
    acceptance = method["acceptance"]
    return [
        f"{method['rendered']:,}",
        f"{method['accepted']:,}",
        "none decided" if acceptance is None else f"{100 * acceptance:.1f} %",
        *(_seconds(method[key]) for key in ("seconds", "seconds_per_accepted")),
    ]


def _seconds(seconds: float | None) -> str:
    return "not known" if seconds is None else f"{seconds:.3g}"
