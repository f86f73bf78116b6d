"""The section of a report on the counterfactual test sets."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from pipeline.domain.arms import Arm
from training.diagnosis.reliance import RELIANCES, Reliance
from training.diagnosis.result import CounterfactualArm, CounterfactualFindings
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
    sets = html_table(
        ("balanced accuracy", *_titles(findings)),
        [(f"<th>{escape(title)}</th>", *map(html_number, cells)) for title, *cells in _set_rows(findings)],
    )
    keys = [(f"<th>{_key(arm)}</th>", *map(html_number, _differences(arm))) for arm in findings["arms"]]
    differences = html_table(("points", *(facts.title for facts in RELIANCES.values())), keys)
    small = "".join(f'<p class="small">{escape(text)}</p>' for text in _small_print(findings))
    return f"<section><h2>{_HEADING}</h2>{sentences}{differences}{sets}{small}</section>"


def counterfactual_markdown(result: StudyResult) -> list[str]:
    """Write the section as paragraphs of Markdown; none where there were no such sets."""
    if "counterfactual" not in result:
        return []
    findings = result["counterfactual"]
    if findings["skipped"]:
        return [f"## {_HEADING}", markdown_text(findings["skipped"])]
    differences = [(arm["title"], *_differences(arm)) for arm in findings["arms"]]
    return [
        f"## {_HEADING}",
        *(f"**{markdown_text(arm['sentence'])}**" for arm in findings["arms"]),
        markdown_table(("points", *(facts.title for facts in RELIANCES.values())), differences),
        markdown_table(("balanced accuracy", *_titles(findings)), _set_rows(findings)),
        *(markdown_text(text) for text in _small_print(findings)),
    ]


def _titles(findings: CounterfactualFindings) -> list[str]:
    return [arm["title"] for arm in findings["arms"]]


def _set_rows(findings: CounterfactualFindings) -> list[tuple[str, ...]]:
    """A row for each set, a column for each arm."""
    return [
        (f"{kind['title']} ({kind['images']:,})", *_rates(findings, kind["set"])) for kind in findings["sets"]
    ]


def _rates(findings: CounterfactualFindings, name: str) -> list[str]:
    return [percent_interval(arm["accuracy"][name]) for arm in findings["arms"]]


def _differences(arm: CounterfactualArm) -> list[str]:
    return [signed_points(arm["differences"][str(reliance)]) for reliance in Reliance]


def _key(arm: CounterfactualArm) -> str:
    colour = Arm(arm["arm"]).facts.colour
    return f'<i class="key" style="background:{colour}"></i>{escape(arm["title"])}'


def _small_print(findings: CounterfactualFindings) -> Iterator[str]:
    """What the numbers mean, on how many objects they rest, and what is missing."""
    yield _EXPLANATION
    yield "Objects: " + ", ".join(f"{name} {count}" for name, count in findings["objects"].items()) + "."
    if findings["left_out"]:
        yield f"Too few usable cut-outs: {', '.join(findings['left_out'])}."
    if findings["missing_runs"]:
        yield (
            f"{findings['missing_runs']} runs were trained before these sets and have no predictions for them; "
            "delete the folder runs of the study to train them again."
        )
