"""The section of a report on similarity: the claim, a plot and a table at the largest n that every group has."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from training.report.similarity_plot import group_colour, similarity_plot
from training.report.tables import html_table, markdown_table, markdown_text
from training.similarity.result import (
    Band,
    Measure,
    SimilarityFindings,
    SimilarityGroup,
    SimilarityPoint,
)

_HEADING = "Does varying the background slow the growth of similarity?"


def similarity_html(findings: SimilarityFindings) -> str:
    """Write the section of the page."""
    groups, n = findings["groups"], _common_size(findings["groups"])
    rows = [
        (
            f"<th>{escape(measure.facts.title)}<small>{escape(measure.facts.description)}</small></th>",
            *(_two_lines(cell) for cell in _cells(groups, n, measure)),
        )
        for measure in _measures(groups)
    ]
    left_out = "".join(
        f'<p class="left-out"><b>{escape(group["title"])}</b> was left out: {escape(group["reason"])}.</p>'
        for group in findings["left_out"]
    )
    return (
        f"<section><h2>{_HEADING}</h2><p>{escape(findings['sentence'])}</p>"
        f"<p>{' '.join(map(_key, groups))}</p>{similarity_plot(groups)}</section>"
        f"<section><h2>{_table_heading(n)}</h2>{html_table(_head(groups), rows)}"
        f'{left_out}<p class="small">{escape(_explanation(findings))}</p></section>'
    )


def similarity_markdown(findings: SimilarityFindings) -> list[str]:
    """Write the section as paragraphs of Markdown."""
    groups, n = findings["groups"], _common_size(findings["groups"])
    measures = _measures(groups)
    rows = [(measure.facts.title, *_cells(groups, n, measure)) for measure in measures]
    return [
        f"## {_HEADING}",
        f"**{markdown_text(findings['sentence'])}**",
        f"### {_table_heading(n)}",
        markdown_table(_head(groups), rows),
        "\n".join(f"- {measure.facts.title}: {measure.facts.description}" for measure in measures),
        *(
            f"Left out: {markdown_text(group['title'])}, {markdown_text(group['reason'])}."
            for group in findings["left_out"]
        ),
        markdown_text(_explanation(findings)),
    ]


def _key(group: SimilarityGroup) -> str:
    """Name a group in the legend, with the number of its images."""
    colour = group_colour(group["name"])
    name = f"{escape(group['title'])} ({group['images']:,})"
    return (
        '<span style="display:inline-block;margin-right:14px">'
        f'<i class="key" style="background:{colour}"></i>{name}</span>'
    )


def _two_lines(cell: str) -> str:
    """Build a number with its range below it, so that the names of the measures have room."""
    mean, _, values = cell.partition(" (")
    below = f'<br><span class="small">{escape(values.removesuffix(")"))}</span>' if values else ""
    return f'<td class="number">{escape(mean)}{below}</td>'


def _common_size(groups: Sequence[SimilarityGroup]) -> int:
    """The largest n that every group has."""
    return min(group["points"][-1]["n"] for group in groups)


def _measures(groups: Sequence[SimilarityGroup]) -> list[Measure]:
    """The measures that some group has, in the order of the table of measures."""
    measured = {name for group in groups for point in group["points"] for name in point["bands"]}
    return [measure for measure in Measure if str(measure) in measured]


def _table_heading(n: int) -> str:
    return f"Sets of {n:,} images, the most that every group has"


def _head(groups: Sequence[SimilarityGroup]) -> tuple[str, ...]:
    return ("", *(group["title"] for group in groups))


def _cells(groups: Sequence[SimilarityGroup], n: int, measure: Measure) -> list[str]:
    points = [next(point for point in group["points"] if point["n"] == n) for group in groups]
    return [_cell(point, measure) for point in points]


def _cell(point: SimilarityPoint, measure: Measure) -> str:
    """Write the mean with its range as '21.3 (20.1 to 22.4)'."""
    band: Band | None = point["bands"].get(str(measure))
    if band is None:
        return "not measured"
    mean, low, high = (f"{band[end]:.{measure.facts.decimals}f}" for end in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def _explanation(findings: SimilarityFindings) -> str:
    """Tell what was compared, and what the ranges cover."""
    photos = findings["test_photos"]
    reference = f" (and {photos:,} test photos, likewise)" if photos else ""
    return (
        f"Measured on the features of EfficientNet-Lite0 at {findings['image_size']} px. "
        f"Each figure is the mean of {findings['draws']} random sets with equally many images of all "
        f"{findings['classes']} classes{reference}, with the range of 95 % of the sets, as wide as for sets that "
        "share no image. The ranges cover the choice of images, not other prompts, seeds of a plan or photos."
    )
