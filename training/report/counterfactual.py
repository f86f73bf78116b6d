"""The section of a report on the counterfactual test sets."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from training.diagnosis.reliance import RELIANCES
from training.diagnosis.result import CounterfactualFindings
from training.report.tables import html_number, html_table, markdown_table, markdown_text
from training.report.wording import percent_interval, signed_points
from training.study.result import StudyResult

_HEADING = "Counterfactual test sets: the same objects, one thing changed"
_EXPLANATION = (
    "Balanced accuracy, and differences in points, over the objects of the test photos cut out and pasted again; 95 % "
    "intervals over the seeds, which do not cover other objects. Backgrounds: the object stays where it is, and the "
    "object of the photo behind it is filled in; some of that stays visible behind it, alike for photos of its class "
    "and of another, so that the difference of these two is that of the class alone. Corners and sizes: on the photo's "
    "own background, blurred. Sizes are shares of the image: the object's longest side is 40 % of it, or half or twice "
    "as much."
)


def counterfactual_html(result: StudyResult) -> str:
    """Write the section of the page; "" where there were no such sets."""
    if "counterfactual" not in result:
        return ""
    findings = result["counterfactual"]
    if findings["skipped"]:
        return f"<section><h2>{_HEADING}</h2><p>{escape(findings['skipped'])}</p></section>"
    sentences = "".join(f"<p>{escape(arm['sentence'])}</p>" for arm in findings["arms"])
    tables = "".join(
        html_table(
            (kind, *_titles(findings)),
            [(f"<th>{escape(title)}</th>", *map(html_number, cells)) for title, *cells in rows],
        )
        for kind, rows in _tables(findings)
    )
    small = "".join(f'<p class="small">{escape(text)}</p>' for text in _small_print(findings))
    return f"<section><h2>{_HEADING}</h2>{sentences}{tables}{small}</section>"


def counterfactual_markdown(result: StudyResult) -> list[str]:
    """Write the section as paragraphs of Markdown; none where there were no such sets."""
    if "counterfactual" not in result:
        return []
    findings = result["counterfactual"]
    if findings["skipped"]:
        return [f"## {_HEADING}", markdown_text(findings["skipped"])]
    return [
        f"## {_HEADING}",
        *(f"**{markdown_text(arm['sentence'])}**" for arm in findings["arms"]),
        *(markdown_table((kind, *_titles(findings)), rows) for kind, rows in _tables(findings)),
        *(markdown_text(text) for text in _small_print(findings)),
    ]


def _titles(findings: CounterfactualFindings) -> list[str]:
    return [arm["title"] for arm in findings["arms"]]


def _tables(findings: CounterfactualFindings) -> tuple[tuple[str, list[tuple[str, ...]]], ...]:
    """What the numbers are, and their rows: of the differences and of the sets, a column for each arm."""
    arms = findings["arms"]
    differences = [
        (facts.title, *(signed_points(arm["differences"][str(reliance)]) for arm in arms))
        for reliance, facts in RELIANCES.items()
    ]
    rates = [
        (
            f"{kind['title']} ({kind['images']:,})",
            *(percent_interval(arm["accuracy"][kind["set"]]) for arm in arms),
        )
        for kind in findings["sets"]
    ]
    return ("difference, points", differences), ("balanced accuracy", rates)


def _small_print(findings: CounterfactualFindings) -> Iterator[str]:
    """What the numbers mean, on how many objects they rest, and what is missing."""
    yield _EXPLANATION
    yield "Objects: " + ", ".join(f"{name} {count}" for name, count in findings["objects"].items()) + "."
    if findings["left_out"]:
        yield f"Too few usable cut-outs: {', '.join(findings['left_out'])}."
    if findings["missing_runs"]:
        missing = findings["missing_runs"]
        yield (
            f"{missing} {'run has' if missing == 1 else 'runs have'} no predictions for these images; "
            "delete the folder runs of the study to train them again."
        )
